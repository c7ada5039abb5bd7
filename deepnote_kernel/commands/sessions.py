"""``sessions``: start, list, attach, status, interrupt, restart, stop."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from deepnote_kernel.api import sessions
from deepnote_kernel.commands.choice import choose_notebook
from deepnote_kernel.commands.context import START
from deepnote_kernel.commands.names import find_notebook_id, find_project_id
from deepnote_kernel.commands.snapshots import play_outputs
from deepnote_kernel.commands.views import Card, Line, Listing, State, age, moment
from deepnote_kernel.config import LOCAL, SCRATCH
from deepnote_kernel.errors import ConfigError, SessionError, SessionGoneError, UnknownNameError
from deepnote_kernel.session.clients import open_blocking_client
from deepnote_kernel.session.protocol import Status
from deepnote_kernel.session.record import Record

if TYPE_CHECKING:
    from deepnote_kernel.api import Client
    from deepnote_kernel.api.models import Session
    from deepnote_kernel.commands.context import Context
    from deepnote_kernel.session.remote import Remote

__all__ = ["attach", "execute", "interrupt", "list_", "restart", "start", "status", "stop", "use"]


def start(context: Context, **place: Any) -> Line[Status]:
    """Start a session and wait until it is ready; in a shell, leave it running.

    Where no notebook is named, the person is asked for one.

    Args:
        context: Where to start it from.
        **place: Changes to the settings, as :func:`use` takes them.
    """
    remote = context.remote
    changes = _changes(context, **place)
    if remote.session is not None and changes:
        raise SessionError(
            f"The session {remote.session.session_id} runs already.",
            "End it with %deepnote stop, then start the other.",
        )
    remote.use(**changes)
    choice = choose_notebook(context) if _is_open(remote) else None
    if choice:
        remote.use(notebook_id=choice.notebook_id)
    begun_at = time.monotonic()
    try:
        with context.starting(START) as task:
            session = remote.start(task)
    except KeyboardInterrupt:
        context.surface.say("Given up: nothing was left running.")
        raise
    took = age(time.monotonic() - begun_at)
    if choice:
        context.surface.say(f"Next time: {context.magic} start {choice.words}")
    return _left(context, f"Session {session.session_id} is ready after {took}.")


def use(context: Context, **place: Any) -> None:
    """Choose where the next session runs.

    Args:
        context: Where the choice holds.
        **place: ``notebook``, ``scratch``, ``project`` and fields of
            :class:`~deepnote_kernel.config.Settings`.
    """
    settings = context.remote.use(**_changes(context, **place))
    notebook = settings.notebook_id or "not chosen yet"
    context.surface.say(f"Next session: notebook {notebook}, {settings.mode}, {settings.base_url}.")


def attach(context: Context, *, session_id: str | None, notebook: str | None) -> Line[Status]:
    """Take over a session, or join it; in a shell, until its running cell ends."""
    remote = context.remote
    session_id = session_id or _only_session(context).id
    notebook_id = find_notebook_id(context.client, notebook) if notebook else ""
    with context.starting(START) as task:
        session = remote.attach(session_id, task, notebook_id=notebook_id)
    if session.has_left_cell:
        context.surface.say("Its cell still runs; this is what it does from now on.")
        context.surface.play(remote.follow())
    return _left(context, f"Attached to session {session.session_id}.")


def _left(context: Context, text: str) -> Line[Status]:
    """Return what has become of the session; a shell leaves it running."""
    line = Line(context.remote.status(), text)
    if context.surface.is_shell:
        context.remote.detach()
    return line


def status(
    context: Context, *, session_id: str | None, watch: bool, every_s: float
) -> Card[Status] | None:
    """Show where cells run; nothing is started."""
    if session_id is None and context.surface.is_shell:
        session_id = _only_session(context).id
    if not watch:
        return _status_card(context, session_id)
    has_ended = False

    def look() -> Card[Status] | None:
        nonlocal has_ended
        if has_ended:
            return None
        try:
            card = _status_card(context, session_id)
        except SessionGoneError:
            card = _status_card(context, None)
        has_ended = card.value.state == "ended"
        return card

    context.surface.watch(look, every_s=every_s)
    return None


def _status_card(context: Context, session_id: str | None) -> Card[Status]:
    found = context.remote.status() if session_id is None else _status(context, session_id)
    return Card(
        found,
        {
            "Session": found.session_id or "none",
            "Notebook": found.notebook_id or "not chosen",
            "State": State(found.state),
            "Mode": found.mode,
            "Server": found.where,
            "Running for": age(found.age_s) if found.age_s else "",
            "Page": found.url,
            **{label: str(value) for label, value in found.details.items()},
        },
    )


def interrupt(context: Context, *, session_id: str | None) -> None:
    """Interrupt the running cell of this notebook's session, or of another."""
    if session_id is None and not context.surface.is_shell:
        context.remote.interrupt()
        return
    record = _record(context, session_id)
    context.remote.interrupt_recorded(record)
    context.surface.say(f"Interrupted session {record.id}.")


def restart(context: Context) -> None:
    """Restart the session in place."""
    if context.remote.session is None:
        raise SessionError("No session runs.", "Start one with %deepnote start.")
    with context.starting(START) as task:
        context.remote.restart(task)
    context.surface.say("The session has restarted; its variables are gone.")


def stop(context: Context, *, session_id: str | None, all: bool, yes: bool) -> None:  # noqa: A002 - the option's name
    """End a session, this notebook's if none is named, or all."""
    remote, say = context.remote, context.surface.say
    if all:
        stopped = remote.stop_all()
        say(f"Stopped {len(stopped)} session{'' if len(stopped) == 1 else 's'}.")
    elif session_id:
        _confirm_for_others(context, session_id, yes=yes)
        remote.stop_recorded(session_id)
        say(f"Stopped session {session_id}.")
    elif context.surface.is_shell:
        stop(context, session_id=_only_session(context).id, all=False, yes=yes)
    elif remote.session is None:
        say("No session runs.")
    else:
        _confirm_for_others(context, remote.session.session_id, yes=yes)
        remote.stop()
        say("The session has been stopped; its variables are gone.")


def _confirm_for_others(context: Context, session_id: str, *, yes: bool) -> None:
    users = sorted(user.document or user.notebook_id for user in context.remote.users(session_id))
    if len(users) > 1:
        question = f"The session {session_id} is shared by {', '.join(users)}. Stop it for all?"
        context.confirm(question, yes=yes)


def list_(context: Context, *, everywhere: bool) -> Listing[Record]:
    """List the sessions that still run: those started from this computer, or all there are."""
    records = context.remote.sessions()
    if everywhere:
        known = {record.id for record in records}
        found = context.client.iterate(sessions.list_())
        records += [_as_record(context, each) for each in found if each.id not in known]
    empty = "No session is running."
    return Listing(
        records,
        ["Session", "Notebook", "State", "Started", "Server"],
        lambda record: (
            record.id,
            record.notebook_id,
            State(record.state),
            moment(record.created_at),
            record.base_url,
        ),
        empty=empty if everywhere else "No session started from this computer is running.",
    )


def execute(context: Context, *, session_id: str, code: str, timeout_s: float) -> None:
    """Run code in a session by a single call, and show its outputs when it has ended."""
    record = _record(context, session_id)
    call = sessions.execute(
        record.id,
        notebook_id=record.notebook_id,
        code=sys.stdin.read() if code == "-" else code,
        timeout_ms=int(timeout_s * 1000),
    )
    with _client(context, record) as client, context.surface.task("execute"):
        outputs = client.send(call)
    play_outputs(context, outputs)


def _is_open(remote: Remote) -> bool:
    """Return whether a start needs a notebook that has not been named."""
    settings = remote.settings
    is_named = bool(settings.notebook_id) or settings.is_local
    return not (is_named or remote.session or remote.has_left_session)


def _as_record(context: Context, found: Session) -> Record:
    return Record(
        id=found.id,
        notebook_id=found.notebook_id,
        base_url=context.settings.base_url,
        created_at=found.created_at or datetime.now(timezone.utc),
        state=found.status,
    )


def _status(context: Context, session_id: str) -> Status:
    """Ask the server about a session that need not be this notebook's."""
    record = _record(context, session_id)
    with _client(context, record) as client:
        found = client.send(sessions.status(record.id, notebook_id=record.notebook_id))
    return Status(
        session_id=record.id,
        notebook_id=record.notebook_id,
        state=found.kernel.status or found.session.status or record.state,
        mode="live" if record.relay else "",
        where=record.base_url,
        age_s=(datetime.now(timezone.utc) - record.created_at).total_seconds(),
    )


def _client(context: Context, record: Record) -> Client:
    if record.base_url == LOCAL != context.settings.base_url:
        return open_blocking_client(context.settings.replace(base_url=LOCAL))
    if record.base_url != context.settings.base_url:
        raise SessionError(
            f"The session {record.id} runs at {record.base_url}.",
            "Give that address with --base-url.",
        )
    return open_blocking_client(context.settings)


def _record(context: Context, session_id: str | None) -> Record:
    """Return what is recorded of a session, of the only one if none is named."""
    if session_id is None:
        return _only_session(context)
    for record in context.remote.sessions():
        if record.id == session_id:
            return record
    # Started elsewhere: the server knows it.
    return _as_record(context, context.client.send(sessions.get(session_id)))


def _only_session(context: Context) -> Record:
    """Return the session that can only be meant."""
    found = [record for record in context.remote.sessions() if not record.is_pending]
    records = list({record.id: record for record in reversed(found)}.values())
    if not records:
        raise UnknownNameError(
            "No session started from this computer is running.", "`%deepnote start` starts one."
        )
    if len(records) > 1:
        raise ConfigError(
            f"{len(records)} sessions started from this computer are running.",
            "`%deepnote sessions` lists them: name one.",
        )
    return records[0]


def _changes(
    context: Context, *, notebook: str | None, scratch: bool, project: str | None, **settings: Any
) -> dict[str, Any]:
    """Turn the options of a place into settings; names are looked up on the server meant."""
    changes = {name: value for name, value in settings.items() if value is not None}
    if "base_url" in changes:
        context.remote.use(base_url=changes["base_url"])
    if scratch or notebook == SCRATCH:
        changes["notebook_id"] = SCRATCH
    elif notebook:
        changes["notebook_id"] = find_notebook_id(context.client, notebook)
    if project:
        changes["project_id"] = find_project_id(context.client, project)
    return changes

"""Where cells run: start, use, attach, status, interrupt, restart, stop; and what is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepnote_kernel.commands.context import START
from deepnote_kernel.commands.views import Card, Line, Listing, State, age, moment
from deepnote_kernel.errors import SessionError
from deepnote_kernel.strata.calls import notebooks, sessions

if TYPE_CHECKING:
    from deepnote_kernel.session.protocol import Status
    from deepnote_kernel.strata.commands.context import StrataContext
    from deepnote_kernel.strata.models import Notebook, Session

__all__ = [
    "attach",
    "close",
    "interrupt",
    "list_",
    "restart",
    "show",
    "start",
    "status",
    "stop",
    "use",
]


def start(context: StrataContext, **place: Any) -> Line[Status]:
    """Open the notebook that cells go to, and wait until it takes them."""
    changes = {name: value for name, value in place.items() if value}
    if context.remote.session is not None and changes:
        raise SessionError(
            f"The notebook {context.remote.session.notebook_id} is open already.",
            "Close it with %strata stop, then start the other.",
        )
    context.remote.use(**changes)
    with context.starting(START) as task:
        session = context.remote.start(task)
    return Line(context.remote.status(), f"Cells run in {session.notebook_id}.")


def use(context: StrataContext, **place: Any) -> None:
    """Choose where the next cells go, without opening it."""
    settings = context.remote.use(**{name: value for name, value in place.items() if value})
    notebook = settings.notebook_id or "of this Jupyter notebook"
    context.surface.say(f"Next: notebook {notebook}, {settings.mode}, {settings.base_url}.")


def attach(context: StrataContext, *, notebook: str) -> Line[Status]:
    """Go on in a notebook as it is, variables included."""
    path = context.open(notebook).path
    with context.starting(START) as task:
        session = context.remote.attach(path, task)
    return Line(context.remote.status(), f"Cells run in {session.notebook_id}.")


def status(context: StrataContext) -> Card[Status]:
    """Show where cells run; nothing is opened."""
    found = context.remote.status()
    return Card(
        found,
        {
            "Notebook": found.notebook_id or "not open",
            "Session": found.session_id,
            "State": State(found.state),
            "Mode": found.mode,
            "Server": found.where,
            "Open for": age(found.age_s) if found.age_s else "",
            **{label: str(value) for label, value in found.details.items()},
        },
    )


def interrupt(context: StrataContext) -> None:
    """Cancel the running cell."""
    context.remote.interrupt()


def restart(context: StrataContext) -> None:
    """Give the next cells an empty namespace."""
    if context.remote.session is None:
        raise SessionError("No notebook is open.", "Open one with %strata start.")
    with context.starting(START) as task:
        context.remote.restart(task)
    context.surface.say("The next cell finds an empty namespace.")


def stop(context: StrataContext) -> None:
    """Close the notebook that cells run in."""
    if context.remote.session is None:
        context.surface.say("No notebook is open.")
        return
    context.remote.stop()
    context.surface.say("The notebook is closed.")


def list_(context: StrataContext) -> Listing[Session]:
    """List the notebooks that the server has open."""
    found = context.server.send(sessions.list_())
    return Listing(
        found,
        ["Notebook", "Session", "Changed", "Folder"],
        lambda item: (item.name, item.session_id, moment(item.updated_at), item.path),
        empty="The server has no notebook open.",
    )


def show(context: StrataContext, *, session_id: str) -> Card[Notebook]:
    """Show an open notebook."""
    return notebook_card(context.server.send(sessions.get(session_id)))


def close(context: StrataContext, *, session_id: str) -> None:
    """Close a session; cells and results stay."""
    context.server.send(notebooks.close(session_id))
    context.surface.say(f"Closed session {session_id}.")


def notebook_card(notebook: Notebook) -> Card[Notebook]:
    """Return what is shown of a notebook."""
    environment = notebook.environment
    return Card(
        notebook,
        {
            "Notebook": notebook.name,
            "Session": notebook.session_id,
            "Folder": notebook.path,
            "Cells": str(len(notebook.cells)),
            "Python": environment.python_version,
            "Environment": State(environment.sync_state),
            "Worker": notebook.worker,
            "Mounts": [f"{m.name}: {m.uri} ({m.mode})" for m in notebook.mounts],
        },
    )

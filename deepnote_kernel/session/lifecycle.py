"""How a session comes to be: created, waited for, recorded; or taken over when it runs already.

Creating a session starts a machine and runs the anchor notebook, and the machine costs money until
it is stopped. So each step leaves a trace in the record before it is taken, and whatever goes wrong
before the session is ready stops it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from typing import TYPE_CHECKING, Final

import msgspec

from deepnote_kernel.api import AsyncClient, runs, sessions
from deepnote_kernel.config import SCRATCH, Secret
from deepnote_kernel.errors import (
    APIStatusError,
    BadRequestError,
    ConfigError,
    ConflictError,
    ConnectionFailedError,
    DeepnoteError,
    NotFoundError,
    ServerError,
    SessionGoneError,
    SessionStartError,
    UnsupportedError,
)
from deepnote_kernel.session import local, scratch
from deepnote_kernel.session._waiting import delays
from deepnote_kernel.session.direct import DirectSession
from deepnote_kernel.session.live import LiveSession
from deepnote_kernel.session.record import Record

if TYPE_CHECKING:
    from deepnote_kernel.api.models import CreatedSession
    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.protocol import Progress, Session
    from deepnote_kernel.session.record import Records

__all__ = ["attach", "open_client", "start"]

_log = logging.getLogger(__name__)

_KERNEL_LIMIT_S: Final = 60.0
_STOP_LIMIT_S: Final = 10.0
_CHECK_LIMIT_MS: Final = 10_000


async def open_client(settings: Settings) -> AsyncClient:
    """Return a client for the server the settings name, having started it if it is the local one.

    Raises:
        ConfigError: There is no token.
        SessionStartError: The local server did not start.
    """
    if settings.is_local:
        server = await asyncio.to_thread(local.find_or_start)
        return AsyncClient(token=Secret(server.token), base_url=server.url)
    if not settings.token:
        raise ConfigError(
            "There is no Deepnote token.",
            "Set DEEPNOTE_TOKEN to an API key (in Deepnote: Settings & members > Security > API "
            "keys), or choose the kernel `Deepnote (local)`, which needs none.",
        )
    return AsyncClient(token=settings.token, base_url=settings.base_url)


async def start(
    client: AsyncClient, settings: Settings, records: Records, *, owner: str, progress: Progress
) -> Session:
    """Create a session and wait until it takes cells. Cancelling stops what was started.

    Args:
        client: Talks to the server; the session goes on using it.
        settings: What session to create.
        records: Where it is recorded.
        owner: Who starts it, for the record.
        progress: Takes a line for each stage.

    Raises:
        ConfigError: No notebook is named; nothing was sent.
        SessionStartError: It did not become ready in time.
        DeepnoteError: The server refused.
    """
    _check_notebook(settings)
    progress("machine starting")
    notebook_id = await _anchor(client, settings)
    record = Record.pending(
        uuid.uuid4().hex, notebook_id=notebook_id, base_url=settings.base_url, owner=owner
    )
    created, record = await _create_recorded(client, settings, records, record, progress)
    try:
        ready = _wait_until_ready(client, created, notebook_id, progress)
        notebook_id = await asyncio.wait_for(ready, settings.start_timeout_s)
    except BaseException as error:
        await _stop_quietly(client, records, record.id)
        if isinstance(error, asyncio.TimeoutError):
            raise SessionStartError(
                f"The session was not ready after {settings.start_timeout_s:g} s and was stopped.",
                "Try again, or set DEEPNOTE_START_TIMEOUT to more seconds.",
            ) from None
        raise
    record = msgspec.structs.replace(record, notebook_id=notebook_id, state="ready")
    records.save(record)
    session = await _connect(client, settings, records, record, progress)
    progress("ready")
    return session


async def attach(
    client: AsyncClient, settings: Settings, records: Records, session_id: str, *, owner: str
) -> Session:
    """Take over a session that runs already.

    Args:
        client: Talks to the server; the session goes on using it.
        settings: Where it runs.
        records: Where it is recorded.
        session_id: The session.
        owner: Who takes it over, for the record.

    Raises:
        SessionGoneError: It has ended.
    """
    record = records.load(session_id) or Record(
        id=session_id, notebook_id=settings.notebook_id, base_url=settings.base_url
    )
    record = msgspec.structs.replace(record, owner=owner)
    try:
        await client.send(sessions.status(session_id, notebook_id=record.notebook_id))
    except NotFoundError:
        records.remove(session_id)
        raise SessionGoneError(
            f"The session {session_id} has ended.", "Run `%deepnote start` to start a new one."
        ) from None
    records.save(record)
    return await _connect(client, settings, records, record, progress)


async def _connect(
    client: AsyncClient, settings: Settings, records: Records, record: Record, progress: Progress
) -> Session:
    """Return the session's object: a live one, or a direct one where live does not work."""
    kind = LiveSession if settings.mode == "live" else DirectSession
    session = kind(
        client,
        settings,
        session_id=record.id,
        notebook_id=record.notebook_id,
        created_at=record.created_at,
    )
    if not isinstance(session, LiveSession):
        return session
    try:
        if record.relay:
            await session.reopen(record.relay.get("acknowledged", 0))
        else:
            await session.open()
    except UnsupportedError as error:
        progress(str(error))
        return await _connect(client, settings.replace(mode="direct"), records, record, progress)
    session.on_progress = lambda relay: records.save(msgspec.structs.replace(record, relay=relay))
    return session


def _check_notebook(settings: Settings) -> None:
    if settings.notebook_id or settings.is_local:
        return
    raise ConfigError(
        "No Deepnote notebook is named.",
        "Set DEEPNOTE_NOTEBOOK_ID, or run `%deepnote start NOTEBOOK_ID` (starting runs that "
        "notebook once) or `%deepnote start --scratch` for an empty one.",
    )


async def _anchor(client: AsyncClient, settings: Settings) -> str:
    if settings.notebook_id in {"", SCRATCH}:
        return await scratch.find_or_create(client, settings.project_id)
    return settings.notebook_id


async def _create_recorded(
    client: AsyncClient, settings: Settings, records: Records, pending: Record, progress: Progress
) -> tuple[CreatedSession, Record]:
    """Create the session; its record never has a gap."""
    records.save(pending)
    call = asyncio.ensure_future(_create(client, settings, pending.notebook_id, progress))
    is_cancelled = False
    try:
        try:
            created = await asyncio.shield(call)
        except asyncio.CancelledError:
            # The machine may be starting already. Its id is in the answer, so wait for that.
            is_cancelled = True
            created = await call
    except (APIStatusError, ConnectionFailedError, ConfigError) as error:
        # A server that failed in the middle of it may have started the session all the same.
        if not isinstance(error, ServerError):
            records.remove(pending.id)
        raise
    record = msgspec.structs.replace(pending, id=created.session.id)
    records.save(record)
    records.remove(pending.id)
    if is_cancelled:
        await _stop_quietly(client, records, record.id)
        raise asyncio.CancelledError
    return created, record


async def _create(
    client: AsyncClient, settings: Settings, notebook_id: str, progress: Progress
) -> CreatedSession:
    call = sessions.create(
        notebook_id,
        storage_mode=settings.storage_mode,
        idle_shutdown_s=settings.idle_shutdown_s or None,
    )
    try:
        return await client.send(call)
    except BadRequestError as error:
        # Its limits are not documented, nor that every workspace may set it.
        if not settings.idle_shutdown_s or "idleshutdown" not in error.server_message.lower():
            raise
        progress(f"no idle limit: {error.server_message}")
    return await client.send(sessions.create(notebook_id, storage_mode=settings.storage_mode))


async def _wait_until_ready(
    client: AsyncClient, created: CreatedSession, notebook_id: str, progress: Progress
) -> str:
    """Wait for the first run; return the notebook id that the session answers to."""
    status = await _wait_for_run(client, created.run.id, progress) if created.run else ""
    if status not in {"", "success"}:
        # A cell that raised does not make a session useless; a kernel that died does.
        progress(f"the notebook's first run ended with status {status}")
        await _check_kernel(client, created.session.id, notebook_id)
    try:
        await client.send(sessions.status(created.session.id, notebook_id=notebook_id))
    except NotFoundError:
        if created.session.session_notebook_id:
            return created.session.session_notebook_id
        raise
    return notebook_id


async def _wait_for_run(client: AsyncClient, run_id: str, progress: Progress) -> str:
    shown = "pending"
    for delay_s in delays(0.05, 2.0):
        try:
            run = await client.send(runs.get(run_id))
        except NotFoundError:
            return ""
        if run.is_finished:
            return run.status
        if run.status != shown:
            shown = run.status
            progress("running the notebook" if shown == "running" else shown)
        await asyncio.sleep(delay_s)
    raise AssertionError("the delays have no end")


async def _check_kernel(client: AsyncClient, session_id: str, notebook_id: str) -> None:
    call = sessions.execute(
        session_id, notebook_id=notebook_id, code="pass", timeout_ms=_CHECK_LIMIT_MS
    )

    async def check() -> None:
        for delay_s in delays(0.25, 5.0):
            try:
                await client.send(call)
            except ConflictError:
                await asyncio.sleep(delay_s)
            else:
                return

    try:
        await asyncio.wait_for(check(), _KERNEL_LIMIT_S)
    except asyncio.TimeoutError:
        raise SessionStartError(
            "The session's kernel did not come up.",
            "Run the notebook in Deepnote to see why, or start with `%deepnote start --scratch`.",
        ) from None


async def _stop_quietly(client: AsyncClient, records: Records, session_id: str) -> None:
    """Stop a session that is of no use; if that fails, its record remains."""
    try:
        with contextlib.suppress(NotFoundError):
            await asyncio.wait_for(client.send(sessions.stop(session_id)), _STOP_LIMIT_S)
        records.remove(session_id)
    except (DeepnoteError, asyncio.TimeoutError) as error:
        _log.warning("Session %s may still be running: %s", session_id, error)

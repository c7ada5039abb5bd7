"""The recorded sessions, whoever started them: how they are now, and how to end them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.api import sessions
from deepnote_kernel.config import LOCAL
from deepnote_kernel.errors import DeepnoteError, NotFoundError, SessionError
from deepnote_kernel.session.clients import client_for

if TYPE_CHECKING:
    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.record import Record, Records

__all__ = ["stop", "stop_all", "survey"]


async def survey(settings: Settings, records: Records) -> list[Record]:
    """Return the recorded sessions with their present state; those that ended are forgotten.

    Args:
        settings: Which server may be asked: a token never goes to another one.
        records: Where sessions are recorded.
    """
    found: list[Record] = []
    for record in records.all():
        try:
            state = await _state(settings, record)
        except NotFoundError:
            records.remove(record.id)
        except DeepnoteError:
            found.append(msgspec.structs.replace(record, state="unknown"))
        else:
            if state is None:
                records.remove(record.id)
            else:
                found.append(msgspec.structs.replace(record, state=state))
    return found


async def stop(settings: Settings, records: Records, session_id: str) -> None:
    """End a recorded session and forget it.

    Args:
        settings: Which server may be asked.
        records: Where sessions are recorded.
        session_id: The session, by its id in the record.

    Raises:
        SessionError: It is not recorded, or runs on a server that the settings do not name.
    """
    record = records.load(session_id)
    if record is None:
        raise SessionError(
            f"No session {session_id} is recorded here.", "`%deepnote sessions` lists them."
        )
    if not record.is_pending:
        client = await client_for(settings, record)
        if client is not None:
            async with client:
                with contextlib.suppress(NotFoundError):
                    await client.send(sessions.stop(record.id))
    records.remove(record.id)


async def stop_all(settings: Settings, records: Records) -> list[str]:
    """End every recorded session of the server the settings name; return their ids.

    Raises:
        SessionError: Some could not be ended; the others were.
    """
    stopped: list[str] = []
    failures: list[str] = []
    for record in records.all():
        if not _is_ours(settings, record):
            continue
        try:
            await stop(settings, records, record.id)
            stopped.append(record.id)
        except DeepnoteError as error:
            failures.append(f"{record.id}: {error.message}")
    if failures:
        raise SessionError(
            f"{len(failures)} of {len(failures) + len(stopped)} sessions were not stopped "
            f"({'; '.join(failures)}).",
            "Try again, or stop them in Deepnote.",
        )
    return stopped


async def _state(settings: Settings, record: Record) -> str | None:
    """Return how a session is; ``None`` where it ended with its server."""
    if record.is_pending or not _is_ours(settings, record):
        return record.state
    client = await client_for(settings, record)
    if client is None:
        return None
    async with client:
        call = sessions.status(record.id, notebook_id=record.notebook_id)
        status = await client.send(call)
    return status.kernel.status or status.session.status or record.state


def _is_ours(settings: Settings, record: Record) -> bool:
    return record.base_url in {LOCAL, settings.base_url}

"""The recorded sessions, whoever started them: how they are now, and how to end them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.api import sessions
from deepnote_kernel.api.models import Session
from deepnote_kernel.api.requests import is_loopback
from deepnote_kernel.config import LOCAL
from deepnote_kernel.errors import (
    ConnectionFailedError,
    DeepnoteError,
    NotFoundError,
    SessionError,
    UnknownNameError,
)
from deepnote_kernel.session import interruption
from deepnote_kernel.session.clients import client_for
from deepnote_kernel.session.record import Record

if TYPE_CHECKING:
    from deepnote_kernel.api import AsyncClient
    from deepnote_kernel.api.models import SessionStatus
    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.record import Records

__all__ = ["Seen", "find", "interrupt", "look", "stop", "stop_all", "survey"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded session as it was found."""

    record: Record
    """What is recorded, with the present state; ``unknown`` where the server gave no answer."""

    session: Session | None = None
    """What the server says of it; ``None`` where it was not asked or gave no answer."""

    error: DeepnoteError | None = None
    """Why there was no answer."""


async def survey(settings: Settings, records: Records) -> list[Record]:
    """Return the recorded sessions with their present state; those that ended are forgotten.

    Args:
        settings: Which server may be asked: a token never goes to another one.
        records: Where sessions are recorded.
    """
    found = [await look(settings, records, record) for record in records.all()]
    return [seen.record for seen in found if seen is not None]


async def look(settings: Settings, records: Records, record: Record) -> Seen | None:
    """Ask how a recorded session is; one that has ended is forgotten, and ``None``.

    Args:
        settings: Which server may be asked: a token never goes to another one.
        records: Where sessions are recorded.
        record: The session.
    """
    if record.is_pending or not _is_ours(settings, record):
        return Seen(record=record)
    try:
        status = await _status(settings, record)
    except NotFoundError:
        status = None
    except DeepnoteError as error:
        return Seen(record=msgspec.structs.replace(record, state="unknown"), error=error)
    if status is None:
        records.remove(record.id)
        return None
    state = status.kernel.status or status.session.status or record.state
    return Seen(record=msgspec.structs.replace(record, state=state), session=status.session)


async def interrupt(settings: Settings, records: Records, record: Record) -> None:
    """Interrupt what runs in a session that this process does not hold.

    Args:
        settings: Which server may be asked.
        records: Where sessions are recorded.
        record: The session, and the notebook whose cell runs.

    Raises:
        SessionError: Another process follows the cell, or the session runs on a server that the
            settings do not name.
        NotFoundError: It has ended.
    """
    if record.relay.get("cell") and records.is_used(record):
        raise SessionError(
            f"The cell is followed by {record.document or 'another program'}.",
            "Interrupt it there.",
        )
    client = None if record.is_pending else await client_for(settings, record)
    if client is not None:
        async with client:
            await interruption.interrupt(client, record)


def find(records: Records, session_id: str, notebook_id: str = "") -> Record:
    """Return the record of a session.

    Args:
        records: Where sessions are recorded.
        session_id: The session, by its id in the record.
        notebook_id: The notebook, where several share the session; empty for whichever came first.

    Raises:
        UnknownNameError: It is not recorded.
    """
    record = records.load(session_id, notebook_id)
    if record is None:
        raise UnknownNameError(
            f"No session {session_id} is recorded here.", "`%deepnote sessions` lists them."
        )
    return record


async def stop(settings: Settings, records: Records, session_id: str) -> None:
    """End a recorded session and forget it, also where it has ended already.

    Args:
        settings: Which server may be asked.
        records: Where sessions are recorded.
        session_id: The session, by its id in the record.

    Raises:
        UnknownNameError: It is not recorded.
        SessionError: It runs on a server that the settings do not name.
    """
    record = find(records, session_id)
    if not record.is_pending:
        client = await client_for(settings, record)
        if client is not None:
            async with client:
                await _end(client, record)
    records.remove(record.id)


async def _end(client: AsyncClient, record: Record) -> None:
    try:
        await client.send(sessions.stop(record.id))
    except NotFoundError:
        pass
    except ConnectionFailedError:
        # A server on this computer takes its sessions with it. Another one may come back.
        if not is_loopback(record.base_url):
            raise


async def stop_all(settings: Settings, records: Records) -> list[str]:
    """End every recorded session of the server the settings name; return their ids.

    Raises:
        SessionError: Some could not be ended; the others were.
    """
    stopped: list[str] = []
    failures: list[str] = []
    # A session that several notebooks share has a record for each.
    for session_id in dict.fromkeys(r.id for r in records.all() if _is_ours(settings, r)):
        try:
            await stop(settings, records, session_id)
            stopped.append(session_id)
        except DeepnoteError as error:
            failures.append(f"{session_id}: {error.message.rstrip('.')}")
    if failures:
        raise SessionError(
            f"{len(failures)} of {len(failures) + len(stopped)} sessions were not stopped "
            f"({'; '.join(failures)}).",
            "Try again, or stop them in Deepnote.",
        )
    return stopped


async def _status(settings: Settings, record: Record) -> SessionStatus | None:
    """Return how a session is; ``None`` where it ended with its server."""
    client = await client_for(settings, record)
    if client is None:
        return None
    async with client:
        return await client.send(sessions.status(record.id, notebook_id=record.notebook_id))


def _is_ours(settings: Settings, record: Record) -> bool:
    return record.base_url in {LOCAL, settings.base_url}

"""Interrupt a cell from outside: in a session that no process here holds."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import msgspec

from deepnote_kernel.api import sessions
from deepnote_kernel.errors import ConflictError
from deepnote_kernel.relay.near import MARK
from deepnote_kernel.session.waiting import delays

if TYPE_CHECKING:
    from deepnote_kernel.api import AsyncClient
    from deepnote_kernel.session.record import Record

__all__ = ["interrupt"]

_BUSY_LIMIT_S: Final = 10.0
_CALL_LIMIT_MS: Final = 10_000


async def interrupt(client: AsyncClient, record: Record) -> None:
    """Interrupt what runs in a recorded session. What it has put out is kept for who attaches.

    Args:
        client: Talks to the session's server.
        record: The session; a process that holds it loses it, and is to be asked instead.

    Raises:
        ConflictError: The session is busy with something else for too long.
        DeepnoteError: The server refused, or could not be reached.
    """
    interrupting = sessions.interrupt(record.id, notebook_id=record.notebook_id)
    await client.send(interrupting)
    if not record.relay.get("cell"):
        return
    # To the relay that was no more than a wake-up: the cell itself is interrupted by request.
    call = sessions.execute(
        record.id, notebook_id=record.notebook_id, code=_code(), timeout_ms=_CALL_LIMIT_MS
    )
    deadline = time.monotonic() + _BUSY_LIMIT_S
    for delay_s in delays(0.05, 1.0):
        try:
            await client.send(call)
            break
        except ConflictError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(delay_s)
    # It also ends the code's child processes, and wakes what waits in the system.
    await client.send(interrupting)


def _code() -> str:
    """Return the relay's call for it, which takes no frame away from the link that comes next."""
    client = uuid4().hex
    # Replies go by number: this one must not look like the reply to another link's request.
    request = {"id": int(client[:8], 16), "op": "interrupt"}
    call = {"client": client, "ack": 0, "requests": [request], "wait": 0, "max": 0, "via": "mime"}
    return f"{MARK}({msgspec.json.encode(call).decode()})"

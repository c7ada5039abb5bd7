"""Watch a notebook while a cell runs: which cells above it Strata runs first, and what they say."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from deepnote_kernel.strata.link import Link
    from deepnote_kernel.strata.socket import Frame

__all__ = ["Watcher"]

_SETTLE_S: Final = 0.5
_ENDED: Final = {"idle", "ready", "error", "stale"}


class Watcher:
    """Looks on over a socket of its own; where none can be had, it sees nothing.

    Args:
        link: The notebook.
    """

    def __init__(self, link: Link) -> None:
        self._socket = link.socket()
        self._reading: asyncio.Task[None] | None = None
        self._states: dict[str, str] = {}
        self._changed = asyncio.Event()
        self.running = ""
        """The cell that runs, as far as was seen."""

        self.outcomes: dict[str, dict[str, Any]] = {}
        """What the cells that ran came to, by their ids, in the order in which they ended."""

    async def __aenter__(self) -> Self:
        with contextlib.suppress(DeepnoteError):
            await self._socket.open()
            self._reading = asyncio.ensure_future(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        await self._socket.close()

    async def settle(self, cell_id: str) -> None:
        """Wait until the end of a cell has been seen too; the answer to its call may be faster."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._seen_ending(cell_id), _SETTLE_S)

    async def _seen_ending(self, cell_id: str) -> None:
        while self._reading is not None and self._states.get(cell_id) not in _ENDED:
            self._changed.clear()
            await self._changed.wait()

    async def _read(self) -> None:
        async for frame in self._socket:
            self._take(frame)
            self._changed.set()

    def _take(self, frame: Frame) -> None:
        cell_id = frame.payload.get("cell_id", "")
        if frame.type == "cell_status":
            state = str(frame.payload.get("status", ""))
            self._states[cell_id] = state
            if state == "running":
                self.running = cell_id
        elif frame.type in {"cell_output", "cell_error"}:
            self.outcomes[cell_id] = frame.payload

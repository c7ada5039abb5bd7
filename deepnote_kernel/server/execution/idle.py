"""End what nobody has used for a while."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["IdleTimer"]


class IdleTimer:
    """Calls ``end`` once nothing has happened for some time.

    Args:
        timeout_s: How long, in seconds.
        is_busy: Says whether something is in progress; that counts as use.
        end: Called once, in a task of its own.
    """

    def __init__(
        self, timeout_s: float, *, is_busy: Callable[[], bool], end: Callable[[], Awaitable[None]]
    ) -> None:
        self._timeout_s = timeout_s
        self._is_busy = is_busy
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._used_at = self._loop.time()
        self._task = self._loop.create_task(self._watch())

    @property
    def unused_s(self) -> float:
        """Seconds since the last use."""
        return self._loop.time() - self._used_at

    def touch(self) -> None:
        """Note that something happened."""
        self._used_at = self._loop.time()

    def cancel(self) -> None:
        """Stop watching; what ``end`` has begun is not undone."""
        if self._task is not asyncio.current_task():
            self._task.cancel()

    async def _watch(self) -> None:
        while (left := self._timeout_s - self.unused_s) > 0:
            await asyncio.sleep(left)
            if self._is_busy():
                self.touch()
        await self._end()

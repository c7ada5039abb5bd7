"""One asyncio loop in a thread of its own, and a way to hand events out of it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

__all__ = ["Inbox", "LoopThread"]

T = TypeVar("T")


class LoopThread:
    """An asyncio loop in a daemon thread, started when first needed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread has been started and not been closed."""
        return self._loop is not None

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Schedule a coroutine on the loop; callable from any thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._started())

    def close(self) -> None:
        """Cancel what runs on the loop and end the thread; a later submit starts a new one."""
        with self._guard:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                # A daemon, so that a process that forgets to close it can end all the same.
                self._thread = threading.Thread(
                    target=_run, args=[self._loop], name=self._name, daemon=True
                )
                self._thread.start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class Inbox(Generic[T]):
    """Carries items from any thread to one consumer on an asyncio loop.

    The loop is woken once for all that has arrived meanwhile, not once an item.

    Args:
        loop: The consumer's loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: deque[T] = deque()
        self._arrived = asyncio.Event()
        self._is_waking = False

    def put(self, item: T) -> None:
        """Add an item; callable from any thread."""
        self._items.append(item)
        if not self._is_waking:
            self._is_waking = True
            # A closed loop means that nobody is left to tell.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)

    async def get(self) -> T:
        """Return the next item, having waited for it if there was none."""
        while not self._items:
            await self._arrived.wait()
            self._arrived.clear()
        return self._items.popleft()

    def _wake(self) -> None:
        # First this, then the items: one that comes in between wakes the loop once more, for
        # nothing; the other way round it could be left lying.
        self._is_waking = False
        self._arrived.set()

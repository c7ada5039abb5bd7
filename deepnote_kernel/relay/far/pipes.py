"""Pipes: how text that C code and child processes write reaches the streams of ipykernel."""

from __future__ import annotations

import asyncio
import select
import time
from typing import Any

from .jobs import RETRY_S

DRAIN_S = 1.0
"""How long a cell's end may wait for what C code and child processes have written, in seconds."""


class Pipe:
    """Stands in for the file descriptor that ipykernel's thread reads a stream's pipe by.

    The thread reads, hands on what it has read, and reads again. As it asks for the descriptor each
    time, it is known here whether it still has something in hand.
    """

    def __init__(self, stream: Any) -> None:
        self.stream, self.fd = stream, stream._fid
        self.is_in_hand = False
        stream._fid = self

    def __index__(self) -> int:
        self.is_in_hand = False
        self.has_text(None)
        self.is_in_hand = True
        return int(self.fd)

    def has_text(self, timeout_ms: int | None) -> bool:
        """Wait for text to read, and tell whether there is some."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(timeout_ms))

    def is_busy(self) -> bool:
        """Tell whether text has been written that the stream does not have yet."""
        # In this order: what is read at this moment counts as in hand before the pipe is empty.
        return (self.has_text(0) or self.is_in_hand) and self.stream.watch_fd_thread.is_alive()

    def close(self) -> None:
        """Leave the stream as it was; the thread sees that after the text it waits for."""
        self.stream._fid = self.fd


class Pipes:
    """The pipes of those streams that have one."""

    def __init__(self, *streams: Any) -> None:
        self.pipes = [Pipe(stream) for stream in streams if getattr(stream, "_fid", None)]

    async def drain(self) -> None:
        """Wait, but not for ever, until the streams have all the text that was written."""
        until = time.monotonic() + DRAIN_S
        while any(pipe.is_busy() for pipe in self.pipes) and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(RETRY_S)

    def close(self) -> None:
        """Leave the streams as they were."""
        for pipe in self.pipes:
            pipe.close()

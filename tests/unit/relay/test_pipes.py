"""Text that is written below Python, on its way into a stream."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.relay.far.pipes import Pipes

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stream:
    """Reads its pipe in a thread, as ipykernel does; hands text on when it may."""

    def __init__(self) -> None:
        self._fid, self.end = os.pipe()
        self.may_write, self.has_read = threading.Event(), threading.Event()
        self.texts: list[bytes] = []
        self.watch_fd_thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while text := os.read(self._fid, 1000):
            self.has_read.set()
            self.may_write.wait()
            self.texts.append(text)


@pytest.fixture
def stream() -> Iterator[Stream]:
    """A stream whose pipe is open."""
    stream = Stream()
    yield stream
    stream.may_write.set()
    os.close(stream.end)
    stream.watch_fd_thread.join()
    os.close(int(stream._fid))


def test_text_that_a_thread_has_in_hand_is_waited_for(stream: Stream) -> None:
    """It is neither in the pipe nor in the stream."""
    pipes = Pipes(stream)
    stream.watch_fd_thread.start()
    os.write(stream.end, b"out")
    stream.has_read.wait()

    async def drain() -> None:
        asyncio.get_running_loop().call_later(0.05, stream.may_write.set)
        await pipes.drain()

    asyncio.run(drain())
    assert stream.texts == [b"out"]
    pipes.close()


def test_a_stream_that_reads_no_more_is_not_waited_for(stream: Stream) -> None:
    """Its thread has ended with the pipe, and never comes back for more."""
    pipes = Pipes(stream)
    assert not stream.watch_fd_thread.is_alive()
    os.write(stream.end, b"out")
    assert not pipes.pipes[0].is_busy()
    pipes.close()
    stream.watch_fd_thread.start()


def test_a_stream_without_a_pipe_is_left_alone() -> None:
    """There is none where ipykernel captures no file descriptors."""
    assert Pipes(object()).pipes == []

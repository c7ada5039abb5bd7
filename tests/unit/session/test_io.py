"""The loop in a thread, and the way out of it."""

from __future__ import annotations

import asyncio
import threading

from deepnote_kernel.session._io import Inbox, LoopThread

LIMIT_S = 10


async def thread_name() -> str:
    """Return which thread the loop runs in."""
    return threading.current_thread().name


def test_thread_starts_when_first_needed() -> None:
    """Making one costs nothing; submitting starts it."""
    io = LoopThread("io-test")
    was_running = io.is_running
    assert io.submit(thread_name()).result(LIMIT_S) == "io-test"
    assert (was_running, io.is_running) == (False, True)
    io.close()


def test_all_coroutines_share_one_loop() -> None:
    """What was started by one caller can be awaited by another."""
    io = LoopThread("io-test")

    async def loop_id() -> int:
        return id(asyncio.get_running_loop())

    assert io.submit(loop_id()).result(LIMIT_S) == io.submit(loop_id()).result(LIMIT_S)
    io.close()


def test_closing_cancels_what_runs() -> None:
    """Nothing is left half done without hearing of it."""
    io = LoopThread("io-test")
    started = threading.Event()
    cancelled = threading.Event()

    async def wait_for_ever() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    io.submit(wait_for_ever())
    assert started.wait(LIMIT_S)
    io.close()
    assert cancelled.is_set()


def test_closing_ends_the_thread() -> None:
    """A closed loop leaves no thread behind."""
    io = LoopThread("io-test")
    io.submit(thread_name()).result(LIMIT_S)
    io.close()
    assert "io-test" not in [thread.name for thread in threading.enumerate()]


def test_closing_what_never_ran_is_nothing() -> None:
    """Closing is safe at any time, and twice."""
    io = LoopThread("io-test")
    io.close()
    io.close()
    assert not io.is_running


def test_closed_thread_starts_again() -> None:
    """A kernel that was told to stop may be asked to run another cell."""
    io = LoopThread("io-test")
    io.submit(thread_name()).result(LIMIT_S)
    io.close()
    assert io.submit(thread_name()).result(LIMIT_S) == "io-test"
    io.close()


def test_inbox_keeps_order_across_threads() -> None:
    """Items put in another thread arrive in the order they were put, none lost."""
    count = 2000

    def put_all(inbox: Inbox[int]) -> None:
        for item in range(count):
            inbox.put(item)

    async def consume() -> list[int]:
        inbox: Inbox[int] = Inbox(asyncio.get_running_loop())
        threading.Thread(target=put_all, args=[inbox]).start()
        return [await inbox.get() for _ in range(count)]

    assert asyncio.run(asyncio.wait_for(consume(), LIMIT_S)) == list(range(count))


def test_inbox_wakes_its_consumer_again() -> None:
    """A consumer that has emptied the inbox hears of later items."""

    async def consume() -> list[str]:
        inbox: Inbox[str] = Inbox(asyncio.get_running_loop())
        inbox.put("first")
        first = await inbox.get()
        asyncio.get_running_loop().call_soon(inbox.put, "second")
        return [first, await inbox.get()]

    assert asyncio.run(asyncio.wait_for(consume(), LIMIT_S)) == ["first", "second"]


def test_putting_into_an_abandoned_inbox_is_harmless() -> None:
    """A cell may end after its notebook has gone."""
    loop = asyncio.new_event_loop()
    inbox: Inbox[str] = Inbox(loop)
    loop.close()
    inbox.put("nobody hears this")
    assert loop.is_closed()

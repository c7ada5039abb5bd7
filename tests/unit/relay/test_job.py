"""Jobs of the far half: code that is left at any moment, gone on with, and interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import signal
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import greenlet
import pytest

from deepnote_kernel.relay.far.jobs import LEAVE, Job, Watcher
from deepnote_kernel.relay.far.relay import Relay
from tests.unit.relay.guest_code import log, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import FrameType


class Host:
    """A relay in a process without a kernel: its jobs run on a loop, and no call ever comes."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        kernel = SimpleNamespace(set_parent=lambda _ident, _parent: None)
        asyncio.set_event_loop(self.loop)
        self.relay = Relay(SimpleNamespace(kernel=kernel, starting_dir="."))
        self.relay.watcher = Watcher(self.relay)
        self.relay.watcher.start()
        self.heard = 0
        """How often the code was asked to give the loop a turn."""

    def on_leave(self, signum: int, frame: FrameType | None) -> None:
        """Count, and leave."""
        self.heard += 1
        self.relay.on_leave(signum, frame)

    def run(
        self,
        work: Callable[[], Awaitable[object]],
        meanwhile: Callable[[Job, asyncio.Task[Any]], object] = lambda _job, _task: None,
        context: contextvars.Context | None = None,
    ) -> Any:
        """Run a job to its end; ``meanwhile`` is called by the loop as soon as it has a turn."""

        async def main() -> Any:
            async def returns(_request: object, _job: object) -> dict[str, Any]:
                return {"returned": await work()}

            own_context = context or contextvars.copy_context()
            job = Job(self.relay, returns, {}, {}, own_context)
            task = asyncio.ensure_future(await_job(job))
            self.loop.call_later(0.01, meanwhile, job, task)
            content, error = await task
            if error:
                raise error
            return content["returned"]

        return self.loop.run_until_complete(main())


async def await_job(job: Job) -> tuple[Any, BaseException | None]:
    """Await a job, as the relay does, in a task of its own that no error may leave."""
    try:
        return await job, None
    except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt would end the loop
        return None, error


@pytest.fixture(scope="module")
def process() -> Iterator[Host]:
    """A host, and a loop that is closed in the end."""
    host = Host()
    yield host
    host.loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def host(process: Host) -> Iterator[Host]:
    """A host that gets the signals of this process."""
    process.heard = 0
    handlers = {LEAVE: process.on_leave, signal.SIGINT: process.relay.on_sigint}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield process
    for number, handler in before.items():
        signal.signal(number, handler)


def test_job_returns_what_its_work_returns(host: Host) -> None:
    """Work that awaits nothing is done in one step."""

    async def work() -> int:
        return 42

    assert host.run(work) == 42


def test_job_raises_what_its_work_raises(host: Host) -> None:
    """The exception is the work's own, not a copy."""
    error = ValueError("x")

    async def work() -> None:
        raise error

    with pytest.raises(ValueError, match="x") as raised:
        host.run(work)
    assert raised.value is error


def test_work_may_await(host: Host) -> None:
    """Futures and sleeps are the loop's, and their exceptions reach the code that awaits."""

    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError

    async def work() -> str:
        await asyncio.sleep(0.001)
        try:
            await asyncio.ensure_future(fail())
        except KeyError:
            return "caught"
        return "missed"

    assert host.run(work) == "caught"


def test_loop_gets_turns_while_code_runs(host: Host) -> None:
    """A loop without an end in the code is left for what the event loop has to do."""
    turns: list[str] = []

    async def work() -> str:
        until(lambda: turns)
        return "done"

    assert host.run(work, lambda _job, _task: turns.append("turn")) == "done"


def test_loop_gets_turns_while_code_waits_for_a_thread(host: Host) -> None:
    """Code that waits for what only the loop can do is no deadlock."""
    event = threading.Event()

    async def work() -> bool:
        return event.wait(10)

    assert host.run(work, lambda _job, _task: event.set())


def test_code_is_left_inside_its_own_greenlets(host: Host) -> None:
    """A library that switches stacks itself goes on in the one it was in."""
    turns: list[str] = []

    def inner() -> str:
        until(lambda: turns)
        return "inner"

    async def work() -> str:
        return str(greenlet.greenlet(inner).switch()) + " and outer"

    assert host.run(work, lambda _job, _task: turns.append("turn")) == "inner and outer"


def test_code_is_not_left_while_it_logs(host: Host) -> None:
    """The loop waits as long as the code is inside a log call, and gets its turn right after."""
    turns: list[str] = []

    def handle() -> None:
        until(lambda: host.heard >= 5)
        turns.append("logged")

    async def work() -> None:
        log(handle)
        until(lambda: len(turns) == 2)

    host.run(work, lambda _job, _task: turns.append("turn"))
    assert turns == ["logged", "turn"]


def test_code_keeps_its_context(host: Host) -> None:
    """Context variables are the same before and after a turn of the loop, and outlive the job."""
    variable = contextvars.ContextVar("variable", default=0)
    turns: list[int] = []
    context = contextvars.copy_context()

    async def work() -> int:
        variable.set(1)
        until(lambda: turns)
        await asyncio.sleep(0)
        return variable.get()

    assert host.run(work, lambda _job, _task: turns.append(variable.get()), context) == 1
    assert turns == [0]
    assert context[variable] == 1


# Interrupts


def interrupt(job: Job, _task: object) -> None:
    """Do what an interrupt request does."""
    job.interrupt()


async def loop_for_ever() -> None:
    """Keep the processor busy."""
    until(lambda: False)


async def await_for_ever() -> None:
    """Wait for an event of the loop's."""
    await asyncio.Event().wait()


async def wait_for_ever() -> None:
    """Wait for another thread."""
    threading.Event().wait(10)


FOR_EVER = [loop_for_ever, await_for_ever, wait_for_ever]


@pytest.mark.parametrize("work", FOR_EVER)
def test_interrupt_ends_code(work: Callable[[], Awaitable[object]], host: Host) -> None:
    """Wherever it is: in a loop, at an ``await``, inside threading."""
    with pytest.raises(KeyboardInterrupt):
        host.run(work, interrupt)


def test_interrupt_ends_a_wait_of_plain_code(host: Host) -> None:
    """``input()`` waits for a future of the loop without being a coroutine."""
    jobs: list[Job] = []

    async def work() -> str:
        until(lambda: jobs)
        try:
            jobs[0].wait(host.loop.create_future())
        except KeyboardInterrupt:
            return "interrupted"
        return "answered"

    def meanwhile(job: Job, _task: object) -> None:
        jobs.append(job)
        host.loop.call_later(0.01, job.interrupt)

    assert host.run(work, meanwhile) == "interrupted"


def test_plain_code_may_wait_for_a_future(host: Host) -> None:
    """It gets the future's result, at once where there is one."""
    jobs: list[Job] = []
    future = host.loop.create_future()

    async def work() -> list[str]:
        until(lambda: jobs)
        return [jobs[0].wait(future), jobs[0].wait(future)]

    def meanwhile(job: Job, _task: object) -> None:
        jobs.append(job)
        host.loop.call_later(0.01, future.set_result, "you")

    assert host.run(work, meanwhile) == ["you", "you"]


@pytest.mark.parametrize("work", FOR_EVER)
def test_code_may_go_on_after_an_interrupt(
    work: Callable[[], Awaitable[object]], host: Host
) -> None:
    """Code that catches the first one is ended by the second, and no third one is left over."""

    async def stubborn() -> str:
        with contextlib.suppress(KeyboardInterrupt):
            await work()
        try:
            await work()
        except KeyboardInterrupt:
            await asyncio.sleep(0.01)
            return "gave in"
        return "went on"

    def meanwhile(job: Job, task: object) -> None:
        interrupt(job, task)
        host.loop.call_later(0.05, job.interrupt)

    assert host.run(stubborn, meanwhile) == "gave in"


def test_interrupt_goes_to_the_code_s_own_handler(host: Host) -> None:
    """A cell that sets a handler for SIGINT gets it called, and nobody else's work does."""
    got: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    async def work() -> None:
        signal.signal(signal.SIGINT, lambda signum, _frame: got.append(signum))
        until(lambda: got)

    host.run(work, interrupt)
    assert got == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) == before


def test_signal_of_a_server_interrupts_nothing(host: Host) -> None:
    """SIGINT alone, as a server sends it to code that runs late, gives the loop a turn at most."""
    turns: list[str] = []

    async def work() -> str:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0.001)
        signal.raise_signal(signal.SIGINT)
        until(lambda: turns)
        return "done"

    assert host.run(work, lambda _job, _task: turns.append("turn")) == "done"


def test_cancelled_task_hears_of_it_where_it_awaits(host: Host) -> None:
    """A cancellation that comes while the code was left in the middle is not lost."""
    turns: list[str] = []

    async def work() -> None:
        until(lambda: turns)
        turns.append("went on")
        await asyncio.sleep(10)

    def meanwhile(_job: Job, task: asyncio.Task[Any]) -> None:
        turns.append("cancelled")
        task.cancel()

    with pytest.raises(asyncio.CancelledError):
        host.run(work, meanwhile)
    assert turns == ["cancelled", "went on"]

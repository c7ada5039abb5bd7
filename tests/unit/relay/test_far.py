"""The far half, piece by piece: frames kept in order, and code that can be left at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import json
import logging
import queue
import signal
import sys
import threading
import time
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import greenlet
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from ipykernel import iostream

from deepnote_kernel.relay import far
from deepnote_kernel.relay.near import Frame

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import FrameType


NO_LIMIT = 1 << 40


# Frames


def plain(text: bytes) -> Callable[[int], bytes]:
    """Return what encodes a frame as the text itself, whatever its number."""
    return lambda _number: text


def numbered(number: int) -> bytes:
    """Encode a frame as its number."""
    return str(number).encode()


@pytest.fixture
def outbox() -> far.Outbox:
    """An outbox with three frames."""
    outbox = far.Outbox()
    for _ in range(3):
        outbox.add(numbered)
    return outbox


def test_frames_are_numbered_from_one(outbox: far.Outbox) -> None:
    """The number a frame is encoded with is its place."""
    assert outbox.take(NO_LIMIT) == [b"1", b"2", b"3"]
    assert outbox.last == 3


def test_frames_are_kept_until_acknowledged(outbox: far.Outbox) -> None:
    """Taking changes nothing; acknowledging forgets, and what is unknown is no harm."""
    outbox.acknowledge(2)
    assert outbox.take(NO_LIMIT) == outbox.take(NO_LIMIT) == [b"3"]
    outbox.acknowledge(1)
    assert outbox.take(NO_LIMIT) == [b"3"]
    outbox.acknowledge(99)
    assert outbox.take(NO_LIMIT) == []
    outbox.add(numbered)
    assert outbox.take(NO_LIMIT) == [b"4"]


@pytest.mark.parametrize(("limit", "count"), [(0, 1), (1, 1), (2, 2), (3, 3), (99, 3)])
def test_answer_takes_what_fits_but_one_at_least(
    outbox: far.Outbox, limit: int, count: int
) -> None:
    """A frame larger than any answer travels alone."""
    assert len(outbox.take(limit)) == count


def test_frame_is_json_with_its_content_passed_through() -> None:
    """What the near half reads is what was put in; content is copied, not parsed."""
    text = far.encode_frame(
        7, "cell", "comm_msg", b'{"data":  {"\xc3\xa9": 1}}', b'{"m": 2}', [b"\0"]
    )
    assert msgspec.json.decode(text, type=Frame) == Frame(
        7, "comm_msg", "cell", {"data": {"é": 1}}, {"m": 2}, [b"\0"]
    )
    assert b'{"data":  {"\xc3\xa9": 1}}' in text


@given(
    parent=st.text(max_size=9),
    msg_type=st.text(max_size=9),
    content=st.dictionaries(st.text(max_size=5), st.text() | st.none() | st.lists(st.integers())),
    buffers=st.lists(st.binary(max_size=50), max_size=3),
)
def test_any_frame_is_read_as_it_was_written(
    parent: str, msg_type: str, content: dict[str, Any], buffers: list[bytes]
) -> None:
    """Names, content and buffers survive whatever they hold."""
    text = far.encode_frame(1, parent, msg_type, json.dumps(content).encode(), buffers=buffers)
    frame = json.loads(text)
    read = msgspec.convert({**frame, "content": {}}, Frame)
    assert (read.parent, read.type, read.buffers) == (parent, msg_type, buffers)
    assert frame["content"] == content


def test_frames_beyond_memory_wait_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """They come back in order, also between frames that are in memory; the file goes when empty."""
    monkeypatch.setattr(far, "MEMORY_BYTES", 100)
    outbox = far.Outbox()
    texts = [bytes([number]) * 40 for number in range(6)]
    for text in texts[:4]:
        outbox.add(plain(text))
    file = outbox.spill
    assert outbox.take(NO_LIMIT) == texts[:4]
    outbox.acknowledge(3)
    for text in texts[4:]:
        outbox.add(plain(text))
    assert outbox.take(NO_LIMIT) == texts[3:]
    outbox.acknowledge(6)
    assert file.closed
    assert outbox.spill is None


def test_note_stands_for_dropped_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run of dropped outputs leaves one line on stderr; replies are kept whatever size."""
    monkeypatch.setattr(far, "HELD_BYTES", 1 << 20)
    outbox = far.Outbox()
    large = plain(b"x" * (1 << 20))
    for encode, is_urgent in [(plain(b"a"), False), *[(large, False)] * 3, (large, True)]:
        outbox.add(encode, is_urgent)
    first, note, reply = outbox.take(NO_LIMIT)
    assert (first, reply) == (b"a", large(0))
    frame = msgspec.json.decode(note, type=Frame)
    assert (frame.n, frame.type, frame.content["name"]) == (2, "stream", "stderr")
    assert "dropped" in frame.content["text"]
    outbox.acknowledge(3)
    outbox.add(large)
    outbox.add(large)
    assert b"dropped" in outbox.take(NO_LIMIT)[1]


@settings(stateful_step_count=30)
class Outboxes(RuleBasedStateMachine):
    """Any use of an outbox, beside a list that remembers what should be in it."""

    @initialize()
    def start(self) -> None:
        """Begin with an empty one whose limits are soon reached."""
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(far, "MEMORY_BYTES", 1000)
        self.patch.setattr(far, "HELD_BYTES", 5000)
        self.outbox = far.Outbox()
        self.kept: list[tuple[int, bytes]] = []
        self.last = 0
        self.is_gap = False

    def teardown(self) -> None:
        """Give the file and the limits back."""
        self.outbox.acknowledge(self.last)
        self.patch.undo()

    @rule(size=st.integers(1, 3000), is_urgent=st.booleans())
    def add(self, size: int, is_urgent: bool) -> None:  # noqa: FBT001 - as hypothesis passes it
        """Add a frame: it is kept, or a note is, or nothing."""
        text = b"%d:" % (self.last + 1) + b"." * size
        fits = sum(len(kept) for _, kept in self.kept) + len(text) <= 5000
        self.outbox.add(plain(text), is_urgent)
        if is_urgent or fits:
            self.last += 1
            self.kept.append((self.last, text))
            self.is_gap = self.is_gap and is_urgent
        elif not self.is_gap:
            self.last += 1
            self.kept.append((self.last, self.outbox.take(NO_LIMIT)[-1]))
            assert b"dropped" in self.kept[-1][1]
            self.is_gap = True

    @rule(back=st.integers(-2, 5))
    def acknowledge(self, back: int) -> None:
        """Acknowledge all but the last few, or more than there are."""
        self.outbox.acknowledge(self.last - back)
        self.kept = [(number, text) for number, text in self.kept if number > self.last - back]

    @rule(limit=st.integers(0, 6000))
    def take(self, limit: int) -> None:
        """Take what fits."""
        taken = self.outbox.take(limit)
        texts = [text for _, text in self.kept]
        assert taken == texts[: len(taken)]
        size = len(b"".join(taken))
        assert size <= limit or len(taken) == 1
        more = texts[len(taken) : len(taken) + 1]
        assert not more or (taken and size + len(more[0]) > limit)

    @invariant()
    def is_whole(self) -> None:
        """All that was not acknowledged is there, in order, and counted."""
        if hasattr(self, "outbox"):
            assert self.outbox.take(NO_LIMIT) == [text for _, text in self.kept]
            assert self.outbox.held == sum(len(text) for _, text in self.kept)
            assert self.outbox.last == self.last


TestOutboxes = Outboxes.TestCase


# Where code may be left


def verdicts(call: Callable[[], object], *, inside: str) -> set[bool]:
    """Call something and tell whether the code may be left where it enters a module's functions."""
    found: set[bool] = set()

    def judge(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith(inside):
            found.add(far.is_safe_to_leave(frame))

    sys.setprofile(judge)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found


class Handler(logging.Handler):
    """Hands log records to a function."""

    def __init__(self, handle: Callable[[], object]) -> None:
        super().__init__()
        self._handle = handle

    def emit(self, _record: logging.LogRecord) -> None:
        """Call it."""
        self._handle()


def log(handle: Callable[[], object] = lambda: json.dumps([1], indent=1)) -> None:
    """Log a line, which something has to handle."""
    handler = Handler(handle)
    handler.handle(logging.makeLogRecord({"msg": "x"}))


def notify() -> None:
    """Wake whoever waits for a condition."""
    condition = threading.Condition()
    with condition:
        condition.notify_all()


def write() -> None:
    """Ask ipykernel's stream something."""
    stream: Any = iostream.OutStream.__new__(iostream.OutStream)
    stream.writable()


def import_anew() -> None:
    """Import a small module as if for the first time."""
    sys.modules.pop("colorsys", None)
    importlib.import_module("colorsys")


def add_frame() -> None:
    """Add a frame."""
    far.Outbox().add(lambda number: far.encode_frame(number, "", "stream", b"{}"))


@pytest.mark.parametrize(
    ("call", "inside"),
    [
        (log, "logging"),
        (log, "json"),
        (notify, "threading"),
        (write, "ipykernel.iostream"),
        (import_anew, "importlib._bootstrap"),
        (lambda: queue.Queue[int]().put(1), "queue"),
        (lambda: far.dumps(1), far.__name__),
        (add_frame, "json"),
    ],
)
def test_code_that_holds_a_lock_is_not_left(call: Callable[[], object], inside: str) -> None:
    """The loop may want the same lock: of a log, a stream, a queue, an import, the outbox."""
    assert verdicts(call, inside=inside) == {False}


@pytest.mark.parametrize(
    ("call", "inside"),
    [
        (lambda: json.dumps({"a": 1}, indent=1), "json"),
        (import_anew, "colorsys"),
        (lambda: asyncio.run(asyncio.sleep(0)), "asyncio"),
    ],
)
def test_other_code_is_left_anywhere(call: Callable[[], object], inside: str) -> None:
    """A library's code, also that of a module while it is imported, is like a cell's."""
    assert verdicts(call, inside=inside) == {True}


def waits() -> Iterator[tuple[Callable[[], object], Callable[[], object]]]:
    """Yield ways to wait for another thread, and what ends the wait."""
    event = threading.Event()
    yield event.wait, event.set
    items: queue.Queue[int] = queue.Queue()
    yield items.get, lambda: items.put(1)
    semaphore = threading.Semaphore(0)
    yield semaphore.acquire, semaphore.release
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    yield thread.join, ended.set


def is_left(thread: threading.Thread) -> bool:
    """Tell whether a thread's code may be left where it is now."""
    return far.is_safe_to_leave(sys._current_frames()[thread.ident or 0])


def test_code_that_waits_for_a_thread_may_be_left() -> None:
    """Who waits inside threading has let go of the lock, and would keep the loop from its work."""
    for wait, end in waits():
        thread = threading.Thread(target=wait)
        thread.start()
        try:
            until(partial(is_left, thread))
        finally:
            end()
            thread.join()


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so, but not for ever."""
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline, "it never was"


# Code that is left and gone on with


class Host:
    """A relay in a process without a kernel: its jobs run on a loop, and no call ever comes."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        kernel = SimpleNamespace(set_parent=lambda _ident, _parent: None)
        asyncio.set_event_loop(self.loop)
        self.relay = far.Relay(SimpleNamespace(kernel=kernel))
        self.relay.watcher = far.Watcher(self.relay)
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
        meanwhile: Callable[[far.Job, asyncio.Task[Any]], object] = lambda _job, _task: None,
        context: contextvars.Context | None = None,
    ) -> Any:
        """Run a job to its end; ``meanwhile`` is called by the loop as soon as it has a turn."""

        async def main() -> Any:
            async def returns(_request: object, _job: object) -> dict[str, Any]:
                return {"returned": await work()}

            own_context = context or contextvars.copy_context()
            job = far.Job(self.relay, returns, {}, {}, own_context)
            task = asyncio.ensure_future(await_job(job))
            self.loop.call_later(0.01, meanwhile, job, task)
            content, error = await task
            if error:
                raise error
            return content["returned"]

        return self.loop.run_until_complete(main())


async def await_job(job: far.Job) -> tuple[Any, BaseException | None]:
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
    handlers = {far.LEAVE: process.on_leave, signal.SIGINT: process.relay.on_sigint}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield process
    for number, handler in before.items():
        signal.signal(number, handler)


def spin(is_so: Callable[[], object]) -> None:
    """Keep the processor busy until something is so."""
    until(is_so)


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
        spin(lambda: turns)
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
        spin(lambda: turns)
        return "inner"

    async def work() -> str:
        return str(greenlet.greenlet(inner).switch()) + " and outer"

    assert host.run(work, lambda _job, _task: turns.append("turn")) == "inner and outer"


def test_code_is_not_left_while_it_logs(host: Host) -> None:
    """The loop waits as long as the code is inside a log call, and gets its turn right after."""
    turns: list[str] = []

    def handle() -> None:
        spin(lambda: host.heard >= 5)
        turns.append("logged")

    async def work() -> None:
        log(handle)
        spin(lambda: len(turns) == 2)

    host.run(work, lambda _job, _task: turns.append("turn"))
    assert turns == ["logged", "turn"]


def test_code_keeps_its_context(host: Host) -> None:
    """Context variables are the same before and after a turn of the loop, and outlive the job."""
    variable = contextvars.ContextVar("variable", default=0)
    turns: list[int] = []
    context = contextvars.copy_context()

    async def work() -> int:
        variable.set(1)
        spin(lambda: turns)
        await asyncio.sleep(0)
        return variable.get()

    assert host.run(work, lambda _job, _task: turns.append(variable.get()), context) == 1
    assert turns == [0]
    assert context[variable] == 1


# Interrupts


def interrupt(job: far.Job, _task: object) -> None:
    """Do what an interrupt request does."""
    job.interrupt()


async def loop_for_ever() -> None:
    """Keep the processor busy."""
    spin(lambda: False)


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
    jobs: list[far.Job] = []

    async def work() -> str:
        spin(lambda: jobs)
        try:
            jobs[0].wait(host.loop.create_future())
        except KeyboardInterrupt:
            return "interrupted"
        return "answered"

    def meanwhile(job: far.Job, _task: object) -> None:
        jobs.append(job)
        host.loop.call_later(0.01, job.interrupt)

    assert host.run(work, meanwhile) == "interrupted"


def test_plain_code_may_wait_for_a_future(host: Host) -> None:
    """It gets the future's result, at once where there is one."""
    jobs: list[far.Job] = []
    future = host.loop.create_future()

    async def work() -> list[str]:
        spin(lambda: jobs)
        return [jobs[0].wait(future), jobs[0].wait(future)]

    def meanwhile(job: far.Job, _task: object) -> None:
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

    def meanwhile(job: far.Job, task: object) -> None:
        interrupt(job, task)
        host.loop.call_later(0.05, job.interrupt)

    assert host.run(stubborn, meanwhile) == "gave in"


def test_interrupt_goes_to_the_code_s_own_handler(host: Host) -> None:
    """A cell that sets a handler for SIGINT gets it called, and nobody else's work does."""
    got: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    async def work() -> None:
        signal.signal(signal.SIGINT, lambda signum, _frame: got.append(signum))
        spin(lambda: got)

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
        spin(lambda: turns)
        return "done"

    assert host.run(work, lambda _job, _task: turns.append("turn")) == "done"


def test_cancelled_task_hears_of_it_where_it_awaits(host: Host) -> None:
    """A cancellation that comes while the code was left in the middle is not lost."""
    turns: list[str] = []

    async def work() -> None:
        spin(lambda: turns)
        turns.append("went on")
        await asyncio.sleep(10)

    def meanwhile(_job: far.Job, task: asyncio.Task[Any]) -> None:
        turns.append("cancelled")
        task.cancel()

    with pytest.raises(asyncio.CancelledError):
        host.run(work, meanwhile)
    assert turns == ["cancelled", "went on"]

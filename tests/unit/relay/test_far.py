"""The far half's parts: frames kept in order, and where code may be left."""

from __future__ import annotations

import asyncio
import importlib
import json
import queue
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from ipykernel import iostream

from deepnote_kernel.relay.far import frames, jobs
from deepnote_kernel.relay.near import Frame
from tests.unit.relay.guest_code import log, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
def outbox() -> frames.Outbox:
    """An outbox with three frames."""
    outbox = frames.Outbox()
    for _ in range(3):
        outbox.add(numbered)
    return outbox


def test_frames_are_numbered_from_one(outbox: frames.Outbox) -> None:
    """The number a frame is encoded with is its place."""
    assert outbox.take(NO_LIMIT) == [b"1", b"2", b"3"]
    assert outbox.last == 3


def test_frames_are_kept_until_acknowledged(outbox: frames.Outbox) -> None:
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
    outbox: frames.Outbox, limit: int, count: int
) -> None:
    """A frame larger than any answer travels alone."""
    assert len(outbox.take(limit)) == count


def test_frame_is_json_with_its_content_passed_through() -> None:
    """What the near half reads is what was put in; content is copied, not parsed."""
    text = frames.encode_frame(
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
    text = frames.encode_frame(1, parent, msg_type, json.dumps(content).encode(), buffers=buffers)
    frame = json.loads(text)
    read = msgspec.convert({**frame, "content": {}}, Frame)
    assert (read.parent, read.type, read.buffers) == (parent, msg_type, buffers)
    assert frame["content"] == content


def test_frames_beyond_memory_wait_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """They come back in order, also between frames that are in memory; the file goes when empty."""
    monkeypatch.setattr(frames, "MEMORY_BYTES", 100)
    outbox = frames.Outbox()
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
    monkeypatch.setattr(frames, "HELD_BYTES", 1 << 20)
    outbox = frames.Outbox()
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
        self.patch.setattr(frames, "MEMORY_BYTES", 1000)
        self.patch.setattr(frames, "HELD_BYTES", 5000)
        self.outbox = frames.Outbox()
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
            found.add(jobs.is_safe_to_leave(frame))

    sys.setprofile(judge)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found


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
    frames.Outbox().add(lambda number: frames.encode_frame(number, "", "stream", b"{}"))


@pytest.mark.parametrize(
    ("call", "inside"),
    [
        (log, "logging"),
        (log, "json"),
        (notify, "threading"),
        (write, "ipykernel.iostream"),
        (import_anew, "importlib._bootstrap"),
        (lambda: queue.Queue[int]().put(1), "queue"),
        (lambda: frames.dumps(1), frames.__name__),
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
    return jobs.is_safe_to_leave(sys._current_frames()[thread.ident or 0])


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

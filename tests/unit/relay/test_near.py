"""The near half's parts: how often it polls, what it reads, how it installs the far half."""

from __future__ import annotations

import sys
import types
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnote_kernel.errors import ResponseFormatError
from deepnote_kernel.relay.near import MARK, Answer, Budget, Frame, installer
from deepnote_kernel.relay.near.answers import read_answer
from tests.unit.relay.far_side import (
    NO_RELAY,
    display,
    printed,
)

JSON = dict[str, Any]


# The budget


class Polling:
    """A budget, and a clock that it moves on by itself."""

    def __init__(self, calls_per_minute: int) -> None:
        self.now_s = 0.0
        self.budget = Budget(calls_per_minute, clock=lambda: self.now_s)

    def poll(self, work_s: list[float]) -> list[float]:
        """Poll as a link does, each answer followed by so many seconds of work; return when."""
        times_s = []
        for seconds in work_s:
            self.now_s += self.budget.pause_s()
            times_s.append(self.now_s)
            self.budget.spend()
            self.now_s += seconds
        return times_s


@given(
    calls_per_minute=st.integers(1, 300),
    work_s=st.lists(st.floats(0, 50), max_size=50),
)
def test_no_minute_sees_more_polls_than_allowed(calls_per_minute: int, work_s: list[float]) -> None:
    """In any sixty seconds there are at most ``calls_per_minute``, however answers come."""
    times_s = Polling(calls_per_minute).poll(work_s + [0.0] * 400)
    for first in range(len(times_s) - calls_per_minute):
        assert times_s[first + calls_per_minute] - times_s[first] >= 60 - 1e-6


@given(calls_per_minute=st.integers(3, 300))
def test_polling_gets_slower_and_settles_at_a_steady_rate(calls_per_minute: int) -> None:
    """The first look costs no wait, each later one at least the wait before it."""
    times_s = Polling(calls_per_minute).poll([0.0] * 1000)
    pauses_s = [after - before for before, after in pairwise(times_s)]
    assert times_s[0] == 0
    assert all(after >= before - 1e-6 for before, after in pairwise(pauses_s))
    assert pauses_s[-1] == pytest.approx(90 / calls_per_minute, rel=0.001)


def test_calls_that_cannot_wait_leave_no_debt() -> None:
    """After hundreds of short cells, output is still looked for at the steady rate."""
    polling = Polling(60)
    for _ in range(500):
        polling.budget.spend()
    assert polling.budget.pause_s() == pytest.approx(1.5)


def test_rest_gives_quick_polls_back() -> None:
    """After a minute without calls, the first look is immediate again."""
    polling = Polling(60)
    polling.poll([0.0] * 100)
    polling.now_s += 60
    assert polling.budget.pause_s() == 0


# Reading an answer

ANSWER = {"seen": 3, "last": 7, "cell": "c1", "frames": [{"n": 7, "type": "stream"}]}
READ = Answer(seen=3, last=7, cell="c1", frames=[Frame(7, "stream")])


LINE = MARK + msgspec.json.encode(ANSWER).decode() + "\n"


def test_answer_is_told_from_other_outputs() -> None:
    """A display of the relay's MIME type is the answer; all else is returned in order."""
    assert read_answer([printed("a"), display(ANSWER), printed("b")]) == (
        READ,
        [printed("a"), printed("b")],
    )


def test_answer_may_be_a_marked_line() -> None:
    """Text around the line, in the same output, stays: a server joins what is printed in a row."""
    assert read_answer([printed(f"before\n{LINE}after\n")]) == (
        READ,
        [printed("before\n"), printed("after\n")],
    )


def test_marked_line_may_come_as_a_list_of_lines() -> None:
    """The notebook format allows text in pieces."""
    assert read_answer([printed(["before\n", LINE, "after\n"])]) == (
        READ,
        [printed("before\n"), printed("after\n")],
    )


def test_outputs_without_an_answer_are_all_returned() -> None:
    """There need not be an answer: of a kernel without a relay, say."""
    assert read_answer([printed(["a", "b"]), NO_RELAY]) == (None, [printed(["a", "b"]), NO_RELAY])


@pytest.mark.parametrize(
    "output",
    [display("what?"), display({"seen": "x"}), display([]), printed(MARK), printed(MARK + "{\n")],
    ids=repr,
)
def test_garbled_answer_is_an_error(output: JSON) -> None:
    """An answer that cannot be read is no answer, and no other output either."""
    with pytest.raises(ResponseFormatError, match="relay's answer cannot be read"):
        read_answer([output])


frames = st.builds(
    Frame,
    n=st.integers(1, 2**53),
    type=st.sampled_from(["stream", "display_data", "comm_msg"]),
    parent=st.text(max_size=5),
    content=st.dictionaries(st.text(max_size=5), st.text() | st.integers(-(2**53), 2**53)),
    buffers=st.lists(st.binary(max_size=20), max_size=2),
)
answers = st.builds(
    Answer,
    seen=st.integers(0, 2**53),
    cell=st.text(max_size=5),
    background=st.booleans(),
    frames=st.lists(frames, max_size=3),
)
texts = st.text().filter(lambda text: MARK not in text)


@given(answer=answers, before=texts, after=texts)
def test_any_answer_survives_either_journey(answer: Answer, before: str, after: str) -> None:
    """Whatever a frame holds, it is read as it was written, and other text is left alone."""
    encoded = msgspec.json.encode(answer)
    line = f"{before}{MARK}{encoded.decode()}\n{after}"
    others = [printed(text) for text in (before, after) if text]
    assert read_answer([printed(line)]) == (answer, others)
    assert read_answer([display(msgspec.json.decode(encoded))]) == (answer, [])


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["output_type", "data", "text"]),
            st.none() | st.text() | st.integers() | st.dictionaries(st.text(), st.text()),
        )
    )
)
def test_strange_outputs_are_passed_on(outputs: list[JSON]) -> None:
    """What looks like nothing known is somebody else's."""
    assert read_answer(outputs) == (None, outputs)


# The installer


def test_installer_leaves_no_name_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is one expression: where a relay stands already, it changes nothing at all."""
    monkeypatch.setitem(sys.modules, "_deepnote_relay", types.ModuleType("_deepnote_relay"))
    namespace: JSON = {"__builtins__": __builtins__}
    before = dict(namespace)
    exec(installer(), namespace)
    assert namespace == before


def test_installer_is_not_kept_where_installing_fails() -> None:
    """Outside of a kernel it fails, and the next try is not told that all is well."""
    namespace: JSON = {}
    with pytest.raises(AttributeError):
        exec(installer(), namespace)
    assert "_deepnote_relay" not in sys.modules
    assert namespace.keys() <= {"__builtins__"}

"""The near half: how often it calls, what it reads, and that nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import sys
import types
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnote_kernel.errors import (
    BadRequestError,
    ConflictError,
    ConnectionFailedError,
    PayloadTooLargeError,
    RequestTimeoutError,
    ResponseFormatError,
    SessionError,
    SessionGoneError,
    UnsupportedError,
)
from deepnote_kernel.relay.near import (
    MARK,
    MIME,
    Answer,
    Budget,
    Frame,
    RelayLostError,
    installer,
    read_answer,
)
from tests.unit.relay import virtual_time
from tests.unit.relay.far_side import (
    LOST_ANSWER,
    LOST_REQUEST,
    NO_RELAY,
    FarSide,
    Fate,
    link_to,
    refusal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.unit.relay.far_side import Linked

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


def display(answer: object = ANSWER) -> JSON:
    """Return an answer as a display of a MIME type of its own."""
    return {"output_type": "display_data", "data": {MIME: answer}, "metadata": {}}


def printed(text: str | list[str]) -> JSON:
    """Return an output of standard output."""
    return {"output_type": "stream", "name": "stdout", "text": text}


LINE = MARK + msgspec.json.encode(ANSWER).decode() + "\n"


def test_answer_is_told_from_other_outputs() -> None:
    """A display of the relay's MIME type is the answer; all else is returned in order."""
    assert read_answer([printed("a"), display(), printed("b")]) == (
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


# The link

Scenario: TypeAlias = "Callable[[Linked, FarSide], Coroutine[Any, Any, None]]"


def play(far: FarSide, scenario: Scenario, **options: Any) -> Linked:
    """Link to a far side, let the scenario happen, and return what came of it."""

    async def main() -> Linked:
        linked = link_to(far, **options)
        await scenario(linked, far)
        await linked.link.close()
        return linked

    return virtual_time.run(main())


def run_cell(far: FarSide, code: str, **options: Any) -> Linked:
    """Run one cell, which must end well."""

    async def scenario(linked: Linked, _far: FarSide) -> None:
        reply = await linked.link.request("run", code=code)
        assert reply == {"status": "ok", "execution_count": 1}

    return play(far, scenario, **options)


def requests_of(far: FarSide) -> list[str]:
    """Return the operations that were carried out, in order."""
    return [request["op"] for request in far.carried_out]


def test_short_cell_costs_one_call() -> None:
    """Submitting and waiting for frames are the same call."""
    far = FarSide()
    assert run_cell(far, "0.5").words == []
    assert len(far.calls) == 1


def test_quiet_cell_costs_a_call_every_twenty_seconds() -> None:
    """As long as nothing comes, a call waits on the far side."""
    far = FarSide()
    run_cell(far, "3600")
    assert len(far.calls) == 3600 / 20


@pytest.mark.parametrize("calls_per_minute", [10, 30, 60])
def test_chatty_cell_stays_within_the_budget(calls_per_minute: int) -> None:
    """Ten words a second for five minutes cost no more calls a minute than agreed."""
    far = FarSide()
    linked = run_cell(far, "word 0.1 " * 3000, calls_per_minute=calls_per_minute)
    assert len(linked.words) == 3000
    times_s = [at_s for at_s, _ in far.calls]
    assert max(sum(start <= t < start + 60 for t in times_s) for start in times_s) <= (
        calls_per_minute
    )


@pytest.mark.parametrize(
    "fate",
    [
        LOST_REQUEST,
        LOST_ANSWER,
        Fate(before=ConnectionFailedError("No route.")),
        Fate(times=2),
        Fate(way_s=40),
        Fate(before=LOST_REQUEST.before, stray_s=5),
        *[Fate(before=refusal(status)) for status in (408, 429, 500, 502, 503, 504)],
        *[Fate(after=refusal(status)) for status in (408, 429, 500, 502, 503, 504)],
        Fate(before=refusal(409, "Notebook is busy")),
        Fate(before=refusal(409, "Session kernel is unavailable")),
        Fate(after=ResponseFormatError("Not JSON.")),
        Fate(outputs=()),
        Fate(outputs=({"output_type": "error", "ename": "KeyboardInterrupt"},)),
        Fate(outputs=(display("garbage"),)),
    ],
    ids=str,
)
@pytest.mark.parametrize("position", range(4))
def test_failed_call_means_nothing(fate: Fate, position: int) -> None:
    """Whichever call fails, and however, the cell runs once and every word comes once, in order."""
    far = FarSide(*[Fate()] * position, fate)
    linked = run_cell(far, "a 1 b 1 c 1 d")
    assert linked.words == ["a", "b", "c", "d"]
    assert requests_of(far) == ["run"]
    assert len(far.calls) > position


def test_frame_that_comes_again_is_left_out() -> None:
    """A frame is known by its number: an old answer from a proxy's memory shows nothing twice."""
    again = {"n": 1, "type": "stream", "content": {"name": "stdout", "text": "a"}}
    far = FarSide(Fate(), Fate(outputs=(display({"seen": 0, "frames": [again]}),)))
    assert run_cell(far, "a 1 b").words == ["a", "b"]


def test_wish_of_a_server_that_limits_calls_is_obeyed() -> None:
    """After 429 with ``Retry-After`` no call is made before that time."""
    far = FarSide(Fate(before=refusal(429, retry_after_s=17)))
    run_cell(far, "a")
    assert [at_s for at_s, _ in far.calls] == [0, 17]


def test_server_may_limit_every_call() -> None:
    """A server that lets every other call pass costs time, nothing else."""
    limited = Fate(before=refusal(429, retry_after_s=3))
    far = FarSide(*[limited, Fate()] * 50)
    assert run_cell(far, "a 1 " * 20).words == ["a"] * 20


def test_code_that_lets_nothing_through_may_take_hours() -> None:
    """A call ends with 408 and the process is busy: the cell goes on until it is free again."""
    far = FarSide(Fate(before=None, after=refusal(408)))

    async def scenario(linked: Linked, far: FarSide) -> None:
        far.busy_until_s = 3 * 3600
        await linked.link.request("run", code="a")
        assert far.now_s >= 3 * 3600

    assert play(far, scenario).words == ["a"]


def test_server_may_be_away_while_code_lets_nothing_through() -> None:
    """That nobody can tell whether the process is free only delays the next call."""
    far = FarSide(Fate(after=refusal(408)))
    far.status_errors = [refusal(502), RequestTimeoutError("No answer."), refusal(429)]
    assert run_cell(far, "a").words == ["a"]
    assert far.status_errors == []


def test_notebook_may_be_busy_for_hours() -> None:
    """Somebody else's code delays a cell; it does not make it fail."""
    far = FarSide(*[Fate(before=refusal(409, "Notebook is busy"))] * 2000)
    assert run_cell(far, "a").words == ["a"]


def test_limit_of_a_server_is_learnt() -> None:
    """After one 408, calls wait for half the time that was allowed: a 408 may cost an interrupt."""
    far = FarSide(limit_s=3)
    run_cell(far, "100")
    assert [call["wait"] for _, call in far.calls[:3]] == [20, 1.5, 1.5]


def test_refusal_to_wait_is_not_taken_for_a_limit() -> None:
    """A 408 that comes at once, a proxy's perhaps, changes nothing."""
    far = FarSide(Fate(before=refusal(408)))
    run_cell(far, "100")
    assert {call["wait"] for _, call in far.calls} == {20}


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        (Fate(before=SessionGoneError("It has ended.")), SessionGoneError),
        (Fate(before=refusal(409, "Project is suspended")), ConflictError),
        (Fate(outputs=(NO_RELAY,)), RelayLostError),
    ],
    ids=["gone", "suspended", "replaced"],
)
def test_lasting_failure_ends_the_cell(fate: Fate, error: type[Exception]) -> None:
    """What no repetition mends is raised at once, after a single call."""
    far = FarSide(fate)

    async def scenario(linked: Linked, far: FarSide) -> None:
        with pytest.raises(error):
            await linked.link.request("run", code="a")
        assert far.now_s == 0

    play(far, scenario)
    assert len(far.calls) == 1


def test_dead_kernel_is_given_a_minute() -> None:
    """A kernel that is unavailable may be on its way back, but not for ever."""
    far = FarSide(*[Fate(before=refusal(409, "Session kernel is unavailable"))] * 1000)

    async def scenario(linked: Linked, far: FarSide) -> None:
        with pytest.raises(ConflictError):
            await linked.link.request("run", code="a")
        assert 60 <= far.now_s <= 70

    play(far, scenario)


def test_patience_has_an_end() -> None:
    """A server that is away for good is given up after half an hour."""
    far = FarSide(*[LOST_REQUEST] * 10_000)

    async def scenario(linked: Linked, far: FarSide) -> None:
        with pytest.raises(RequestTimeoutError):
            await linked.link.request("run", code="a")
        assert 1800 <= far.now_s <= 1900

    play(far, scenario)


def test_link_works_again_after_a_failure() -> None:
    """An error ends the requests that waited; the next one is sent as ever."""
    far = FarSide(Fate(before=refusal(409, "Project is suspended")))

    async def scenario(linked: Linked, _far: FarSide) -> None:
        with pytest.raises(ConflictError):
            await linked.link.request("run", code="a")
        await linked.link.request("run", code="b")

    assert play(far, scenario).words == ["b"]
    assert requests_of(far) == ["run"]


@pytest.mark.parametrize(("status", "error"), [(400, BadRequestError), (413, PayloadTooLargeError)])
def test_refused_request_fails_alone(status: int, error: type[Exception]) -> None:
    """A message the server does not take fails; the running cell and other messages do not."""
    far = FarSide(max_bytes=5000, when_larger=refusal(status))

    async def scenario(linked: Linked, _far: FarSide) -> None:
        cell = linked.link.request("run", code="a 5 b")
        await asyncio.sleep(1)
        replies = [linked.link.request("comm", said=said) for said in ("x", "y" * 9000, "z")]
        answers = await asyncio.gather(*replies, return_exceptions=True)
        assert isinstance(answers[1], error)
        assert [answers[0], answers[2]] == [{"said": "x"}, {"said": "z"}]
        await cell

    assert play(far, scenario).words == ["a", "b"]
    assert requests_of(far) == ["run", "comm", "comm"]


def test_refused_cell_fails_and_the_next_one_runs() -> None:
    """A cell too large for the server ends with the server's refusal, after one call."""
    far = FarSide(Fate(before=refusal(413)))

    async def scenario(linked: Linked, far: FarSide) -> None:
        with pytest.raises(PayloadTooLargeError):
            await linked.link.request("run", code="a")
        assert len(far.calls) == 1
        await linked.link.request("run", code="b")

    assert play(far, scenario).words == ["b"]


def test_call_that_brings_no_request_may_be_refused_too() -> None:
    """With nothing to leave out, the refusal ends the cell instead of being repeated for ever."""
    far = FarSide(Fate(), Fate(before=refusal(400)))

    async def scenario(linked: Linked, far: FarSide) -> None:
        with pytest.raises(BadRequestError):
            await linked.link.request("run", code="a 30 b")
        assert len(far.calls) == 2

    play(far, scenario)


# What is sent while a call waits


def test_request_brings_a_waiting_call_home() -> None:
    """Nobody waits for the end of a long poll: the far side is told that there is news."""
    far = FarSide()

    async def scenario(linked: Linked, far: FarSide) -> None:
        cell = linked.link.request("run", code="15")
        await asyncio.sleep(5)
        assert await linked.link.request("complete", said="x") == {"said": "x"}
        assert far.now_s == pytest.approx(5, abs=0.1)
        await cell

    play(far, scenario)
    assert far.recalls == 1


@pytest.mark.parametrize("steps", range(20))
def test_requests_in_a_row_are_all_sent_at_once(steps: int) -> None:
    """The second finds the call on its way home, at home, or gone again; it never waits for it."""
    far = FarSide()

    async def scenario(linked: Linked, far: FarSide) -> None:
        cell = linked.link.request("run", code="15")
        await asyncio.sleep(5)
        first = linked.link.request("complete")
        for _ in range(steps):
            await asyncio.sleep(0)
        await asyncio.gather(first, linked.link.request("inspect"))
        assert far.now_s == pytest.approx(5, abs=0.5)
        await cell

    play(far, scenario)
    assert far.recalls <= 3


def test_request_does_not_wait_for_the_next_poll() -> None:
    """However slow polling has become, what a person asks for is sent at once."""
    far = FarSide()

    async def scenario(linked: Linked, far: FarSide) -> None:
        cell = linked.link.request("run", code="word 0.1 " * 1000)
        await asyncio.sleep(60)
        calls = len(far.calls)
        await linked.link.request("complete")
        assert far.now_s == pytest.approx(60, abs=0.1)
        assert len(far.calls) == calls + 1
        await cell

    play(far, scenario, calls_per_minute=3)


def test_recall_is_repeated_until_it_is_heard() -> None:
    """A call may still be on its way when it is asked to come home."""
    far = FarSide(Fate(way_s=2))

    async def scenario(linked: Linked, far: FarSide) -> None:
        cell = linked.link.request("run", code="15")
        await asyncio.sleep(1)
        await linked.link.request("complete")
        assert far.now_s < 6
        await cell

    play(far, scenario)
    assert far.recalls > 1


def test_interrupt_is_a_request_and_a_recall() -> None:
    """The server is told at once, and the cell ends with an error."""
    far = FarSide()

    async def scenario(linked: Linked, far: FarSide) -> None:
        cell = linked.link.request("run", code="a 1000 b")
        await asyncio.sleep(5)
        await linked.link.interrupt()
        assert far.recalls == 1
        assert (await cell)["status"] == "error"
        assert far.now_s == pytest.approx(5, abs=1)

    assert play(far, scenario).words == ["a"]


def test_interrupt_between_two_calls_tells_the_server_too() -> None:
    """Where no call waits, the process gets its signal all the same."""
    far = FarSide()

    async def scenario(linked: Linked, far: FarSide) -> None:
        await linked.link.interrupt()
        assert far.recalls == 1

    play(far, scenario)


def test_question_is_asked_and_answered() -> None:
    """The answer reaches the cell, and the time it took cost few calls."""
    far = FarSide()

    async def scenario(linked: Linked, far: FarSide) -> None:
        cell = linked.link.request("run", code="a ask b")
        await asyncio.sleep(60)
        assert [frame.type for frame in linked.frames] == ["stream", "input_request"]
        assert len(far.calls) <= 2 + 60 / 2
        linked.link.tell("input", value="you")
        await cell
        assert far.now_s == pytest.approx(60, abs=0.1)

    assert play(far, scenario).words == ["a", "you", "b"]


# Frames without a cell


def test_nothing_is_asked_where_nothing_is_to_be_expected() -> None:
    """A link without a cell, a request or a thread on the far side makes no calls."""
    far = FarSide()

    async def scenario(linked: Linked, far: FarSide) -> None:
        await linked.link.request("run", code="a")
        await asyncio.sleep(3600)
        assert len(far.calls) == 1

    play(far, scenario)


def test_threads_are_looked_at_ever_less_often() -> None:
    """What goes on after its cell is heard soon; what stays silent is given up after a while."""
    far = FarSide()
    far.background = True

    async def scenario(linked: Linked, far: FarSide) -> None:
        await linked.link.request("run", code="a")
        await asyncio.sleep(1)
        far.add("stream", {"name": "stdout", "text": "late"})
        await asyncio.sleep(1)
        assert linked.words == ["a", "late"]
        await asyncio.sleep(3600)
        pauses_s = [b - a for (a, _), (b, _) in pairwise(far.calls[3:])]
        assert pauses_s == sorted(pauses_s)
        assert len(far.calls) < 30
        assert far.calls[-1][0] < 600

    play(far, scenario)


def test_outputs_beside_an_answer_are_handed_over() -> None:
    """What a forked child printed during a call is nobody's frame."""
    child = printed("child")
    far = FarSide(Fate(beside=(child,)))
    assert run_cell(far, "a").outputs == [child]


# Taking over


def test_greeting_finds_out_how_answers_travel() -> None:
    """Where the server drops unknown MIME types, answers come as text, and everything works."""
    far = FarSide(via="stream")

    async def scenario(linked: Linked, _far: FarSide) -> None:
        assert await linked.link.greet() == {"said": ""}
        await linked.link.request("run", code="a")

    linked = play(far, scenario)
    assert linked.link.via == "stream"
    assert linked.words == ["a"]
    assert requests_of(far) == ["hello", "run"]


def test_greeting_gives_up_where_no_answer_comes_back() -> None:
    """A server that drops both kinds of answer cannot have live cells."""
    far = FarSide(via="pigeon")

    async def scenario(linked: Linked, _far: FarSide) -> None:
        with pytest.raises(UnsupportedError):
            await linked.link.greet()

    play(far, scenario)


def test_greeting_tells_that_there_is_no_relay() -> None:
    """A kernel that was replaced meanwhile does not know the relay."""
    far = FarSide(Fate(outputs=(NO_RELAY,)))

    async def scenario(linked: Linked, _far: FarSide) -> None:
        with pytest.raises(RelayLostError):
            await linked.link.greet()

    play(far, scenario)


@pytest.mark.parametrize("frames_per_answer", [1, 3, 1000])
def test_next_link_takes_up_where_the_last_one_left(frames_per_answer: int) -> None:
    """The cell goes on without a client; its frames, however many, reach the next one in order."""
    far = FarSide(frames_per_answer=frames_per_answer)

    async def first(linked: Linked, _far: FarSide) -> None:
        linked.link.request("run", code="a 3 b 1 c 1 d 1000 e")
        await asyncio.sleep(2)

    async def second(linked: Linked, _far: FarSide) -> None:
        await linked.link.greet()
        assert linked.link.answer.cell
        reply = await linked.link.follow()
        assert reply["status"] == "ok"

    async def both() -> tuple[Linked, Linked]:
        one = link_to(far)
        await first(one, far)
        await one.link.close()
        await asyncio.sleep(100)
        two = link_to(far, acknowledged=one.link.acknowledged)
        await second(two, far)
        await two.link.close()
        return one, two

    one, two = virtual_time.run(both())
    assert (one.words, two.words) == (["a"], ["b", "c", "d", "e"])
    assert requests_of(far) == ["run", "hello"]


def test_reply_to_an_earlier_link_is_not_mistaken() -> None:
    """The reply of a cell that ended while nobody was there waits for whoever follows the cell."""
    far = FarSide()

    async def scenario(linked: Linked, far: FarSide) -> None:
        linked.link.request("run", code="a 3 b")
        await asyncio.sleep(1)
        await linked.link.close()
        await asyncio.sleep(100)
        other = link_to(far, acknowledged=linked.link.acknowledged)
        assert await other.link.greet() == {"said": ""}
        assert other.words == ["b"]
        assert (await other.link.follow())["status"] == "ok"
        await other.link.close()

    play(far, scenario)


def test_link_that_was_replaced_says_so() -> None:
    """Two kernels do not share a session: the earlier one is told who has it now."""
    far = FarSide()

    async def scenario(linked: Linked, far: FarSide) -> None:
        await linked.link.request("run", code="a")
        other = link_to(far)
        await other.link.greet()
        with pytest.raises(SessionError, match="Another kernel has taken this session over"):
            await linked.link.request("run", code="b")
        await other.link.close()

    play(far, scenario)
    assert requests_of(far) == ["run", "hello"]


def test_closing_ends_whoever_waits() -> None:
    """A link that is let go of leaves nobody waiting and makes no more calls."""
    far = FarSide()

    async def scenario(linked: Linked, far: FarSide) -> None:
        cell = linked.link.request("run", code="100")
        await asyncio.sleep(1)
        reply = linked.link.request("complete")
        await linked.link.close()
        for future in (cell, reply):
            with pytest.raises(SessionError, match="let go of"):
                await future
        calls = len(far.calls)
        await asyncio.sleep(3600)
        assert len(far.calls) == calls

    play(far, scenario)


# Anything may happen to any call

TROUBLE = [
    LOST_REQUEST,
    LOST_ANSWER,
    Fate(times=2),
    Fate(before=refusal(502)),
    Fate(after=refusal(504)),
    Fate(before=refusal(429, retry_after_s=2)),
    Fate(before=refusal(409, "Notebook is busy")),
    Fate(after=refusal(408)),
    Fate(outputs=()),
]
fates = st.sampled_from([Fate(), *TROUBLE]) | st.builds(
    Fate,
    way_s=st.floats(0, 3),
    stray_s=st.none() | st.floats(0, 30),
    before=st.none() | st.just(RequestTimeoutError("The request is late.")),
)
cells = st.lists(st.sampled_from(["a", "b", "0.3", "2", "25", "ask"]), max_size=6).map(" ".join)
requests = st.lists(st.tuples(st.sampled_from(["comm", "complete"]), st.floats(0, 10)), max_size=5)


@given(st.data())
def test_everything_happens_once_and_in_order(data: st.DataObject) -> None:
    """Each request is carried out once, in order; frames come once, in order, without a gap."""
    far = FarSide(
        *data.draw(st.lists(fates, max_size=20)), frames_per_answer=data.draw(st.integers(1, 4))
    )
    codes = data.draw(st.lists(cells, min_size=1, max_size=3))
    between = data.draw(requests)
    calls_per_minute = data.draw(st.sampled_from([6, 60, 6000]))
    sent: list[str] = []

    async def meddle(linked: Linked) -> None:
        for number, (op, delay_s) in enumerate(between):
            await asyncio.sleep(delay_s)
            sent.append(op)
            assert await linked.link.request(op, said=str(number)) == {"said": str(number)}

    async def type_answers(linked: Linked) -> None:
        answered = 0
        while True:
            await asyncio.sleep(0.5)
            if sum(frame.type == "input_request" for frame in linked.frames) > answered:
                answered += 1
                sent.append("input")
                linked.link.tell("input", value="typed")

    async def scenario(linked: Linked, _far: FarSide) -> None:
        meddling = asyncio.ensure_future(meddle(linked))
        typing = asyncio.ensure_future(type_answers(linked))
        for code in codes:
            sent.append("run")
            assert (await linked.link.request("run", code=code))["status"] == "ok"
        await meddling
        typing.cancel()
        await asyncio.wait([typing])

    linked = play(far, scenario, calls_per_minute=calls_per_minute)
    words = " ".join(codes).replace("ask", "typed").split()
    assert linked.words == [word for word in words if not word[0].isdigit()]
    assert requests_of(far) == sent
    numbers = [frame.n for frame in linked.frames]
    replies = set(range(1, linked.link.acknowledged + 1)) - set(numbers)
    assert numbers == sorted(set(numbers))
    assert len(replies) == len(codes) + len(between)

"""A link over calls that fail: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

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
    SessionGoneError,
)
from deepnote_kernel.relay.near import RelayLostError
from tests.unit.relay.far_side import (
    LOST_ANSWER,
    LOST_REQUEST,
    NO_RELAY,
    FarSide,
    Fate,
    display,
    play,
    refusal,
    requests_of,
    run_cell,
)

if TYPE_CHECKING:
    from tests.unit.relay.far_side import Linked


JSON = dict[str, Any]


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


@pytest.mark.parametrize(("failures", "told"), [(3, []), (8, ["No route.", "over"])])
def test_only_failures_that_last_are_told(failures: int, told: list[str]) -> None:
    """Once, as is their end; how long the call waited for frames before does not count."""
    away = Fate(before=ConnectionFailedError("No route."))
    late = Fate(way_s=30, after=ConnectionFailedError("No route."))
    far = FarSide(Fate(), late, *[away] * (failures - 1))
    assert run_cell(far, "a 50 b").words == ["a", "b"]
    assert far.troubles == told


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
    asked = sum(frame.type == "input_request" for frame in linked.frames)
    assert numbers == sorted(set(numbers))
    made = len(linked.words) + asked + len(codes) + len(between)
    assert linked.link.acknowledged == made

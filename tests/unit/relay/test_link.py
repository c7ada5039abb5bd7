"""A link: when it calls, what it says, and how one link takes over from another."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.errors import SessionError, UnsupportedError
from deepnote_kernel.relay.near import RelayLostError
from tests.unit.relay import virtual_time
from tests.unit.relay.far_side import (
    NO_RELAY,
    FarSide,
    Fate,
    link_to,
    play,
    printed,
    requests_of,
    run_cell,
)

if TYPE_CHECKING:
    from tests.unit.relay.far_side import Linked


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


def test_child_processes_are_spared() -> None:
    """What brings a call home would end them: calls are brief, and only an interrupt does it."""
    far = FarSide()
    far.children = True

    async def scenario(linked: Linked, far: FarSide) -> None:
        cell = linked.link.request("run", code="a 1000")
        await asyncio.sleep(60)
        assert len(far.calls) < 60
        assert await linked.link.request("complete", said="x") == {"said": "x"}
        assert far.now_s == pytest.approx(60.2, abs=0.2)
        assert far.recalls == 0
        await linked.link.interrupt()
        assert (await cell)["status"] == "error"
        assert far.recalls == 1

    play(far, scenario, calls_per_minute=60)


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

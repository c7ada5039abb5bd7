"""Questions to a direct session, its restart, its status and its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deepnote_kernel.errors import (
    PermissionDeniedError,
    SessionGoneError,
    UnsupportedError,
)
from deepnote_kernel.session.protocol import Message, Reply

if TYPE_CHECKING:
    from deepnote_kernel.session.direct import DirectSession
    from tests.unit.session.conftest import Api

UNAVAILABLE = httpx.Response(409, json={"message": "Session kernel is unavailable"})
GONE = httpx.Response(404, json={"message": "Session not found"})

ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["tb"]}


# Questions


def test_completion_is_the_far_sides(api: Api) -> None:
    """What the remote kernel answers is passed on."""
    found = {"matches": ["real"], "cursor_start": 2, "cursor_end": 4}
    api.on("POST execute", api.outputs(api.answer(found)))
    assert api.run_session(lambda session: session.complete("x.re", 4)) == {
        "status": "ok",
        "metadata": {},
        **found,
    }


def test_inspection_is_the_far_sides(api: Api) -> None:
    """What the remote kernel answers is passed on."""
    found = {"found": True, "data": {"text/plain": "doc"}}
    api.on("POST execute", api.outputs(api.answer(found)))
    assert api.run_session(lambda session: session.inspect("x", 1, 0)) == {
        "status": "ok",
        "metadata": {},
        **found,
    }


def test_busy_session_answers_nothing_at_once(api: Api) -> None:
    """Completion does not wait for a cell, nor ask the server in vain."""

    async def use(session: DirectSession) -> dict[str, Any]:
        gate = api.hold("POST execute")
        running = asyncio.ensure_future(api.collect(session))
        await api.has_been_asked("POST execute")
        answer = await session.complete("x", 1)
        gate.set()
        await running
        return answer

    assert api.run_session(use)["matches"] == []
    assert api.routes == ["POST execute"]


def test_kernel_of_another_language_is_asked_once(api: Api) -> None:
    """A far side that fails over our question would fail over the next one too."""
    api.on("POST execute", api.outputs(ERROR))

    async def use(session: DirectSession) -> None:
        assert (await session.complete("x", 1))["matches"] == []
        assert (await session.inspect("x", 1))["found"] is False

    api.run_session(use)
    assert api.routes == ["POST execute"]


def test_interrupted_question_may_be_asked_again(api: Api) -> None:
    """An interrupt says nothing about the far side's language."""
    api.on("POST execute", api.outputs({**ERROR, "ename": "KeyboardInterrupt"}))

    async def use(session: DirectSession) -> None:
        await session.complete("x", 1)
        await session.complete("x", 1)

    api.run_session(use)
    assert api.routes == ["POST execute"] * 2


def test_output_of_threads_during_a_question_is_not_lost(api: Api) -> None:
    """What a thread printed while we asked goes to whoever takes late messages."""
    api.on("POST execute", api.outputs("from a thread\n", api.answer({})))
    heard: list[Message] = []

    async def use(session: DirectSession) -> None:
        session.on_message = heard.append
        await session.complete("x", 1)

    api.run_session(use)
    assert [message.content["text"] for message in heard] == ["from a thread\n"]


# The session itself


def test_restart_waits_for_another_process(api: Api) -> None:
    """The restart is over when a kernel answers that is not the old one."""
    old, new = api.answer({"process": "old"}), api.answer({"process": "new"})
    api.on("POST execute", api.outputs(old), UNAVAILABLE, api.outputs(old), api.outputs(new))
    api.run_session(lambda session: session.restart())
    assert api.routes == ["POST execute"] * 4


def test_restart_counts_from_the_beginning(api: Api) -> None:
    """The first cell after a restart is number 1."""
    old, new = api.answer({"process": "old"}), api.answer({"process": "new"})

    async def use(session: DirectSession) -> int:
        await api.collect(session)
        api.on("POST execute", api.outputs(old), api.outputs(new), api.outputs())
        await session.restart()
        reply = (await api.collect(session))[-1]
        assert isinstance(reply, Reply)
        count: int = reply.content["execution_count"]
        return count

    assert api.run_session(use) == 1


def test_kernel_that_cannot_restart_in_place_says_so(api: Api) -> None:
    """The caller then starts another session."""
    api.on("POST execute", api.outputs(ERROR))
    with pytest.raises(UnsupportedError, match="restarted in place"):
        api.run_session(lambda session: session.restart())


def test_restart_ends_a_running_cell(api: Api) -> None:
    """A restart in the middle of a cell interrupts it first."""
    old, new = api.answer({"process": "old"}), api.answer({"process": "new"})
    api.on("POST execute", api.outputs(), api.outputs(old), api.outputs(new))

    async def use(session: DirectSession) -> None:
        gate = api.hold("POST execute")
        running = asyncio.ensure_future(api.collect(session))
        await api.has_been_asked("POST execute")
        restarting = asyncio.ensure_future(session.restart())
        await api.has_been_asked("POST interrupt")
        gate.set()
        await asyncio.gather(running, restarting)

    api.run_session(use)
    assert api.routes[:2] == ["POST execute", "POST interrupt"]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"session": {"id": "s1", "status": "busy"}, "kernel": {"status": "idle"}}, "idle"),
        ({"session": {"id": "s1", "status": "starting"}, "kernel": {}}, "starting"),
        ({}, "running"),
    ],
)
def test_state_is_the_kernels_then_the_sessions(api: Api, answer: Any, state: str) -> None:
    """The reference names no field of the kernel's state, so any may be absent."""
    api.on("GET status", httpx.Response(200, json=answer))
    status = api.run_session(lambda session: session.status())
    assert (status.state, status.session_id, status.notebook_id) == (state, "s1", "nb1")


def test_status_links_to_the_notebooks_page(api: Api) -> None:
    """The page's address is put together from what the API says, and asked for once."""
    workspace = {"id": "w1", "slug": "team", "name": "Team"}
    api.on("GET me", httpx.Response(200, json={"workspace": workspace}))
    notebook = {"id": "nb1", "projectId": "p1"}
    api.on("GET nb1", httpx.Response(200, json={"notebook": notebook}))

    async def use(session: DirectSession) -> list[str]:
        return [(await session.status()).url for _ in range(2)]

    url = "https://deepnote.com/workspace/team-w1/project/-p1/notebook/nb1"
    assert api.run_session(use) == [url, url]
    assert api.routes == ["GET status", "GET nb1", "GET me", "GET status"]


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, json={}), httpx.Response(403, json={"message": "no"})]
)
def test_status_without_a_page_is_a_status(api: Api, answer: httpx.Response) -> None:
    """A token that may not see who it belongs to can still ask for the status."""
    api.on("GET nb1", httpx.Response(200, json={"notebook": {"id": "nb1", "projectId": "p1"}}))
    api.on("GET me", answer)
    assert api.run_session(lambda session: session.status()).url == ""


def test_status_of_a_session_that_is_gone(api: Api) -> None:
    """A server that does not know the session says that it has ended."""
    api.on("GET status", GONE)
    with pytest.raises(SessionGoneError, match="s1"):
        api.run_session(lambda session: session.status())


def test_stopping_twice_is_stopping_once(api: Api) -> None:
    """A session that is gone already counts as stopped."""
    api.on("DELETE s1", GONE)
    api.run_session(lambda session: session.stop())
    assert api.routes == ["DELETE s1"]


def test_failed_stop_is_told(api: Api) -> None:
    """A machine that may go on costing money is not passed over."""
    api.on("DELETE s1", httpx.Response(403, json={"message": "no"}))
    with pytest.raises(PermissionDeniedError):
        api.run_session(lambda session: session.stop())


def test_widgets_and_input_are_refused(api: Api) -> None:
    """What direct mode cannot do names the mode that can."""

    async def use(session: DirectSession) -> None:
        with pytest.raises(UnsupportedError, match="Live mode"):
            await session.answer("x")
        with pytest.raises(UnsupportedError, match="Live mode"):
            await session.send_comm(Message(msg_type="comm_msg", content={}))

    api.run_session(use)
    assert api.routes == []


def test_there_are_no_comms(api: Api) -> None:
    """Asked which comms are open, a direct session knows none."""
    assert api.run_session(lambda session: session.comm_info("jupyter.widget")) == {
        "status": "ok",
        "comms": {},
    }


def test_detaching_asks_nothing(api: Api) -> None:
    """A direct session holds nothing on the far side that would have to be let go."""
    api.run_session(lambda session: session.detach())
    assert api.routes == []


def test_nothing_can_be_followed_or_handed_over(api: Api) -> None:
    """A direct cell ends with its call, so another process finds nothing to take up."""

    async def use(session: DirectSession) -> None:
        assert [event async for event in session.follow()] == []
        with pytest.raises(UnsupportedError, match="not handed over"):
            await session.hand_over()
        with pytest.raises(UnsupportedError, match="not handed over"):
            await session.take_over({})

    api.run_session(use)
    assert api.routes == []

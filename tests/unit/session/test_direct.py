"""A direct session: what each answer to execute means for the cell, and for the one after it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deepnote_kernel.errors import (
    ConflictError,
    ConnectionFailedError,
    DeepnoteError,
    ExecutionTimeoutError,
    PermissionDeniedError,
    SessionError,
    SessionGoneError,
)
from deepnote_kernel.session.protocol import Message, Reply

if TYPE_CHECKING:
    from deepnote_kernel.session.direct import DirectSession
    from tests.unit.session.conftest import Api

BUSY = httpx.Response(409, json={"message": "Notebook is busy with a tracked run"})
SUSPENDED = httpx.Response(409, json={"message": "Project is suspended"})
UNAVAILABLE = httpx.Response(409, json={"message": "Session kernel is unavailable"})
TIMED_OUT = httpx.Response(408, json={"message": "Execution timed out"})
GONE = httpx.Response(404, json={"message": "Session not found"})
BAD_GATEWAY = httpx.Response(502, html="<html><body>Bad gateway</body></html>")

RESULT = {"output_type": "execute_result", "execution_count": 9, "data": {"text/plain": "2"}}
ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["tb"]}
NO_STDIN = {
    "output_type": "error",
    "ename": "StdinNotImplementedError",
    "evalue": "",
    "traceback": [],
}


def content(events: list[Any]) -> dict[str, Any]:
    """Return the content of the reply, which must be the last event and the only reply."""
    *others, reply = events
    assert isinstance(reply, Reply)
    assert not any(isinstance(event, Reply) for event in others)
    return reply.content


# Cells


def test_outputs_are_replayed_and_the_reply_comes_last(api: Api) -> None:
    """A cell's events are its outputs in order, then its reply."""
    api.on("POST execute", api.outputs("hello\n", RESULT))
    events = api.run_cell(execution_count=4)
    assert [event.msg_type for event in events[:-1] if isinstance(event, Message)] == [
        "stream",
        "execute_result",
    ]
    assert content(events) == {
        "status": "ok",
        "execution_count": 4,
        "user_expressions": {},
        "payload": [],
    }


def test_call_names_notebook_and_the_longest_limit(api: Api) -> None:
    """The code travels as it is, with two minutes to run."""
    api.run_cell("print('é')\n")
    assert api.bodies("POST execute") == [
        {"notebookId": "nb1", "code": "print('é')\n", "timeoutMs": 120_000}
    ]


def test_exception_in_the_cell_is_an_error_reply(api: Api) -> None:
    """Name, value and traceback reach the reply, so that Run All stops."""
    api.on("POST execute", api.outputs(ERROR))
    reply = content(api.run_cell())
    assert (reply["status"], reply["ename"], reply["evalue"], reply["traceback"]) == (
        "error",
        "ValueError",
        "no",
        ["tb"],
    )


def test_cells_are_counted_where_the_caller_does_not(api: Api) -> None:
    """Counts start at 1; a cell that stores no history, or is silent, does not count."""

    async def use(session: DirectSession) -> list[int]:
        cells: list[dict[str, Any]] = [{}, {"store_history": False}, {"silent": True}, {}]
        replies = [content(await api.collect(session, **cell)) for cell in cells]
        return [reply["execution_count"] for reply in replies]

    assert api.run_session(use) == [1, 1, 1, 2]


def test_silent_cell_shows_no_result(api: Api) -> None:
    """A silent cell prints, but its value is nobody's business."""
    api.on("POST execute", api.outputs("hello\n", RESULT))
    events = api.run_cell(silent=True)
    assert [event.msg_type for event in events if isinstance(event, Message)] == ["stream"]


def test_refused_input_is_explained_once(api: Api) -> None:
    """The remote error passes through; one line names the mode that takes input."""
    api.on("POST execute", api.outputs(NO_STDIN))

    async def use(session: DirectSession) -> list[list[str]]:
        runs = [await api.collect(session) for _ in range(2)]
        return [[e.msg_type for e in events if isinstance(e, Message)] for events in runs]

    assert api.run_session(use) == [["error", "stream"], ["error"]]


def test_user_expressions_are_evaluated_after_the_cell(api: Api) -> None:
    """Their values come from a second call and stand in the reply."""
    value = {"a": {"status": "ok", "data": {"text/plain": "2"}, "metadata": {}}}
    api.on("POST execute", api.outputs("x"), api.outputs(api.answer(value)))
    reply = content(api.run_cell(user_expressions={"a": "1+1"}))
    assert reply["user_expressions"] == value


def test_failed_cell_evaluates_no_user_expressions(api: Api) -> None:
    """After an error there is nothing to evaluate, as in ipykernel."""
    api.on("POST execute", api.outputs(ERROR))
    api.run_cell(user_expressions={"a": "1+1"})
    assert api.routes == ["POST execute"]


def test_lost_user_expressions_do_not_lose_the_outputs(api: Api) -> None:
    """The cell has run: what it said is shown whatever becomes of the second call."""
    api.on("POST execute", api.outputs("x"), BAD_GATEWAY)
    events = api.run_cell(user_expressions={"a": "1+1"})
    assert isinstance(events[0], Message)
    assert content(events)["user_expressions"] == {}


# Refusals


def test_busy_notebook_is_waited_for(api: Api) -> None:
    """A cell that was refused has not run, and is sent again."""
    api.on("POST execute", BUSY, BUSY, api.outputs("x"))
    assert content(api.run_cell())["status"] == "ok"
    assert api.routes.count("POST execute") == 3


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (SUSPENDED, ConflictError, "suspended"),
        (UNAVAILABLE, SessionError, "variables are lost"),
        (GONE, SessionGoneError, "%deepnote start"),
        (httpx.Response(403, json={"message": "no"}), PermissionDeniedError, "no"),
        (httpx.ConnectError("refused"), ConnectionFailedError, "did not reach"),
    ],
)
def test_other_refusals_are_told(
    api: Api, answer: httpx.Response | Exception, error: type[DeepnoteError], said: str
) -> None:
    """What waiting cannot mend is raised at once, in words that help."""
    api.on("POST execute", answer)
    with pytest.raises(error, match=said):
        api.run_cell()


@pytest.mark.parametrize("answer", [SUSPENDED, UNAVAILABLE, GONE, TIMED_OUT, BAD_GATEWAY])
def test_cell_that_may_have_run_is_never_sent_again(api: Api, answer: httpx.Response) -> None:
    """Only a notebook that was busy has surely left the code alone."""
    api.on("POST execute", answer)
    with pytest.raises(DeepnoteError):
        api.run_cell()
    assert api.routes.count("POST execute") == 1


# Late cells and lost answers


def test_late_cell_is_interrupted_and_waited_for(api: Api) -> None:
    """The next cell finds a free kernel; the error names the mode without a limit."""
    api.on("POST execute", TIMED_OUT)
    api.on("GET status", api.status("busy"), api.status("busy"), api.status("idle"))
    with pytest.raises(ExecutionTimeoutError, match=r"120 s limit .* Live mode") as caught:
        api.run_cell()
    assert api.routes == ["POST execute", "POST interrupt", *["GET status"] * 3]
    assert caught.value.status_code == 408


@pytest.mark.parametrize(
    "answer",
    [
        BAD_GATEWAY,
        httpx.Response(500, json={"message": "Internal server error"}),
        httpx.Response(200, content=b'{"outputs": [{"output_type": "str'),
        httpx.Response(200, html="<html>Please log in</html>"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("server disconnected"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_lost_answer_is_told_once_the_kernel_is_free(
    api: Api, answer: httpx.Response | Exception
) -> None:
    """The person learns that the cell may have run and that its outputs are lost."""
    api.on("POST execute", answer)
    api.on("GET status", api.status("busy"), api.status("idle"))
    with pytest.raises(SessionError, match=r"may have run, but its outputs are lost: .*POST /v2"):
        api.run_cell()
    assert api.routes == ["POST execute", "GET status", "GET status"]


def test_lost_server_is_told(api: Api) -> None:
    """Where not even the status can be had, the cell may still be running."""
    api.on("POST execute", httpx.ReadError("reset"))
    api.on("GET status", httpx.ConnectError("refused"))
    with pytest.raises(SessionError, match="may still be running"):
        api.run_cell()


def test_waiting_for_the_kernel_after_a_lost_answer_can_be_given_up(api: Api) -> None:
    """Whoever interrupts the wait learns that the cell may still be running."""
    api.on("POST execute", BAD_GATEWAY)
    api.on("GET status", api.status("busy"))

    async def use(session: DirectSession) -> None:
        running = asyncio.ensure_future(api.collect(session))
        await api.has_been_asked("GET status")
        await session.interrupt()
        await running

    with pytest.raises(SessionError, match="may still be running"):
        api.run_session(use)
    assert "POST interrupt" in api.routes


def test_lost_session_is_told(api: Api) -> None:
    """An answer lost together with its session says that the variables are gone."""
    api.on("POST execute", httpx.ReadError("reset"))
    api.on("GET status", GONE)
    with pytest.raises(SessionGoneError, match="its variables are lost"):
        api.run_cell()


# Interrupts


@pytest.mark.parametrize("answer", [BUSY, TIMED_OUT, BAD_GATEWAY])
def test_interrupted_cell_is_a_keyboard_interrupt_whatever_the_server_answers(
    api: Api, answer: httpx.Response
) -> None:
    """The API does not say what becomes of a call that is interrupted."""
    api.on("POST execute", answer)

    async def use(session: DirectSession) -> list[Any]:
        gate = api.hold("POST execute")
        running = asyncio.ensure_future(api.collect(session))
        await api.has_been_asked("POST execute")
        await session.interrupt()
        gate.set()
        return await running

    events = api.run_session(use)
    assert content(events)["ename"] == "KeyboardInterrupt"
    assert [e.msg_type for e in events if isinstance(e, Message)] == ["error"]
    assert api.routes == ["POST execute", "POST interrupt"]


def test_interrupt_ends_the_wait_for_a_busy_notebook(api: Api) -> None:
    """A cell that waits to be run can be given up, and what it waits for is interrupted."""
    api.on("POST execute", BUSY)

    async def use(session: DirectSession) -> list[Any]:
        waiting = asyncio.ensure_future(api.collect(session))
        await api.has_been_asked("POST execute", times=2)
        await session.interrupt()
        return await waiting

    assert content(api.run_session(use))["ename"] == "KeyboardInterrupt"
    assert "POST interrupt" in api.routes


def test_interrupt_without_a_cell_asks_nothing(api: Api) -> None:
    """A stray interrupt must not hit whatever runs next."""
    api.run_session(lambda session: session.interrupt())
    assert api.routes == []


def test_interrupting_a_session_that_is_gone_says_so(api: Api) -> None:
    """A session may end while its cell runs."""
    api.on("POST interrupt", GONE)

    async def use(session: DirectSession) -> None:
        gate = api.hold("POST execute")
        running = asyncio.ensure_future(api.collect(session))
        await api.has_been_asked("POST execute")
        try:
            await session.interrupt()
        finally:
            gate.set()
            await running

    with pytest.raises(SessionGoneError):
        api.run_session(use)

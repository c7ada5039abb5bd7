"""Cells of a direct session on a real kernel."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.outputs import Message
from deepnote_kernel.session.protocol import Cell, Reply
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from tests.integration.session.conftest import Tester

SLEEP = "import time\ntime.sleep(100)"
SPIN = "while True: pass"


def test_cell_prints_and_returns(tester: Tester) -> None:
    """Outputs come in order, with our count, and the reply comes last."""
    events = tester.run("print('hello')\n1 + 1", execution_count=7)
    messages = [event for event in events if isinstance(event, Message)]
    assert [message.msg_type for message in messages] == ["stream", "execute_result"]
    assert messages[0].content == {"name": "stdout", "text": "hello\n"}
    assert messages[1].content["data"] == {"text/plain": "2"}
    assert messages[1].content["execution_count"] == 7
    assert isinstance(events[-1], Reply)
    assert events[-1].content["status"] == "ok"


def test_cells_share_a_namespace(tester: Tester) -> None:
    """What one cell assigns, the next one sees."""
    tester.run("x = 41")
    assert tester.value("x + 1") == "42"


def test_exception_has_name_value_and_traceback(tester: Tester) -> None:
    """An error in user code is a reply, with the remote traceback."""
    reply = tester.reply("def f():\n    1/0\nf()")
    assert (reply["status"], reply["ename"], reply["evalue"]) == (
        "error",
        "ZeroDivisionError",
        "division by zero",
    )
    assert "ZeroDivisionError" in reply["traceback"][-1]


def test_magics_shell_lines_and_await_run_remotely(tester: Tester) -> None:
    """The code reaches IPython as it was typed."""
    events = tester.run("!echo from the shell\nimport asyncio\nawait asyncio.sleep(0, 'awaited')")
    shown = [event.content for event in events if isinstance(event, Message)]
    assert "from the shell" in shown[0]["text"]
    assert shown[1]["data"]["text/plain"] == "'awaited'"


def test_user_expressions_are_evaluated(tester: Tester) -> None:
    """Values and failures of user expressions look as ipykernel's do."""
    reply = tester.reply("x = 2", user_expressions={"good": "x * 21", "bad": "nowhere"})
    expressions = reply["user_expressions"]
    assert expressions["good"]["data"] == {"text/plain": "42"}
    assert (expressions["bad"]["status"], expressions["bad"]["ename"]) == ("error", "NameError")


def test_input_is_refused_with_a_line_on_live_mode(tester: Tester) -> None:
    """The remote error passes through, and one line says what can be done."""
    events = tester.run("input('name? ')")
    assert isinstance(events[-1], Reply)
    assert events[-1].content["ename"] == "StdinNotImplementedError"
    hints = [e.content["text"] for e in events if isinstance(e, Message) and e.msg_type == "stream"]
    assert len(hints) == 1
    assert "Live mode" in hints[0]


def test_large_cell_and_large_outputs_pass(tester: Tester) -> None:
    """Three megabytes of code and twenty of output arrive whole."""
    text = "x" * 3_000_000
    assert tester.value(f"len('{text}')") == "3000000"
    events = tester.run("print('y' * 20_000_000)")
    assert isinstance(events[0], Message)
    assert len(events[0].content["text"]) == 20_000_001


# Interrupts


@pytest.mark.parametrize("code", [SLEEP, SPIN])
def test_interrupt_from_another_thread(tester: Tester, code: str) -> None:
    """A sleeping and a spinning cell end with KeyboardInterrupt, and the next one runs."""
    tester.remote.start()
    threading.Thread(target=interrupt_when_busy, args=[tester]).start()
    assert tester.reply(code)["ename"] == "KeyboardInterrupt"
    assert tester.value("'still ' + 'here'") == "'still here'"


def test_control_c_interrupts_the_remote_cell(tester: Tester) -> None:
    """KeyboardInterrupt in the consumer reaches the far side; the cell's end is still told."""
    tester.remote.start()
    threading.Thread(target=press_control_c, args=[tester]).start()
    assert tester.reply(SLEEP)["ename"] == "KeyboardInterrupt"
    assert tester.value("1") == "1"


def test_second_control_c_gives_up_waiting(tester: Tester) -> None:
    """A cell that will not be interrupted does not keep the person."""
    tester.remote.start()
    stubborn = "import time\nwhile True:\n    try: time.sleep(100)\n    except BaseException: pass"
    pressed = threading.Event()

    def press_twice() -> None:
        press_control_c(tester)
        wait_until(lambda: tester.applied(interrupts) == 1)
        pressed.set()
        signal.raise_signal(signal.SIGINT)

    interrupts = tester.fault("interrupt", "count")
    threading.Thread(target=press_twice).start()
    with pytest.raises(KeyboardInterrupt):
        tester.run(stubborn)
    assert pressed.is_set()


def test_leaving_the_loop_interrupts_the_cell(tester: Tester) -> None:
    """A consumer that goes away does not leave its cell running."""
    tester.remote.start()

    async def leave() -> None:
        events = tester.remote.aevents(Cell(id="c", code=SLEEP))
        reading = asyncio.ensure_future(anext(events))
        await asyncio.to_thread(wait_until_busy, tester)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(leave())
    wait_until(lambda: tester.remote.status().state == "idle")
    assert tester.value("1") == "1"


def test_interrupting_nothing_is_harmless(tester: Tester) -> None:
    """An interrupt before the first cell starts no session, and one between cells hits none."""
    tester.remote.interrupt()
    assert tester.remote.session is None
    tester.run("x = 1")
    tester.remote.interrupt()
    assert tester.value("x") == "1"


def wait_until_busy(tester: Tester) -> None:
    """Return once the remote kernel runs something."""
    wait_until(lambda: tester.remote.status().state == "busy")


def interrupt_when_busy(tester: Tester) -> None:
    """Interrupt the session as soon as it runs something."""
    wait_until_busy(tester)
    tester.remote.interrupt()


def press_control_c(tester: Tester) -> None:
    """Interrupt this process as soon as the session runs something."""
    wait_until_busy(tester)
    signal.raise_signal(signal.SIGINT)


def restart_when_busy(tester: Tester) -> None:
    """Restart the session as soon as it runs something."""
    wait_until_busy(tester)
    tester.remote.restart()


# Another loop


def test_cells_run_from_another_loop(tester: Tester) -> None:
    """The kernel's own loop stays free while it awaits events."""

    async def use() -> tuple[list[str], bool]:
        ticked = False

        def tick() -> None:
            nonlocal ticked
            ticked = True

        asyncio.get_running_loop().call_later(0.01, tick)
        code = "import time; time.sleep(0.2); print('done')"
        events = [event async for event in tester.remote.aevents(Cell(id="c", code=code))]
        return [type(event).__name__ for event in events], ticked

    assert asyncio.run(use()) == (["Message", "Reply"], True)


def test_blocking_calls_can_be_awaited(tester: Tester) -> None:
    """The kernel's loop can use the blocking methods without blocking."""
    tester.run("x = 1")

    async def use() -> Any:
        return await tester.remote.wait(tester.remote.status)

    assert asyncio.run(use()).session_id == tester.session_id


# Questions


def test_completion_knows_remote_names(tester: Tester) -> None:
    """Names and attributes come from the far side."""
    tester.run("a_remote_name = 1.5")
    matches = tester.remote.complete("a_remo", 6, timeout_s=10)
    assert matches["matches"] == ["a_remote_name"]
    assert (matches["cursor_start"], matches["cursor_end"]) == (0, 6)
    attributes = tester.remote.complete("a_remote_name.is_", 17, timeout_s=10)["matches"]
    assert any(match.endswith("is_integer") for match in attributes)


def test_inspection_knows_remote_names(tester: Tester) -> None:
    """Docstrings come from the far side."""
    tester.run("def f():\n    'Says hello.'")
    found = tester.remote.inspect("f", 1, timeout_s=10)
    assert found["found"] is True
    assert "Says hello." in found["data"]["text/plain"]


def test_questions_leave_the_namespace_alone(tester: Tester) -> None:
    """No name of ours appears, whatever was asked."""
    before = tester.value("sorted(n for n in globals() if not n.startswith('_'))")
    tester.remote.complete("pri", 3, timeout_s=10)
    tester.remote.inspect("print", 5, timeout_s=10)
    tester.reply("1", user_expressions={"a": "1"})
    assert tester.value("sorted(n for n in globals() if not n.startswith('_'))") == before


def test_questions_start_no_session(tester: Tester) -> None:
    """Completing a word must not cost a machine."""
    assert tester.remote.complete("pri", 3)["matches"] == []
    assert tester.remote.inspect("print", 5)["found"] is False
    assert tester.remote.comm_info() == {"status": "ok", "comms": {}}
    assert (tester.remote.session, tester.records.all()) == (None, [])


def test_question_that_takes_too_long_is_given_up(tester: Tester) -> None:
    """An editor is not kept waiting, and the cell after it runs all the same."""
    tester.run("a_remote_name = 1")
    tester.fault("execute", "delay", seconds=0.5, ordinals=[1])
    assert tester.remote.complete("a_remo", 6, timeout_s=0.05)["matches"] == []
    assert tester.value("a_remote_name") == "1"


# Restart


def test_restart_empties_the_namespace_of_the_same_session(tester: Tester) -> None:
    """The process is replaced in place: no new machine, no old variables."""
    tester.run("x = 1")
    session_id = tester.session_id
    tester.remote.restart()
    assert tester.session_id == session_id
    assert tester.reply("x")["ename"] == "NameError"


def test_restart_in_the_middle_of_a_cell(tester: Tester) -> None:
    """A running cell ends, and the next one finds an empty namespace."""
    tester.run("x = 1")
    thread = threading.Thread(target=restart_when_busy, args=[tester])
    thread.start()
    assert tester.reply(SLEEP)["ename"] == "KeyboardInterrupt"
    thread.join()
    assert tester.reply("x")["ename"] == "NameError"

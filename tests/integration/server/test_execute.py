"""Running code in a session's kernel: what comes back, and when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JSON = dict[str, Any]

SLEEP = "import time; time.sleep(600)"


def stream(text: str, name: str = "stdout") -> JSON:
    """Return a stream output."""
    return {"output_type": "stream", "name": name, "text": text}


def display(**data: Any) -> JSON:
    """Return a display output; ``text`` stands for ``text/plain``."""
    named = {key.replace("text", "text/plain"): value for key, value in data.items()}
    return {"output_type": "display_data", "data": named, "metadata": {}}


FOLDED = {
    "nothing": ("x = 1", []),
    "adjacent streams": ("print(1)\nprint(2)", [stream("1\n2\n")]),
    "streams of two names": (
        "import sys\nprint(1)\nsys.stdout.flush()\nprint(2, file=sys.stderr)",
        [stream("1\n"), stream("2\n", "stderr")],
    ),
    "a display between streams": (
        "print(1)\ndisplay({'text/plain': 'a'}, raw=True)\nprint(2)",
        [stream("1\n"), display(text="a"), stream("2\n")],
    ),
    "an update of a display": (
        "h = display({'text/plain': 'a'}, raw=True, display_id='d'); print(1)\n"  # noqa: ISC004
        "h.update({'text/plain': 'b'}, raw=True)",
        [display(text="b"), stream("1\n")],
    ),
    "a second display of the same id": (
        "for text in 'ab':\n    display({'text/plain': text}, raw=True, display_id='e')",
        [display(text="b"), display(text="b")],
    ),
    "an update of nothing": (
        "from IPython.display import update_display\n"  # noqa: ISC004
        "update_display({'text/plain': 'b'}, raw=True, display_id='unknown')",
        [],
    ),
    "clear_output": (
        "from IPython.display import clear_output\nprint(1)\nclear_output()\nprint(2)",
        [stream("2\n")],
    ),
    "clear_output that waits": (
        "from IPython.display import clear_output\nprint(1)\nclear_output(wait=True)\nprint(2)",
        [stream("2\n")],
    ),
    "clear_output that waits for nothing": (
        "from IPython.display import clear_output\nprint(1)\nclear_output(wait=True)",
        [stream("1\n")],
    ),
    "a private MIME type": (
        "display({'application/vnd.deepnote-kernel.relay+json': {'n': [{'a': None}]}}, raw=True)",
        [
            {
                "output_type": "display_data",
                "data": {"application/vnd.deepnote-kernel.relay+json": {"n": [{"a": None}]}},
                "metadata": {},
            }
        ],
    ),
    "metadata of a display": (
        "display({'text/plain': 'a'}, raw=True, metadata={'k': 1})",
        [{"output_type": "display_data", "data": {"text/plain": "a"}, "metadata": {"k": 1}}],
    ),
    "text of every plane": ("print('é \\u2028 \\U0001f600')", [stream("é \u2028 \U0001f600\n")]),
    "a shell line": ("!echo hello", [stream("hello\n")]),
    "a top-level await": ("import asyncio\nprint(await asyncio.sleep(0, 7))", [stream("7\n")]),
}


@pytest.mark.parametrize(("code", "expected"), FOLDED.values(), ids=list(FOLDED))
def test_outputs_are_folded(session: Any, code: str, expected: list[JSON]) -> None:
    """The final state of what was shown comes back, in order, as nbformat outputs."""
    outputs = session.outputs(code)
    if outputs and "\r" in outputs[0].get("text", ""):
        outputs[0]["text"] = outputs[0]["text"].replace("\r\n", "\n")  # a shell line's terminal
    assert outputs == expected


def test_a_result_carries_the_count(session: Any) -> None:
    """The kernel's own count is in the result, and grows by one a call."""
    first, second = session.outputs("6*7"), session.outputs("6*7")
    assert first[0]["data"] == {"text/plain": "42"}
    assert first[0]["output_type"] == "execute_result"
    assert second[0]["execution_count"] == first[0]["execution_count"] + 1


def test_an_exception_is_an_output(session: Any) -> None:
    """Code that fails is a call that succeeded."""
    *_, error = session.outputs("print('before')\n1/0")
    assert error["output_type"] == "error"
    assert (error["ename"], error["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert any("ZeroDivisionError" in line for line in error["traceback"])


def test_code_after_a_failure_runs(session: Any) -> None:
    """A failure does not take the next call with it."""
    for _ in range(10):
        session.outputs("1/0")
        assert session.text("print('here')") == "here\n"


def test_variables_stay(session: Any) -> None:
    """All calls share one namespace."""
    session.outputs("kept = [1, 2]")
    assert session.text("print(kept)") == "[1, 2]\n"


def test_input_is_refused(session: Any) -> None:
    """The API has no way to ask, so the kernel says that it cannot."""
    (error,) = session.outputs("input('?')")
    assert error["ename"] == "StdinNotImplementedError"


def test_no_history_database_is_kept(session: Any) -> None:
    """As on Deepnote's machines; the history of the session itself works."""
    assert session.text("print(get_ipython().history_manager.enabled)") == "False\n"


def test_bytes_that_are_no_text_are_replaced(session: Any) -> None:
    """What a subprocess writes in another encoding does not break the answer."""
    text = session.text(
        r"import subprocess; subprocess.run(['printf', r'a\377b'])"
        # ipykernel reads the file descriptor in a thread of its own.
        "\nimport time; time.sleep(0.5)"
    )
    assert (text[0], text[-1]) == ("a", "b")


def test_lone_surrogates_are_replaced(session: Any) -> None:
    """Half a character is no JSON; the answer is readable all the same."""
    text = session.text(r"print('a\udcffb')")
    assert text.startswith("a")
    assert text.endswith("b\n")


def test_a_large_output_comes_whole(session: Any) -> None:
    """There is no limit of the server's own."""
    (output,) = session.outputs("print('x' * 20_000_000)")
    assert output["text"] == "x" * 20_000_000 + "\n"


def test_a_large_display_comes_whole(session: Any) -> None:
    """A display's payload passes through."""
    (output,) = session.outputs("display({'text/plain': 'é' * 5_000_000}, raw=True)")
    assert output["data"] == {"text/plain": "é" * 5_000_000}


def test_many_lines_come_in_order(session: Any) -> None:
    """Nothing is lost or swapped in a flood."""
    text = session.text("for n in range(20_000): print(n)")
    assert text == "".join(f"{n}\n" for n in range(20_000))


def test_output_of_an_earlier_calls_thread_goes_to_the_open_call(session: Any) -> None:
    """A thread that outlives its call prints into the next one."""
    session.outputs(
        "import threading, time\n"
        "go = threading.Event()\n"
        "def late():\n    go.wait(); print('late')\n"
        "thread = threading.Thread(target=late); thread.start()"
    )
    assert "late\n" in session.text("go.set(); thread.join(); time.sleep(0.3)")


def test_output_of_a_forked_child_is_part_of_the_call(session: Any) -> None:
    """A child's output reaches the kernel by another road and arrives all the same."""
    code = (
        "import os, sys, time\n"
        "pid = os.fork()\n"
        "if not pid:\n    print('child'); sys.stdout.flush(); os._exit(0)\n"
        "os.waitpid(pid, 0); time.sleep(0.3)"
    )
    assert "child" in session.text(code)


@pytest.mark.parametrize("timeout", [0, -1, 120_001, 2**70, 1.5, "1000", None, True])
def test_a_timeout_out_of_range_is_400(session: Any, timeout: object) -> None:
    """Nothing is clamped; the message says what is allowed."""
    answer = session.execute("1", timeoutMs=timeout)
    assert answer.status_code == 400
    assert "timeoutMs" in answer.json()["message"]


@pytest.mark.parametrize("timeout", [1, 120_000])
def test_the_ends_of_the_range_are_taken(
    session: Any, timeout: int, until: Callable[..., None]
) -> None:
    """One millisecond is a time too, though nothing may be done in it."""
    assert session.execute("pass", timeoutMs=timeout).status_code in (200, 408)
    until(lambda: session.status()["kernel"]["status"] == "idle")


@pytest.mark.parametrize("missing", ["notebookId", "code"])
def test_a_missing_member_is_400(session: Any, missing: str) -> None:
    """The message names what is missing."""
    body = {"notebookId": session.notebook_id, "code": "1"}
    body.pop(missing)
    answer = session.client.post(f"{session.path}/execute", json=body)
    assert answer.status_code == 400
    assert missing in answer.json()["message"]


def test_code_that_takes_too_long_is_408_and_goes_on(
    start_session: Callable[..., Any], until: Callable[..., None]
) -> None:
    """The notebook stays busy until the code has ended; then it is free, and nothing was lost."""
    session = start_session()
    late = session.execute(
        "import time\nwhile not (done := 'stop' in globals()): time.sleep(0.05)\n", timeoutMs=100
    )
    assert (late.status_code, late.json()) == (408, {"message": "Execution timed out"})
    refused = session.execute("1")
    assert (refused.status_code, refused.json()) == (409, {"message": "Notebook is busy"})
    assert session.status()["kernel"]["status"] == "busy"
    session.post("interrupt")
    until(lambda: session.status()["kernel"]["status"] == "idle")
    assert session.text("print(done)") == "False\n"


def test_code_that_takes_too_long_can_be_interrupted(
    start_server: Callable[..., Any], session_on: Callable[..., Any], until: Callable[..., None]
) -> None:
    """A server so configured stops what outlived its call."""
    session = session_on(start_server("--after-timeout", "interrupt"))
    late = session.execute(f"n = 1\n{SLEEP}\nn = 2", timeoutMs=500)
    assert late.status_code == 408
    until(lambda: session.execute("1").status_code == 200)
    assert session.text("print(n)") == "1\n"


def test_the_limit_can_be_lowered(
    start_server: Callable[..., Any], session_on: Callable[..., Any]
) -> None:
    """A call that asks for what Deepnote allows ends at the server's own limit."""
    session = session_on(start_server("--execute-limit", "200"))
    assert session.execute(SLEEP, timeoutMs=120_000).status_code == 408


def test_the_limit_can_be_raised(
    start_server: Callable[..., Any], session_on: Callable[..., Any]
) -> None:
    """A server may allow more time than Deepnote does, and says how much."""
    session = session_on(start_server("--execute-limit", "200000"))
    assert session.execute("1", timeoutMs=200_000).status_code == 200
    assert session.execute("1", timeoutMs=200_001).json() == {
        "message": "timeoutMs must be an integer from 1 to 200000"
    }


def test_a_second_call_is_409(
    start_session: Callable[..., Any], in_background: Any, until: Callable[..., None]
) -> None:
    """One call at a time runs in a notebook; the second is refused, not queued."""
    session = start_session()
    call = in_background(session.execute, SLEEP)
    until(lambda: session.status()["kernel"]["status"] == "busy")
    second = session.execute("1")
    assert (second.status_code, second.json()) == (409, {"message": "Notebook is busy"})
    session.post("interrupt")
    assert call.result(30).status_code == 200


@pytest.mark.parametrize("code", [SLEEP, "while True: pass"])
def test_an_interrupt_ends_a_pending_call(
    start_session: Callable[..., Any],
    in_background: Any,
    until: Callable[..., None],
    tmp_path: Path,
    code: str,
) -> None:
    """The call returns what the kernel made of the interrupt."""
    session = start_session()
    begun = tmp_path / "begun"
    call = in_background(session.execute, f"print('begun')\nopen({str(begun)!r}, 'w')\n{code}")
    until(begun.exists)
    answer = session.post("interrupt")
    assert (answer.status_code, answer.json()["session"]["id"]) == (200, session.id)
    text, error = call.result(30).json()["outputs"]
    assert (text["text"], error["ename"]) == ("begun\n", "KeyboardInterrupt")


def test_an_interrupt_right_after_the_call_is_not_lost(
    start_session: Callable[..., Any], in_background: Any, until: Callable[..., None]
) -> None:
    """A kernel ignores signals until it has taken up a request; the server waits for that."""
    session = start_session()
    for _ in range(20):
        call = in_background(session.execute, SLEEP)
        until(lambda: session.status()["kernel"]["status"] == "busy")
        session.post("interrupt")
        (error,) = call.result(30).json()["outputs"]
        assert error["ename"] == "KeyboardInterrupt"


def test_an_interrupt_of_code_that_goes_on_leaves_the_call_pending(
    start_session: Callable[..., Any],
    in_background: Any,
    until: Callable[..., None],
    tmp_path: Path,
) -> None:
    """The server does not fail a call by itself: code may catch the interrupt."""
    session = start_session()
    begun = tmp_path / "begun"
    code = (
        f"import time\ntry:\n    open({str(begun)!r}, 'w')\n    time.sleep(600)\n"
        "except KeyboardInterrupt:\n    print('caught')\n"
        "time.sleep(0.3)\nprint('over')"
    )
    call = in_background(session.execute, code)
    until(begun.exists)
    session.post("interrupt")
    assert call.result(30).json()["outputs"] == [stream("caught\nover\n")]


def test_an_interrupt_of_nothing_is_answered(session: Any) -> None:
    """An idle kernel is left as it is."""
    assert session.post("interrupt").status_code == 200
    assert session.text("print('here')") == "here\n"


@pytest.mark.parametrize("death", ["import os; os._exit(1)", "import os; os.kill(os.getpid(), 9)"])
def test_a_kernel_that_dies_is_unavailable(start_session: Callable[..., Any], death: str) -> None:
    """The call in progress and all later ones say so; the session's status does too."""
    session = start_session()
    for code in (death, "1"):
        answer = session.execute(code)
        assert answer.status_code == 409
        assert answer.json() == {"message": "Session kernel is unavailable"}
    status = session.status()
    assert (status["kernel"]["status"], status["session"]["status"]) == ("unavailable", "error")


def test_a_kernel_may_replace_itself(start_session: Callable[..., Any]) -> None:
    """A restart in place gives an empty namespace on the same session."""
    session = start_session()
    session.outputs("x = 1")
    before = session.text("import os; print(os.getpid())")
    session.outputs(
        "import asyncio, os, sys\n"
        "asyncio.get_running_loop().call_later(0.05, os.execv, sys.executable, sys.orig_argv)"
    )
    assert session.execute("await asyncio.sleep(600)").status_code == 409
    assert session.text("print('x' in dir())") == "False\n"
    assert session.text("import os; print(os.getpid())") == before


def test_a_restart_in_place_needs_no_port_that_was_free(start_session: Callable[..., Any]) -> None:
    """A program that takes every port the kernel lets go of does not keep it from coming back."""
    session = start_session()
    thief = (
        "import socket, sys, time\n"
        "taken = set()\n"
        "while True:\n"
        "    time.sleep(0.001)\n"
        "    for port in map(int, sys.argv[1:]):\n"
        "        try:\n"
        "            taken.add(socket.create_server(('127.0.0.1', port)))\n"
        "        except OSError:\n"
        "            pass\n"
    )
    session.outputs(
        "import asyncio, os, subprocess, sys\n"
        "from ipykernel.kernelapp import IPKernelApp\n"
        "app = IPKernelApp.instance()\n"
        "names = ('shell', 'iopub', 'stdin', 'control', 'hb')\n"
        "ports = [str(getattr(app, f'{name}_port')) for name in names]\n"
        f"subprocess.Popen([sys.executable, '-c', {thief!r}, *ports])\n"
        "asyncio.get_running_loop().call_later(1, os.execv, sys.executable, sys.orig_argv)"
    )
    assert session.execute("await asyncio.sleep(600)").status_code == 409
    assert session.text("print('here')") == "here\n"


def test_a_call_pending_at_a_restart_in_place_ends(start_session: Callable[..., Any]) -> None:
    """Its answer is lost with the process, so it is told that the kernel is unavailable."""
    session = start_session()
    answer = session.execute("import os, sys; os.execv(sys.executable, sys.orig_argv)")
    assert answer.status_code == 409
    assert answer.json() == {"message": "Session kernel is unavailable"}
    assert session.text("print('here')") == "here\n"


def test_a_call_whose_caller_left_runs_to_its_end(
    start_session: Callable[..., Any], until: Callable[..., None]
) -> None:
    """A broken connection does not stop code."""
    session = start_session()
    with pytest.raises(Exception, match="timed out"):
        session.client.post(
            f"{session.path}/execute",
            json={
                "notebookId": session.notebook_id,
                "code": "import time; time.sleep(0.5); n = 3",
            },
            timeout=0.1,
        )
    until(lambda: session.status()["kernel"]["status"] == "idle")
    assert session.text("print(n)") == "3\n"

"""An interrupt ends what runs, wherever it runs, and never the kernel."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Notebook, Ran, Server

SLEEP = "print('running', flush=True)\nimport time\ntime.sleep(100)"
LOOP = "print('running', flush=True)\nwhile True: pass"


def _run_and_interrupt(notebook: Notebook, code: str, interrupt: Callable[[], object]) -> Ran:
    """Run a cell and interrupt it when it has printed."""
    pending = [interrupt]

    def on_message(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and pending:
            pending.pop()()

    return notebook.run(code, on_message=on_message, timeout_s=20)


@pytest.mark.parametrize("code", [SLEEP, LOOP, f"%%local\n{SLEEP}", f"%%local\n{LOOP}"])
def test_the_stop_button(notebook: Notebook, code: str) -> None:
    """Waiting and computing code ends with KeyboardInterrupt, and the next cell runs."""
    ran = _run_and_interrupt(notebook, code, notebook.manager.interrupt_kernel)
    assert (ran.status, ran.reply["ename"]) == ("error", "KeyboardInterrupt")
    assert notebook.run("6 * 7").result == "42"


def test_a_local_await(notebook: Notebook) -> None:
    """A local cell that awaits is interrupted as ipykernel does it."""
    code = "%%local\nprint('running', flush=True)\nimport asyncio\nawait asyncio.sleep(100)"
    ran = _run_and_interrupt(notebook, code, notebook.manager.interrupt_kernel)
    assert ran.status == "error"
    assert notebook.run("%%local\n6 * 7").result == "42"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
@pytest.mark.parametrize("code", [SLEEP, f"%%local\n{SLEEP}"])
def test_a_signal(notebook: Notebook, code: str) -> None:
    """SIGINT does what the stop button does."""
    pid = notebook.pid
    ran = _run_and_interrupt(notebook, code, lambda: os.kill(pid, signal.SIGINT))
    assert ran.reply["ename"] == "KeyboardInterrupt"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_a_signal_while_idle(notebook: Notebook) -> None:
    """SIGINT does nothing where nothing runs."""
    os.kill(notebook.pid, signal.SIGINT)
    notebook.manager.interrupt_kernel()
    assert notebook.run("6 * 7").result == "42"


def test_a_second_press(notebook: Notebook) -> None:
    """Code that catches the first interrupt meets the second."""
    code = (
        "import time\n"
        "for i in range(2):\n"
        "    try:\n"
        "        print('running', flush=True)\n"
        "        time.sleep(100)\n"
        "    except KeyboardInterrupt:\n"
        "        print('caught', flush=True)\n"
    )
    presses: list[object] = []

    def on_message(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and "running" in message["content"]["text"]:
            presses.append(notebook.manager.interrupt_kernel())

    ran = notebook.run(code, on_message=on_message)
    assert ran.status == "ok"
    assert ran.text().count("caught") == 2
    assert len(presses) == 2


def test_direct_mode(start_kernel: Callable[..., Notebook], server: Server, tmp_path: Path) -> None:
    """A cell whose output has yet to come can be interrupted, too."""
    notebook = start_kernel("deepnote", server, DEEPNOTE_MODE="direct")
    flag = tmp_path / "running"
    code = f"open({str(flag)!r}, 'w').close()\nimport time\ntime.sleep(100)"
    msg_id = notebook.client.execute(code)
    deadline = time.monotonic() + 20
    while not flag.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    notebook.manager.interrupt_kernel()
    assert notebook.follow(msg_id).reply["ename"] == "KeyboardInterrupt"


@pytest.mark.parametrize("code", ["print('never')", "%deepnote start\nprint('never')"])
def test_the_start_of_a_session(
    start_kernel: Callable[..., Notebook], server: Server, code: str
) -> None:
    """A start that is interrupted is given up, and no machine is left running."""
    notebook_id = server.new_notebook("import time\ntime.sleep(100)")
    notebook = start_kernel("deepnote", server, DEEPNOTE_NOTEBOOK_ID=notebook_id)

    def on_message(message: dict[str, Any]) -> None:
        text = str(message["content"].get("data", ""))
        if "running the notebook" in text:
            notebook.manager.interrupt_kernel()

    ran = notebook.run(code, on_message=on_message, answers=iter([]))
    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert "never" not in ran.text()
    with server.client() as client:
        sessions = client.get("/v2/sessions").json()["sessions"]
    assert [s for s in sessions if s["notebookId"] == notebook_id] == []

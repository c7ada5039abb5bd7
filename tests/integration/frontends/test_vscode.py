"""A notebook in VS Code, from *Select Kernel* to closing the window."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from tests.integration.frontends.vscode import EXECUTABLE, PANDAS, START, VSCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Notebook, Server

ENDLESS = ["import time\ntime.sleep(600)", "while True: pass"]


@pytest.fixture(scope="module")
def vscode(notebook: Notebook) -> VSCode:
    """A window whose notebook has run a cell."""
    window = VSCode(notebook)
    for code in START:
        window.silently(code)
    notebook.run("pear = 'green'\nfruit = ['apple', pear]")
    return window


def _sessions(server: Server, notebook_id: str) -> list[dict[str, Any]]:
    with server.client() as client:
        sessions = client.get("/v2/sessions").json()["sessions"]
    return [session for session in sessions if session["notebookId"] == notebook_id]


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


# Select Kernel


def test_the_kernel_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``install --user`` writes what VS Code can resolve, start as given, and tell from others."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    command = [sys.executable, "-m", "jupyter", "deepnote", "install", "--user"]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    manager = KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")], ensure_native_kernel=False)
    specs = {name: manager.get_kernel_spec(name) for name in manager.find_kernel_specs()}
    assert {"deepnote", "deepnote-local"} <= set(specs)
    for name, spec in specs.items():
        assert spec.metadata["interpreter"]["path"] == spec.argv[0]
        assert Path(spec.argv[0]).is_absolute()
        assert "{connection_file}" in spec.argv
        assert not any("ipykernel" in argument for argument in spec.argv)
        assert (spec.language, spec.interrupt_mode) == ("python", "message")
        # These count as the default kernel, and are hidden.
        assert not re.match(r"python\d*.?\d*$", name)
        assert not spec.display_name.startswith("Python 3")


def test_selecting_the_kernel_starts_no_machine(
    start_kernel: Callable[..., Notebook], server: Server
) -> None:
    """All that VS Code asks before the first cell is answered, and costs nothing."""
    notebook_id = server.new_notebook()
    notebook = start_kernel("deepnote", server, DEEPNOTE_NOTEBOOK_ID=notebook_id)
    window = VSCode(notebook)
    for channel in (notebook.client.control_channel, notebook.client.shell_channel):
        request = notebook.client.session.msg("kernel_info_request")
        channel.send(request)
        _wait(channel.msg_ready)
        assert channel.get_msg()["parent_header"]["msg_id"] == request["header"]["msg_id"]
    assert [window.silently(code).status for code in START] == ["ok"] * len(START)
    assert window.silently(EXECUTABLE).text() == f"{sys.executable}\n"
    assert "x" not in window.variables()
    assert window.complete("prin") == ["print"]
    assert _sessions(server, notebook_id) == []
    ran = notebook.run("6 * 7", stop_on_error=False)
    assert (ran.result, ran.reply["execution_count"]) == ("42", 1)
    assert len(_sessions(server, notebook_id)) == 1


def test_no_debugger_is_promised(vscode: VSCode) -> None:
    """*Debug Cell* asks for a version first, and is content with no answer."""
    ran = vscode.silently("import ipykernel\nprint(ipykernel.__version__)")
    assert (ran.status, ran.messages) == ("error", [])


# Looking at data


def test_the_variables_view(vscode: VSCode) -> None:
    """It shows the variables of the session, and none of this process."""
    shown = vscode.variables()
    assert shown["pear"] == "'green'"
    assert "math" not in shown


def test_the_items_of_a_variable(vscode: VSCode) -> None:
    """What is unfolded there is remote, too."""
    assert vscode.children("fruit") == ["'apple'", "'green'"]


def test_the_data_viewer(vscode: VSCode) -> None:
    """It pages through a remote table."""
    vscode.notebook.run("import pandas as pd\ntable = pd.DataFrame({'n': range(1000)})")
    assert re.match(r"\d+\.\d+", vscode.silently(PANDAS).text())
    info = vscode.data_frame("info", "table")
    assert info == {"columns": [{"key": "n", "type": "int64"}], "rowCount": 1000}
    assert vscode.data_frame("rows", "table", "998", "1000")["data"] == [[998], [999]]


def test_looking_leaves_no_trace(vscode: VSCode) -> None:
    """Neither numbers of cells nor histories nor the session's names know of it."""
    before = vscode.notebook.run("before = set(dir())\nlen(In)")
    vscode.variables()
    vscode.children("fruit")
    vscode.notebook.run("import pandas as pd\ntable = pd.DataFrame({'n': [1]})")
    vscode.data_frame("info", "table")
    after = vscode.notebook.run("sorted(set(dir()) - before - {'before', 'pd', 'table'}), len(In)")
    names, inputs = eval(after.result)
    assert after.reply["execution_count"] == before.reply["execution_count"] + 2
    assert inputs == int(before.result) + 2
    assert [name for name in names if not re.match(r"_i?\d+$", name)] == []
    content = vscode.notebook.client.history(hist_access_type="tail", n=20, reply=True, timeout=10)
    assert "_VSCODE" not in json.dumps(content["content"]["history"])


def test_a_variable_that_cannot_be_shown(vscode: VSCode) -> None:
    """The error is VS Code's to show; no cell counts as failed for it."""
    ran = vscode.silently("_VSCODE_getDataFrame('info', False, nowhere)")
    assert (ran.status, ran.reply["ename"]) == ("error", "NameError")
    assert vscode.variables()["pear"] == "'green'"


# Typing


def test_completion_and_description(vscode: VSCode) -> None:
    """The detour through a thread of this kernel ends at the session's names."""
    vscode.notebook.run("def pick():\n    'Pick a pear.'")
    assert vscode.complete("pea") == ["pear"]
    assert "Pick a pear." in vscode.describe("pick")


def test_completing_code_that_looks_like_the_variables_view(vscode: VSCode) -> None:
    """What the person's cell contains decides nothing."""
    assert "pear" in vscode.complete("%who_ls\npea")


# Running


def test_the_reply_tells_of_a_failure(vscode: VSCode) -> None:
    """VS Code keeps the queue of cells itself, and stops it at an error reply alone."""
    ran = vscode.notebook.run("1 / 0", stop_on_error=False)
    assert (ran.status, ran.reply["ename"]) == ("error", "ZeroDivisionError")


def test_an_input_box_that_is_closed(vscode: VSCode) -> None:
    """VS Code answers for the person, with nothing."""
    assert vscode.notebook.run("input('?')", answers=iter([""])).result == "''"


@pytest.mark.parametrize("code", ENDLESS)
def test_interrupt(vscode: VSCode, code: str) -> None:
    """The request is answered while the cell runs, and the cell ends without a restart offered."""
    client = vscode.notebook.client
    asked: list[str] = []

    def press(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            request = client.session.msg("interrupt_request")
            client.control_channel.send(request)
            asked.append(request["header"]["msg_id"])

    ran = vscode.notebook.run(f"print('running', flush=True)\n{code}", on_message=press)
    assert ran.reply["ename"] == "KeyboardInterrupt"
    reply = client.get_control_msg(timeout=10)
    assert (reply["msg_type"], reply["parent_header"]["msg_id"]) == ("interrupt_reply", asked[0])
    assert vscode.variables()["pear"] == "'green'"


# Stopping


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("code", ["", ENDLESS[0]])
def test_restart_leaves_one_session(
    start_kernel: Callable[..., Notebook], server: Server, code: str
) -> None:
    """VS Code starts the next kernel without waiting for the last, which it only signals."""
    notebook_id = server.new_notebook()
    first = start_kernel("deepnote", server, DEEPNOTE_NOTEBOOK_ID=notebook_id)
    first.run("x = 1")
    [old] = _sessions(server, notebook_id)
    if code:
        first.client.execute(code)
    os.kill(first.pid, signal.SIGTERM)
    second = start_kernel("deepnote", server, DEEPNOTE_NOTEBOOK_ID=notebook_id)
    assert second.run("x").reply["ename"] == "NameError"
    _wait(lambda: old["id"] not in [each["id"] for each in _sessions(server, notebook_id)])
    assert len(_sessions(server, notebook_id)) == 1
    os.kill(second.pid, signal.SIGTERM)
    _wait(lambda: not _sessions(server, notebook_id))
    _wait(lambda: not second.manager.is_alive())

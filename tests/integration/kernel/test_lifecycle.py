"""When a session starts, and that it ends."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Notebook, Server

# What VS Code sends when a kernel is selected; all of it with these options.
VS_CODE: dict[str, Any] = {"store_history": False, "stop_on_error": False}
VS_CODE_START = [
    "import sys as _VSCODE_sys; print(_VSCODE_sys.executable); del _VSCODE_sys",
    "import ipywidgets as _VSCODE_ipywidgets; print(_VSCODE_ipywidgets.__version__)",
    """def __VSCODE_inject_module():
    pass
__VSCODE_inject_module()
__vsc_ipynb_file__ = "/home/me/a.ipynb"
%config Completer.use_jedi = False""",
    "import math  # of the person's jupyter.runStartupCommands",
]


def _sessions(server: Server) -> list[dict[str, Any]]:
    with server.client() as client:
        sessions: list[dict[str, Any]] = client.get("/v2/sessions").json()["sessions"]
    return sessions


def _wait_until_ended(server: Server, session_id: str) -> None:
    deadline = time.monotonic() + 20
    while any(s["id"] == session_id for s in _sessions(server)):
        assert time.monotonic() < deadline, "the session still runs"
        time.sleep(0.05)


def _wait_until_dead(notebook: Notebook) -> None:
    deadline = time.monotonic() + 10
    while notebook.manager.is_alive():
        assert time.monotonic() < deadline, "the kernel still runs"
        time.sleep(0.05)


def _session_id(notebook: Notebook) -> str:
    notebook.run("pass")
    found = notebook.run("%%local\nget_ipython().kernel.remote.session.session_id")
    return found.result.strip("'")


def test_nothing_starts_before_the_first_cell(
    start_kernel: Callable[..., Notebook], start_server: Callable[..., Server]
) -> None:
    """Selecting a kernel, completing, VS Code's start and local lines create no session."""
    server = start_server()
    notebook = start_kernel("deepnote", server)
    client = notebook.client
    for code in VS_CODE_START:
        assert notebook.run(code, **VS_CODE).status == "ok"
    client.complete("prin", reply=True, timeout=10)
    client.inspect("print", reply=True, timeout=10)
    client.comm_info(reply=True, timeout=10)
    notebook.run("", silent=True)
    notebook.run("%deepnote status")
    notebook.run("%%local\n1")
    assert _sessions(server) == []
    notebook.run("pass")
    assert len(_sessions(server)) == 1


def test_the_variables_view_of_vs_code(notebook: Notebook) -> None:
    """It shows the variables of the session."""
    notebook.run("pear = 1")
    assert "pear" in notebook.run("names = %who_ls\nprint(names)", **VS_CODE).text()


def test_completion_by_vs_code(notebook: Notebook) -> None:
    """Its detour through the local shell ends at the session's names."""
    notebook.run("pineapple = 1")
    code = (
        "def __jupyter_exec_background__():\n"
        "    print(get_ipython().kernel.do_complete('pineap', 6)['matches'])\n"
        "__jupyter_exec_background__()"
    )
    deadline = time.monotonic() + 20
    while notebook.run(code, **VS_CODE).text() != "['pineapple']\n":
        assert time.monotonic() < deadline, "the far side takes more than a second each time"


def test_no_debugger_is_promised_to_vs_code(notebook: Notebook) -> None:
    """It would otherwise begin to debug a cell."""
    ran = notebook.run("import ipykernel\nprint(ipykernel.__version__)", **VS_CODE)
    assert (ran.status, ran.messages) == ("error", [])


@pytest.mark.parametrize("mode", ["live", "direct"])
def test_a_restart_gives_an_empty_namespace(
    start_kernel: Callable[..., Notebook], server: Server, mode: str
) -> None:
    """After a restart nothing is known of what was before, and no second machine runs."""
    notebook_id = server.new_notebook()
    notebook = start_kernel(
        "deepnote", server, DEEPNOTE_NOTEBOOK_ID=notebook_id, DEEPNOTE_MODE=mode
    )
    notebook.run("x = 1")
    notebook.manager.restart_kernel()
    notebook.client.wait_for_ready(timeout=30)
    assert notebook.run("x").reply["ename"] == "NameError"
    deadline = time.monotonic() + 20
    while len([s for s in _sessions(server) if s["notebookId"] == notebook_id]) > 1:
        assert time.monotonic() < deadline, "the old session still runs"
        time.sleep(0.05)


def test_shutdown_ends_the_session(start_kernel: Callable[..., Notebook], server: Server) -> None:
    """Closing a notebook leaves no machine running."""
    notebook = start_kernel("deepnote", server)
    session_id = _session_id(notebook)
    notebook.manager.shutdown_kernel()
    _wait_until_ended(server, session_id)


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("code", ["", "import time\ntime.sleep(100)", "%%local\nwhile True: pass"])
def test_sigterm_ends_the_session(
    start_kernel: Callable[..., Notebook], server: Server, code: str
) -> None:
    """VS Code sends nothing else, whether or not a cell runs."""
    notebook = start_kernel("deepnote", server)
    session_id = _session_id(notebook)
    if code:
        notebook.client.execute(code)
    os.kill(notebook.pid, signal.SIGTERM)
    _wait_until_ended(server, session_id)
    _wait_until_dead(notebook)


@pytest.mark.parametrize("code", ["exit", "%%local\nexit()"])
def test_exit_ends_the_kernel_and_the_session(
    start_kernel: Callable[..., Notebook], server: Server, code: str
) -> None:
    """It does what it does in any kernel, and leaves no machine running."""
    notebook = start_kernel("deepnote", server)
    session_id = _session_id(notebook)
    assert notebook.run(code).status == "ok"
    _wait_until_ended(server, session_id)
    _wait_until_dead(notebook)


def test_a_session_that_ended_is_not_replaced_in_silence(
    start_kernel: Callable[..., Notebook], server: Server
) -> None:
    """The cell says that the variables are lost; only the person starts another session."""
    notebook = start_kernel("deepnote", server)
    session_id = _session_id(notebook)
    with server.client() as client:
        client.delete(f"/v2/sessions/{session_id}")
    for _ in range(2):
        ran = notebook.run("print('ran')")
        assert (ran.status, ran.reply["ename"]) == ("error", "SessionGoneError")
        assert "%deepnote start" in ran.reply["evalue"]
        assert len(ran.reply["traceback"]) == 1
    assert notebook.run("%deepnote start\nprint('ran')").text().endswith("ran\n")


def test_a_file_of_the_notebook_folder_hides_no_library(
    start_kernel: Callable[..., Notebook], server: Server, tmp_path: Any
) -> None:
    """A notebook may stand beside a file named like a library this kernel needs."""
    for name in ("zmq", "json", "httpx", "msgspec"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported by mistake')\n")
    (tmp_path / "mine.py").write_text("value = 42\n")
    notebook = start_kernel("deepnote", server, cwd=tmp_path)
    assert notebook.run("6 * 7").result == "42"
    assert notebook.run("%%local\nimport mine\nmine.value").result == "42"

"""What the person reads when something is wrong: one line that says what, and what to do."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Notebook, Ran, Server


def _one_line(ran: Ran, ename: str) -> str:
    """Check that a cell ended with one line of an expected error; return the line."""
    assert ran.status == "error"
    assert ran.reply["ename"] == ename
    errors = ran.contents("error")
    assert len(errors) == 1
    assert len(errors[0]["traceback"]) == 1
    line: str = ran.reply["evalue"]
    assert "\n" not in line
    assert line.endswith(".")
    return line


def test_without_a_token(start_kernel: Callable[..., Notebook]) -> None:
    """The first cell says what to set, and which kernel needs nothing."""
    line = _one_line(start_kernel("deepnote").run("1"), "MissingTokenError")
    assert "DEEPNOTE_TOKEN" in line
    assert "Deepnote (local)" in line


def test_without_a_notebook(start_kernel: Callable[..., Notebook]) -> None:
    """The first cell says how to choose one."""
    line = _one_line(start_kernel("deepnote", DEEPNOTE_TOKEN="t").run("1"), "ConfigError")
    assert "DEEPNOTE_NOTEBOOK_ID" in line
    assert "%deepnote start" in line


def test_a_setting_that_cannot_be_read(start_kernel: Callable[..., Notebook]) -> None:
    """The kernel starts all the same, and the first cell says which variable is wrong."""
    notebook = start_kernel("deepnote", DEEPNOTE_IDLE_SHUTDOWN="soon")
    assert "DEEPNOTE_IDLE_SHUTDOWN" in _one_line(notebook.run("1"), "ConfigError")
    assert "DEEPNOTE_IDLE_SHUTDOWN" in _one_line(notebook.run("%deepnote status"), "ConfigError")


def test_a_wrong_token(start_kernel: Callable[..., Notebook], server: Server) -> None:
    """The server's refusal names the variable to look at, not its value."""
    notebook = start_kernel("deepnote", server, DEEPNOTE_TOKEN="canary-of-the-test")
    line = _one_line(notebook.run("1"), "UnauthorizedError")
    assert "DEEPNOTE_TOKEN" in line
    assert "canary" not in line


def test_an_unknown_notebook(start_kernel: Callable[..., Notebook], server: Server) -> None:
    """The notebook is named as what was not found."""
    notebook = start_kernel("deepnote", server, DEEPNOTE_NOTEBOOK_ID="0" * 32)
    assert "otebook" in _one_line(notebook.run("1"), "NotFoundError")


def test_a_server_that_is_not_there(start_kernel: Callable[..., Notebook], server: Server) -> None:
    """The address is named."""
    url = "http://127.0.0.1:9"
    notebook = start_kernel("deepnote", server, DEEPNOTE_BASE_URL=url)
    assert "127.0.0.1:9" in _one_line(notebook.run("1"), "ConnectionFailedError")


def test_a_failed_start_can_be_tried_again(
    start_kernel: Callable[..., Notebook], server: Server
) -> None:
    """Once the mistake is mended, the same kernel runs the cell."""
    notebook = start_kernel("deepnote", server, DEEPNOTE_NOTEBOOK_ID="0" * 32)
    notebook.run("1")
    started = notebook.run(f"%deepnote start {server.new_notebook()}")
    assert started.status == "ok", started.reply
    assert notebook.run("6 * 7").result == "42"


def test_a_server_that_dies_in_mid_cell(
    start_kernel: Callable[..., Notebook], start_server: Callable[..., Server]
) -> None:
    """The stop button gives the kernel back, and what was printed before stays."""
    server = start_server()
    notebook = start_kernel("deepnote", server)
    pressed_at = [time.monotonic()]

    def on_message(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and "before" in message["content"]["text"]:
            server.process.send_signal(signal.SIGKILL)

    def press() -> None:
        if server.process.poll() is not None and time.monotonic() > pressed_at[-1] + 1:
            notebook.manager.interrupt_kernel()
            pressed_at.append(time.monotonic())

    code = "print('before', flush=True)\nimport time\ntime.sleep(60)"
    ran = notebook.run(code, on_message=on_message, meanwhile=press, timeout_s=40)
    assert ran.text() == "before\n"
    assert ran.status == "error"
    assert ran.reply["evalue"].endswith(".")


def test_a_far_kernel_that_dies(start_kernel: Callable[..., Notebook], server: Server) -> None:
    """The cell says so without waiting for a kernel that stays away, and a restart replaces it."""
    notebook = start_kernel("deepnote", server)
    line = _one_line(notebook.run("import os; os._exit(1)"), "KernelDiedError")
    assert "%deepnote restart" in line
    assert _one_line(notebook.run("1"), "KernelDiedError") == line
    assert notebook.run("%deepnote restart").status == "ok"
    assert notebook.run("6 * 7").result == "42"


def test_a_network_that_is_away_for_a_while(
    start_kernel: Callable[..., Notebook], server: Server
) -> None:
    """A cell in an editor says that nothing is heard of it, then that nothing is lost."""
    notebook = start_kernel("deepnote", server)
    notebook.run("1")
    with server.client() as client:
        fault = {"path": "*/execute", "effect": "drop"}
        fault_id = client.post("/faults", json=fault).json()["fault"]["id"]

        def mend(message: dict[str, Any]) -> None:
            if message["msg_type"] == "display_data":
                client.delete(f"/faults/{fault_id}").raise_for_status()

        ran = notebook.run("print('here')", on_message=mend, answers=iter(()))
    (trouble,), (over,) = ran.contents("display_data"), ran.contents("update_display_data")
    assert "trying again" in trouble["data"]["text/plain"]
    assert "nothing is lost" in over["data"]["text/plain"]
    assert over["transient"] == trouble["transient"]
    assert ran.text() == "here\n"


@pytest.mark.parametrize("html", [False, True])
def test_a_proxy_in_trouble(
    start_kernel: Callable[..., Notebook], start_server: Callable[..., Server], *, html: bool
) -> None:
    """A session that cannot be created says so in one line, whatever the proxy's page is."""
    server = start_server()
    with server.client() as client:
        fault = {"path": "/v2/sessions", "effect": "status", "status": 502, "html": html}
        client.post("/faults", json=fault).raise_for_status()
    line = _one_line(start_kernel("deepnote", server).run("1"), "ServerError")
    assert "502" in line
    assert "<" not in line

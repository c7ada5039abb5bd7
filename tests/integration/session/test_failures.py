"""What a network, a proxy, a server and a kernel may do to a cell; each told, none run twice."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.errors import (
    DeepnoteError,
    ExecutionTimeoutError,
    RateLimitedError,
    SessionError,
    SessionGoneError,
)
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import Server
    from tests.integration.session.conftest import Tester


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "drop"},
        {"effect": "status", "status": 502, "html": True},
        {"effect": "status", "status": 503},
        {"effect": "status", "status": 504, "html": True},
    ],
)
def test_lost_answer_is_told_and_the_cell_has_run_once(
    tester: Tester, fault: dict[str, Any]
) -> None:
    """The cell ran, its outputs are lost, and nothing sends it again."""
    tester.run("runs = 0")
    tester.fault("execute", when="after", ordinals=[1], **fault)
    with pytest.raises(SessionError, match="may have run, but its outputs are lost") as caught:
        tester.run("print('lost')\nruns += 1")
    assert "\n" not in str(caught.value)
    assert "<" not in str(caught.value)
    assert tester.value("runs") == "1"


def test_request_that_never_arrived_is_not_repeated_either(tester: Tester) -> None:
    """A connection that breaks does not say on which way; the cell is the person's to run."""
    tester.run("runs = 0")
    tester.fault("execute", "drop", ordinals=[1])
    with pytest.raises(SessionError, match="may have run"):
        tester.run("runs += 1")
    assert tester.value("runs") == "0"


def test_lost_answer_waits_for_the_cell_to_end(tester: Tester) -> None:
    """When the error is told, the kernel is free for the next cell."""
    tester.run("runs = 0")
    tester.fault("execute", "status", when="before", ordinals=[1], status=502)
    with pytest.raises(SessionError, match="may have run"):
        tester.run("import time; time.sleep(0.5); runs += 1")
    assert tester.remote.status().state == "idle"


def test_rate_limit_is_waited_out(tester: Tester) -> None:
    """A refusal for its rate leaves nothing done, and is a delay and no more."""
    tester.run("runs = 0")
    tester.fault("execute", "status", status=429, retryAfter=0, ordinals=[1, 2])
    assert tester.reply("runs += 1")["status"] == "ok"
    assert tester.value("runs") == "1"


def test_rate_limit_that_does_not_end_is_told(tester: Tester) -> None:
    """After some patience the person learns why nothing happens."""
    tester.run("runs = 0")
    fault = tester.fault("execute", "status", status=429, retryAfter=0)
    with pytest.raises(RateLimitedError, match="429"):
        tester.run("runs += 1")
    tester.ask("DELETE", f"/faults/{fault}")
    assert tester.value("runs") == "0"


@pytest.mark.parametrize("after_timeout", ["keep", "interrupt"])
def test_late_cell_is_interrupted_and_the_next_one_runs(
    start_server: Callable[..., Server], connect: Callable[..., Tester], after_timeout: str
) -> None:
    """Whatever the server does with late code, the kernel is free afterwards."""
    server = start_server("--execute-limit", "500", "--after-timeout", after_timeout)
    tester = connect(server)
    tester.run("x = 1")
    with pytest.raises(ExecutionTimeoutError, match=r"limit of direct mode.*Live mode"):
        tester.run("import time; time.sleep(100)")
    assert tester.value("x") == "1"


def test_kernel_that_dies_in_mid_cell_is_told(tester: Tester) -> None:
    """A dead kernel is an error that says what is lost; the cell is not run again."""
    tester.run("x = 1")
    with pytest.raises(SessionError, match=r"kernel is unavailable.*%deepnote restart"):
        tester.run("import os; os._exit(1)")
    tester.remote.restart(tester.lines.append)
    assert tester.reply("x")["ename"] == "NameError"


def test_session_that_expires_in_mid_cell_is_told(tester: Tester) -> None:
    """An end in the middle of a cell says that the variables are lost."""
    tester.remote.start()
    session_id = tester.session_id

    def expire() -> None:
        wait_until(lambda: tester.remote.status().state == "busy")
        tester.ask("POST", f"/faults/sessions/{session_id}/expire_session")

    thread = threading.Thread(target=expire)
    thread.start()
    with pytest.raises(SessionError, match="variables are lost"):
        tester.run("import time; time.sleep(100)")
    thread.join()


def test_server_that_is_killed_in_mid_cell_is_told(
    start_server: Callable[..., Server], connect: Callable[..., Tester]
) -> None:
    """A connection that breaks for good is told within seconds, in one line."""
    server = start_server()
    tester = connect(server)
    tester.remote.start()

    def kill() -> None:
        wait_until(lambda: tester.remote.status().state == "busy")
        server.process.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(SessionError, match="may still be running, but its outputs are lost"):
        tester.run("import time; time.sleep(100)")
    thread.join()


def test_notebook_that_is_busy_with_a_run_is_waited_for(tester: Tester) -> None:
    """A cell refused for a tracked run is sent again when that has ended."""
    tester.run("x = 1")
    notebook_id = tester.remote.status().notebook_id
    copy = next(
        session["sessionNotebookId"]
        for session in tester.ask("GET", "/v2/sessions")["sessions"]
        if session["id"] == tester.session_id
    )
    block = {"notebookId": copy, "type": "code", "content": "import time; time.sleep(0.5); x = 2"}
    block_id = tester.ask("POST", "/v2/blocks", **block)["block"]["id"]
    path = f"/v2/sessions/{tester.session_id}/runs"
    tester.ask("POST", path, notebookId=notebook_id, blockIds=[block_id])
    assert tester.value("x") == "2"


class Proxy(http.server.BaseHTTPRequestHandler):
    """Answers every request as the test says."""

    status = 200
    body = b""

    def do_POST(self) -> None:
        """Answer a POST."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_DELETE = do_POST  # noqa: N815 - the base class calls them so

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy_url() -> Iterator[str]:
    """Address of a server that is not Deepnote."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b'{"session": {"id": "s', "cannot be read"),
        (200, b"<html><body>Please log in</body></html>", "web page"),
        (502, b"<html><body>Bad gateway</body></html>", "502"),
        (404, b"<html><body>No such page</body></html>", "web page"),
        (302, b"", "redirect"),
    ],
)
def test_proxy_in_deepnotes_place_is_told(
    tester: Tester, proxy_url: str, status: int, body: bytes, said: str
) -> None:
    """Whatever a proxy answers, the first cell says in one line that it was not Deepnote."""
    Proxy.status, Proxy.body = status, body
    tester.remote.use(base_url=proxy_url, notebook_id="nb1")
    with pytest.raises(DeepnoteError, match=said) as caught:
        tester.run("1")
    assert "\n" not in str(caught.value)
    assert "<" not in str(caught.value)


def test_gone_session_is_not_restarted_by_a_cell(tester: Tester) -> None:
    """A cell that finds no session never starts one in the middle of a notebook."""
    tester.run("x = 1")
    tester.fault("execute", "expire_session", when="before", ordinals=[1])
    with pytest.raises(SessionGoneError):
        tester.run("x")
    with pytest.raises(SessionGoneError):
        tester.run("x")
    assert tester.records.all() == []

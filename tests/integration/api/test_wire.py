"""The clients over real sockets: connections kept, lost, refused and never answered."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.api import AsyncClient, Client, Retry, files, me, sessions
from deepnote_kernel.config import Secret
from deepnote_kernel.errors import ConnectionFailedError, RequestTimeoutError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deepnote_kernel.api import Call

EXECUTE = sessions.execute("s", notebook_id="n", code="1")
QUICK = Retry(base_s=0.01)


class Handler(BaseHTTPRequestHandler):
    """Does to each connection what its server's script says, then answers."""

    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        """Count the connection."""
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        """Follow the script, or answer with the outputs to give."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests += 1
        act = self.server.script.pop(0) if self.server.script else "answer"
        if act == "hold":
            self.server.released.wait(30)
        if act in {"drop", "hold"}:
            self.close_connection = True
            return
        body = json.dumps({"outputs": self.server.outputs}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if act == "answer half" else body)
        self.close_connection = act in {"answer and close", "answer half"}

    do_GET = do_POST  # noqa: N815 - the names http.server looks for

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    """A server that loses connections when told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0
        self.requests = 0
        self.script: list[str] = []
        self.outputs: list[Any] = []
        self.released = threading.Event()
        self.closed = threading.Event()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, and tell."""
        super().shutdown_request(request)
        self.closed.set()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve on a free port until the test ends."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def blocking(url: str, *calls: Call[Any], between: Callable[[], object] = bool) -> list[Any]:
    """Send calls one after the other through the blocking client, with something after each."""
    with Client(token=Secret("t"), base_url=url, retry=QUICK) as client:
        return [(client.send(call), between())[0] for call in calls]


def awaiting(url: str, *calls: Call[Any], between: Callable[[], object] = bool) -> list[Any]:
    """Send calls one after the other through the asynchronous client, with something after each."""

    async def main() -> list[Any]:
        async with AsyncClient(token=Secret("t"), base_url=url, retry=QUICK) as client:
            return [(await client.send(call), between())[0] for call in calls]

    return asyncio.run(main())


pytestmark = pytest.mark.parametrize("send", [blocking, awaiting])


def test_calls_share_a_connection(server: Server, send: Callable[..., list[Any]]) -> None:
    """The second call pays for no connection."""
    assert send(server.url, EXECUTE, me.get(), EXECUTE)[0] == []
    assert (server.requests, server.connections) == (3, 1)


def test_a_connection_the_server_closed_is_not_used(
    server: Server, send: Callable[..., list[Any]]
) -> None:
    """A code call goes out on a fresh connection when the old one has ended meanwhile."""
    server.script = ["answer and close"]
    send(server.url, EXECUTE, EXECUTE, between=lambda: server.closed.wait(10))
    assert (server.requests, server.connections) == (2, 2)


def test_code_is_not_sent_again_when_the_answer_is_lost(
    server: Server, send: Callable[..., list[Any]]
) -> None:
    """The server got the request and dropped the connection: the cell may have run."""
    server.script = ["drop"]
    with pytest.raises(TransportError, match=r"lost its connection.*may have been carried out"):
        send(server.url, EXECUTE)
    assert server.requests == 1


def test_a_question_is_asked_again_when_the_answer_is_lost(
    server: Server, send: Callable[..., list[Any]]
) -> None:
    """A GET survives two lost connections."""
    server.script = ["drop", "drop"]
    send(server.url, me.get())
    assert server.requests == 3


def test_a_download_that_breaks_off_starts_again(
    server: Server, send: Callable[..., list[Any]], tmp_path: Path
) -> None:
    """What had come is dropped, and the target holds the whole file in the end."""
    server.script = ["answer half"]
    target = tmp_path / "target"
    send(server.url, files.download("p", "a", target))
    assert json.loads(target.read_bytes()) == {"outputs": []}
    assert (server.requests, list(tmp_path.iterdir())) == (2, [target])


def test_an_answer_that_does_not_come_is_given_up(
    server: Server, send: Callable[..., list[Any]]
) -> None:
    """The call's own time limit ends the wait."""
    server.script = ["hold"]
    with pytest.raises(RequestTimeoutError, match=r"no answer within 0.05 s"):
        send(server.url, EXECUTE.replace(timeout_s=0.05))


def test_large_outputs_arrive_whole(server: Server, send: Callable[..., list[Any]]) -> None:
    """Twenty megabytes of output are an answer like any other."""
    server.outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * 20_000_000}]
    assert send(server.url, EXECUTE) == [server.outputs]


def test_a_server_that_is_off_is_named(send: Callable[..., list[Any]]) -> None:
    """A refused connection says where nobody listens and how to start somebody who does."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ConnectionFailedError, match=f"did not reach {url} after 3 attempts"):
            send(url, me.get())


def test_no_proxy_stands_between_two_programs_of_one_computer(
    server: Server, send: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the environment does not see local calls, nor their token."""
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert send(server.url, EXECUTE) == [[]]

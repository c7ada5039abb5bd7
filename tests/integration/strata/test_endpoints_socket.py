"""A notebook's socket on a real server: what it tells, what it takes, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, TypeVar

import pytest
from websockets.sync.server import serve as serve_sockets

from deepnote_kernel.errors import (
    ConnectionFailedError,
    RequestTimeoutError,
    ResponseFormatError,
    TransportError,
)
from deepnote_kernel.strata import AsyncClient
from deepnote_kernel.strata.calls import cells, notebooks
from deepnote_kernel.strata.refusals import SessionClosedError
from deepnote_kernel.strata.socket import Socket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.models import Notebook
    from tests.integration.strata.servers import StrataServer

T = TypeVar("T")


@pytest.fixture
def new_cell(client: Client, notebook: Notebook) -> Callable[[str], str]:
    """Add cells with a source."""

    def new(source: str) -> str:
        cell = client.send(cells.add(notebook.session_id))
        client.send(cells.update(notebook.session_id, cell.id, source=source))
        return cell.id

    return new


def run(strata: StrataServer, notebook: Notebook, use: Callable[[Socket], Awaitable[T]]) -> T:
    """Use a socket of the notebook."""

    async def main() -> T:
        async with Socket(notebook.session_id, strata.url) as socket:
            return await use(socket)

    return asyncio.run(main())


def test_a_run_is_told_as_it_happens(
    strata: StrataServer, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """A cell that the socket starts runs, prints, shows and is ready."""
    cell_id = new_cell("print('hi')\n6 * 7")

    async def use(socket: Socket) -> list[str]:
        await socket.send("cell_execute", cell_id=cell_id)
        told = []
        async for frame in socket:
            if frame.payload.get("cell_id") != cell_id:
                continue
            told.append(frame.payload.get("status", frame.type))
            if told[-1] == "cell_output":
                assert frame.payload["displays"][-1]["preview"] == 42
            if told[-1] == "ready":
                break
        return told

    told = run(strata, notebook, use)
    assert told == ["running", "cell_console", "cell_output", "ready"]


def test_a_run_over_rest_is_told_too(
    strata: StrataServer, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """Who watches sees what others run."""
    cell_id = new_cell("'seen'")

    async def use(socket: Socket) -> str:
        async with AsyncClient(strata.url) as client:
            await client.send(cells.execute(notebook.session_id, cell_id))
        frame = await socket.wait_for("cell_output")
        return f"{frame.payload['cell_id']} {frame.payload['display']['preview']}"

    assert run(strata, notebook, use) == f"{cell_id} seen"


def test_a_cell_is_cancelled(
    strata: StrataServer, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """A running cell ends when the socket says so, on every version."""
    cell_id = new_cell("import time; time.sleep(60)")

    async def use(socket: Socket) -> str:
        await socket.send("cell_execute", cell_id=cell_id)
        await socket.wait_for("cell_status")
        await socket.send("cell_cancel", cell_id=cell_id)
        status: str = (await socket.wait_for("cell_status")).payload["status"]
        return status

    assert run(strata, notebook, use) == "idle"


def test_the_inspector_evaluates_among_a_cells_variables(
    strata: StrataServer, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """It has what the cell takes from others."""
    producer, consumer = new_cell("answer = 42"), new_cell("answer")

    async def use(socket: Socket) -> tuple[str, str]:
        async with AsyncClient(strata.url) as client:
            await client.send(cells.execute(notebook.session_id, producer))
        await socket.send("inspect_open", cell_id=consumer)
        assert (await socket.wait_for("inspect_result")).payload["ok"]
        await socket.send("inspect_eval", cell_id=consumer, expr="answer + 1")
        payload = (await socket.wait_for("inspect_result")).payload
        await socket.send("inspect_close", cell_id=consumer)
        return payload["result"], payload["type"]

    assert run(strata, notebook, use) == ("43", "int")


def test_a_frame_may_be_large(
    strata: StrataServer, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """Two million characters arrive whole."""
    cell_id = new_cell("'x' * 2_000_000")

    async def use(socket: Socket) -> int:
        await socket.send("cell_execute", cell_id=cell_id)
        frame = await socket.wait_for("cell_output")
        return len(frame.payload["display"]["preview"])

    assert run(strata, notebook, use) == 2_000_000


def test_a_viewer_changes_nothing(
    strata: StrataServer, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """A socket that only looks may not run a cell."""
    cell_id = new_cell("1")

    async def main() -> str:
        async with Socket(notebook.session_id, strata.url, is_viewer=True) as socket:
            await socket.send("cell_execute", cell_id=cell_id)
            code: str = (await socket.wait_for("error")).payload["code"]
            return code

    assert asyncio.run(main()) == "read_only"


def test_a_session_that_closes_says_why(strata: StrataServer, client: Client) -> None:
    """The last frame tells the reason; then nothing more comes, and nothing more can be sent."""
    notebook = strata.new_notebook(client, "closing")

    async def use(socket: Socket) -> str:
        async with AsyncClient(strata.url) as other:
            await other.send(notebooks.close(notebook.session_id))
        frames = [frame async for frame in socket]
        with pytest.raises(TransportError, match="has closed"):
            await socket.send("notebook_sync")
        with pytest.raises(TransportError, match="open the notebook by its path again"):
            await socket.wait_for("notebook_state")
        reason: str = frames[-1].payload["reason"]
        return reason

    assert run(strata, notebook, use) == "closed"


def test_what_does_not_come_is_waited_for_so_long(strata: StrataServer, notebook: Notebook) -> None:
    """Waiting has an end."""

    async def use(socket: Socket) -> None:
        with pytest.raises(RequestTimeoutError, match=r"sent no nothing within 0.1 s"):
            await socket.wait_for("nothing", timeout_s=0.1)

    run(strata, notebook, use)


def test_a_session_that_does_not_exist(strata: StrataServer) -> None:
    """The socket is refused as the session's calls are."""
    with pytest.raises(SessionClosedError, match="Open the notebook by its path again"):
        asyncio.run(Socket("nope", strata.url).open())


def test_a_server_that_is_down() -> None:
    """The address is named, and how to start a server."""
    with pytest.raises(ConnectionFailedError, match="strata-notebook` starts a server"):
        asyncio.run(Socket("nope", "http://127.0.0.1:9").open())


def test_a_socket_that_was_never_opened() -> None:
    """Nothing can be sent before there is a connection."""
    with pytest.raises(TransportError, match="Open it first"):
        asyncio.run(Socket("nope").send("notebook_sync"))


@pytest.fixture
def odd_server() -> Iterator[str]:
    """Serve sockets that are not Strata's: each is refused, or sent what is no frame."""

    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        return connection.respond(404, "no") if request.path.endswith("refused") else None

    with serve_sockets(
        lambda connection: connection.send("hello"), "127.0.0.1", 0, process_request=refuse
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        host, port = server.socket.getsockname()
        yield f"http://{host}:{port}"
        server.shutdown()
        thread.join()


def test_what_is_no_frame(odd_server: str) -> None:
    """Another server's words are an error that names the setting."""

    async def main() -> None:
        async with Socket("s", odd_server) as socket:
            with pytest.raises(ResponseFormatError, match=r"cannot be read.*Check STRATA_URL"):
                await socket.wait_for("notebook_state")

    asyncio.run(main())


def test_another_refusal(odd_server: str) -> None:
    """What is not Strata's refusal is not taken for the end of a session."""
    with pytest.raises(ConnectionFailedError, match=r"answered 404\. Check STRATA_URL"):
        asyncio.run(Socket("refused", odd_server).open())


def test_a_headers_value_is_in_no_log(odd_server: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nor in a repr, whoever debugs what."""
    caplog.set_level(logging.DEBUG)
    secret = "canary-5d41402abc4b2a76"

    async def main() -> str:
        async with Socket("s", odd_server, headers={"X-Token": secret}) as socket:
            return repr(socket)

    shown = asyncio.run(main())
    assert shown == f"Socket('s', {odd_server!r})"
    # The server's own log, in this process, has what it received.
    records = [r for r in caplog.records if not r.name.startswith("websockets.server")]
    assert secret not in "".join(record.getMessage() for record in records)

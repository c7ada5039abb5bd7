"""What a real server refuses, and what a person then reads: one line with what to do."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.api import Retry
from deepnote_kernel.errors import (
    BadRequestError,
    ConnectionFailedError,
    DeepnoteError,
    NotFoundError,
    ServerError,
)
from deepnote_kernel.strata import AsyncClient, Client
from deepnote_kernel.strata.calls import cells, core, data, environment, notebooks, sessions
from deepnote_kernel.strata.refusals import (
    CellLockedError,
    EnvironmentBusyError,
    NameTakenError,
    NotebookBusyError,
    SessionClosedError,
)
from tests.integration.strata.servers import wait_for_job
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from deepnote_kernel.api import Call
    from deepnote_kernel.strata.models import Notebook
    from tests.integration.strata.servers import StrataServer


def refused(client: Client, call: Call[Any], kind: type[DeepnoteError]) -> str:
    """Send a call that must be refused; return what a person reads."""
    with pytest.raises(kind) as caught:
        client.send(call)
    assert type(caught.value) is kind
    shown = str(caught.value)
    assert "\n" not in shown
    return shown


def test_a_server_that_is_down() -> None:
    """The address is named, and how to start a server."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with Client(url, retry=Retry(connect_retries=0)) as client:
            shown = refused(client, notebooks.config(), ConnectionFailedError)
    assert f"did not reach {url}" in shown
    assert "strata-notebook` starts a server; STRATA_URL" in shown


@pytest.mark.parametrize(
    "call",
    [
        sessions.get("nope"),
        cells.list_("nope"),
        cells.execute("nope", "nope"),
        notebooks.delete("nope"),
        environment.get("nope"),
    ],
    ids=lambda call: call.label.replace("/", "|"),
)
def test_a_session_that_has_ended(client: Client, call: Call[Any]) -> None:
    """Every call says the same: open the notebook again."""
    assert refused(client, call, SessionClosedError).endswith(
        "open the notebook by its path again."
    )


@pytest.mark.parametrize("verb", ["update", "execute", "cancel", "delete"])
def test_a_cell_that_does_not_exist(client: Client, notebook: Notebook, verb: str) -> None:
    """The message tells the cell from the session."""
    options = {"source": ""} if verb == "update" else {}
    call = getattr(cells, verb)(notebook.session_id, "nope", **options)
    assert refused(client, call, NotFoundError).endswith("has no such cell: list its cells.")


def test_a_notebook_that_does_not_exist(client: Client, strata: StrataServer) -> None:
    """The server names no path, so the call is named."""
    shown = refused(client, notebooks.open_(str(strata.root / "nope")), NotFoundError)
    assert "POST /v1/notebooks/open answered 404: Notebook directory not found." in shown


def test_a_name_that_is_taken(client: Client, notebook: Notebook, strata: StrataServer) -> None:
    """The error knows the notebook that has the name."""
    call = notebooks.create(notebook.name, parent_path=str(strata.root))
    with pytest.raises(NameTakenError, match="Open that notebook, or choose another name") as error:
        client.send(call)
    assert error.value.path == notebook.path


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"parent_path": "/etc"}, "must be inside configured notebook storage"),
        ({"name": "a/b"}, "Notebook name contains invalid characters"),
        ({"python_version": "2.7"}, "Python 2.7 is not available"),
    ],
    ids=["folder", "name", "python"],
)
def test_a_notebook_that_cannot_be(
    client: Client, strata: StrataServer, options: dict[str, str], reason: str
) -> None:
    """The server's reason is shown."""
    given: dict[str, Any] = {"name": "impossible", "parent_path": str(strata.root), **options}
    assert reason in refused(client, notebooks.create(**given), BadRequestError)


def test_a_name_that_the_server_stumbles_over(client: Client, strata: StrataServer) -> None:
    """A name too long for a folder is a failure of the server's own; it may have been done."""
    shown = refused(client, notebooks.create("x" * 300, parent_path=str(strata.root)), ServerError)
    assert "answered 500: Internal server error." in shown


def test_a_notebook_that_runs_another_cell(client: Client, notebook: Notebook) -> None:
    """The running cell is named; it can be cancelled, and its call then ends with a result."""
    session_id = notebook.session_id
    slow, other = client.send(cells.add(session_id)), client.send(cells.add(session_id))
    client.send(cells.update(session_id, slow.id, source="import time; time.sleep(60)"))
    results = []
    thread = threading.Thread(
        target=lambda: results.append(client.send(cells.execute(session_id, slow.id)))
    )
    thread.start()
    wait_until(lambda: {c.status for c in client.send(cells.list_(session_id))} >= {"running"})
    with pytest.raises(NotebookBusyError, match="or cancel it") as busy:
        client.send(cells.execute(session_id, other.id))
    refusals = [
        refused(client, notebooks.close(session_id), NotebookBusyError),
        refused(client, notebooks.delete(session_id), NotebookBusyError),
        refused(client, environment.add_dependency(session_id, "six"), NotebookBusyError),
    ]
    assert client.send(cells.cancel(session_id, slow.id)).cancelled
    thread.join()
    assert busy.value.cell_id == slow.id
    assert all("running" in shown for shown in refusals)
    assert [(r.status, r.error_code) for r in results] == [("error", "cancelled")]


def test_an_environment_that_is_being_changed(client: Client, notebook: Notebook) -> None:
    """No cell runs while packages are installed."""
    cell = client.send(cells.add(notebook.session_id))
    client.send(environment.start_job(notebook.session_id, "add", package="six"))
    shown = refused(client, cells.execute(notebook.session_id, cell.id), EnvironmentBusyError)
    wait_for_job(client, notebook.session_id)
    assert shown.endswith("Wait until the packages are installed, and try again.")


def test_a_cell_that_somebody_has_just_edited(strata: StrataServer, notebook: Notebook) -> None:
    """An edit by another author locks a cell for some seconds; ``force`` overrules that."""

    async def edit() -> None:
        async with AsyncClient(strata.url) as client:
            cell = await client.send(cells.add(notebook.session_id))
            update = cells.update(notebook.session_id, cell.id, source="1")
            others = update.replace(body={"source": "0", "author": "somebody"})
            await client.send(others)
            with pytest.raises(CellLockedError, match="overrule the other edit"):
                await client.send(update)
            forced = cells.update(notebook.session_id, cell.id, source="2", force=True)
            assert (await client.send(forced)).cell.source == "2"

    asyncio.run(edit())


@pytest.mark.parametrize(
    "call",
    [
        environment.add_dependency("{id}", "no-such-package-5d41402a"),
        environment.remove_dependency("{id}", "no-such-package-5d41402a"),
        environment.import_requirements("{id}", "not a requirement"),
    ],
    ids=["add", "remove", "import"],
)
def test_a_package_that_does_not_exist(client: Client, notebook: Notebook, call: Call[Any]) -> None:
    """What the package manager says is shown, on one line."""
    path = call.path.replace("%7Bid%7D", notebook.session_id)
    shown = refused(client, call.replace(path=path), BadRequestError)
    assert shown.endswith("Check the names and versions of the packages.")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (
            environment.start_job("{id}", "import"),
            "exactly one of requirements or environment_yaml",
        ),
        (cells.add("{id}", after_cell_id="nope"), "after_cell_id 'nope' not found"),
        (notebooks.rename("{id}", ""), "body.name: String should have at least 1 character"),
        (notebooks.set_timeout("{id}", -1), "body.timeout: Input should be greater than 0"),
    ],
    ids=["job", "cell", "name", "timeout"],
)
def test_a_value_that_the_server_does_not_take(
    client: Client, notebook: Notebook, call: Call[Any], reason: str
) -> None:
    """The field and what is wrong with it are named."""
    path = call.path.replace("%7Bid%7D", notebook.session_id)
    assert reason in refused(client, call.replace(path=path), BadRequestError)


def test_a_display_that_is_not_there(client: Client, notebook: Notebook) -> None:
    """A cell that has shown nothing has no blob."""
    cell = client.send(cells.add(notebook.session_id))
    shown = refused(client, data.blob(notebook.session_id, cell.id, 0), NotFoundError)
    assert "Run the cell again" in shown


def test_a_foreign_host(strata: StrataServer) -> None:
    """A server answers to the names it knows, and says how to teach it another."""
    with Client(strata.url, headers={"Host": "strata.example"}) as client:
        shown = refused(client, notebooks.config(), BadRequestError)
    assert "Host 'strata.example' is not allowed" not in shown  # values of headers stay secret
    assert "STRATA_ALLOWED_HOSTS" in shown


@pytest.mark.parametrize(
    ("call", "kind", "reason"),
    [
        (core.materialize([]), BadRequestError, "requires exactly one input"),
        (core.materialize(["file:///nope#db.t"]), NotFoundError, "Warehouse not found"),
        (core.materialize(["x"], executor="nope"), BadRequestError, "is not registered"),
        (core.stream("nope"), NotFoundError, "Stream nope not found"),
        (core.build("nope"), NotFoundError, "Build not found"),
    ],
    ids=["inputs", "warehouse", "transform", "stream", "build"],
)
def test_an_artifact_that_cannot_be(
    client: Client, call: Call[Any], kind: type[DeepnoteError], reason: str
) -> None:
    """The core's own reasons are shown."""
    assert reason in refused(client, call, kind)

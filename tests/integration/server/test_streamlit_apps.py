"""Streamlit apps: published and listed over HTTP, and real processes behind them."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
from websockets.sync.client import connect

from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Server

JSON = dict[str, Any]

# Streamlit runs it for each visitor: what it leaves behind tells where, and with what at hand.
SCRIPT = """
import os
import pathlib
import streamlit
streamlit.title("Sales")
pathlib.Path("visited.txt").write_text(str(dict(os.environ)))
"""


def new_project(client: httpx.Client) -> str:
    """Create a project with a script in it; return the project's id."""
    project_id: str = client.post("/v2/projects", json={"name": "App"}).json()["project"]["id"]
    fields = {"projectId": project_id, "path": "apps/sales.py"}
    client.post("/v2/files", data=fields, files={"file": ("sales.py", SCRIPT.encode())})
    return project_id


def publish(
    client: httpx.Client, project_id: str, entrypoint: str = "apps/sales.py"
) -> httpx.Response:
    """Ask for an app."""
    body = {"projectId": project_id, "entrypoint": entrypoint}
    return client.post("/v2/streamlit-apps", json=body)


def published(client: httpx.Client) -> JSON:
    """Publish an app in a project of its own."""
    answer = publish(client, new_project(client))
    assert answer.status_code == 201, answer.text
    app: JSON = answer.json()["streamlitApp"]
    return app


def status(client: httpx.Client, app: JSON) -> str:
    """Return what an app does."""
    answer = client.get(f"/v2/streamlit-apps/{app['id']}/status")
    assert answer.status_code == 200, answer.text
    word: str = answer.json()["status"]
    return word


def process_of(server: Server, app: JSON) -> psutil.Process:
    """Return the process that serves an app."""
    port = app["url"].rpartition(":")[2].strip("/")

    def found() -> list[psutil.Process]:
        children = psutil.Process(server.process.pid).children()
        return [child for child in children if f"--server.port={port}" in child.cmdline()]

    wait_until(found)  # a process has its arguments a little later than its id
    return found()[0]


def is_alive(process: psutil.Process) -> bool:
    """Say whether a process exists and is no zombie."""
    with contextlib.suppress(psutil.NoSuchProcess):
        status: str = process.status()
        return status != psutil.STATUS_ZOMBIE
    return False


@pytest.fixture(scope="module")
def app(client: httpx.Client) -> JSON:
    """An app that the tests of this module share."""
    return published(client)


def test_an_app_is_published(client: httpx.Client, app: JSON) -> None:
    """Its project lists it, with its address."""
    listed = client.get("/v2/streamlit-apps", params={"projectId": app["projectId"]})
    assert listed.json() == {"streamlitApps": [app]}
    assert app["entrypoint"] == "apps/sales.py"
    assert app["url"].startswith("http://127.0.0.1:")


def test_it_runs_once_its_page_is_there(client: httpx.Client, app: JSON) -> None:
    """It is about to until then."""
    wait_until(lambda: status(client, app) != "starting")
    assert status(client, app) == "running"
    assert "<title>Streamlit</title>" in httpx.get(app["url"]).text


def test_it_runs_in_its_project(client: httpx.Client, app: JSON, server: Server) -> None:
    """A visit runs the script in the project's folder; it knows the project and no token."""
    wait_until(lambda: status(client, app) == "running")

    def environ() -> str:
        query = {"projectId": app["projectId"], "path": "visited.txt"}
        return client.get("/v2/files/download", params=query).text

    with connect(f"ws{app['url'].removeprefix('http')}_stcore/stream") as page:
        # Streamlit's message to run the script, in bytes: importing its class sets MPLBACKEND,
        # which the kernels of later tests would inherit.
        page.send(b"Z\x00")
        wait_until(lambda: environ().startswith("{'") and environ().endswith("}"))
    assert f"'DEEPNOTE_PROJECT_ID': '{app['projectId']}'" in environ()
    assert server.token not in environ()


@pytest.mark.parametrize("entrypoint", ["apps/sales.py", "./apps//sales.py"])
def test_what_is_served_already_is_a_conflict(
    client: httpx.Client, app: JSON, entrypoint: str
) -> None:
    """However its path is spelled; the process goes on."""
    answer = publish(client, app["projectId"], entrypoint)
    assert answer.status_code == 409
    assert answer.json() == {"message": "Streamlit app already exists"}


@pytest.mark.parametrize(
    ("entrypoint", "code", "message"),
    [
        ("sales.py", 404, "Entrypoint file not found"),
        ("apps", 404, "Entrypoint file not found"),
        ("../sales.py", 400, 'path "../sales.py" is not one of a file below /work'),
        ("notes.txt", 400, "entrypoint must be a .py file"),
    ],
)
def test_what_cannot_be_served(
    client: httpx.Client, app: JSON, entrypoint: str, code: int, message: str
) -> None:
    """The message says why not."""
    fields = {"projectId": app["projectId"], "path": "notes.txt"}
    client.post("/v2/files", data=fields, files={"file": ("notes.txt", b"")})
    answer = publish(client, app["projectId"], entrypoint)
    assert (answer.status_code, answer.json()["message"]) == (code, message)


def test_what_is_not_there(client: httpx.Client) -> None:
    """A project, and an app; a listing must name its project."""
    unknown = "00000000-0000-4000-8000-000000000000"
    assert publish(client, unknown).status_code == 404
    params = {"projectId": unknown}
    assert client.get("/v2/streamlit-apps", params=params).status_code == 404
    assert client.get("/v2/streamlit-apps").status_code == 400
    answer = client.get(f"/v2/streamlit-apps/{unknown}/status")
    assert (answer.status_code, answer.json()) == (404, {"message": "Streamlit app not found"})


def test_a_suspended_project_serves_nothing(client: httpx.Client, app: JSON) -> None:
    """All calls about its apps are refused."""
    path = f"/faults/projects/{app['projectId']}"
    client.put(path, json={"suspended": True})
    answers = [
        publish(client, app["projectId"]),
        client.get("/v2/streamlit-apps", params={"projectId": app["projectId"]}),
        client.get(f"/v2/streamlit-apps/{app['id']}/status"),
    ]
    client.put(path, json={"suspended": False})
    assert [answer.status_code for answer in answers] == [409] * 3
    assert all(answer.json() == {"message": "Project is suspended"} for answer in answers)


def test_an_app_that_has_died_can_be_published_again(client: httpx.Client, server: Server) -> None:
    """It is not there any more, until then."""
    app = published(client)
    process_of(server, app).kill()
    wait_until(lambda: status(client, app) == "unavailable")
    assert publish(client, app["projectId"]).status_code == 409
    assert status(client, app) == "starting"


def test_an_app_goes_with_its_project(client: httpx.Client, server: Server) -> None:
    """Nobody knows of it any more, and its process has ended."""
    app = published(client)
    process = process_of(server, app)
    client.delete(f"/v2/projects/{app['projectId']}")
    assert client.get(f"/v2/streamlit-apps/{app['id']}/status").status_code == 404
    assert not is_alive(process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_app_ends_with_the_server(
    start_server: Callable[..., Server],
    number: signal.Signals,
) -> None:
    """Whether the server had a chance to end it or not."""
    server = start_server()
    with server.client() as client:
        process = process_of(server, published(client))
    server.process.send_signal(number)
    server.process.wait(20)
    wait_until(lambda: not is_alive(process))


def test_an_app_comes_back_with_the_server(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Under its old address; asking after it starts it."""
    first = start_server("--state", str(tmp_path / "state"))
    with first.client() as client:
        app = published(client)
    first.process.terminate()
    first.process.wait(20)
    second = start_server("--state", str(tmp_path / "state"))
    with second.client() as client:
        listed = client.get("/v2/streamlit-apps", params={"projectId": app["projectId"]}).json()
        assert listed == {"streamlitApps": [app]}
        assert status(client, app) == "starting"
        assert is_alive(process_of(second, app))


def test_without_streamlit_apps_are_unavailable(
    start_server: Callable[..., Server],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The server's terminal tells why."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['streamlit'] = None")
    server = start_server(environ={"PYTHONPATH": str(tmp_path)})
    with server.client() as client:
        app = published(client)
        wait_until(lambda: status(client, app) == "unavailable")
    assert "Run: pip install streamlit" in capfd.readouterr().err

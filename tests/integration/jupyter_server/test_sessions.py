"""What the browser is told of sessions, and what it can do with them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.config import Secret, Settings
from deepnote_kernel.errors import SessionGoneError
from deepnote_kernel.session.protocol import Cell, Reply
from deepnote_kernel.session.record import Record, Records
from deepnote_kernel.session.remote import Remote
from tests.integration.jupyter_server.conftest import run_jupyter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Server
    from tests.integration.jupyter_server.conftest import Jupyter, Kernel

MINUTES_30_S = 1800


def session_on(notebook_id: str, overview: Any) -> Any:
    """Return the session of a notebook that the server has named; ``None`` where there is none."""
    found = (each for each in overview["sessions"] if each["notebook"]["id"] == notebook_id)
    return next((each for each in found if not each["is_pending"]), None)


def session_of(kernel: Kernel, overview: Any) -> Any:
    """Return a kernel's session; ``None`` where there is none."""
    return next((each for each in overview["sessions"] if each["kernel_id"] == kernel.id), None)


def interrupt(jupyter: Jupyter, session: Any) -> None:
    """Interrupt the cell that runs in a session."""
    path = f"deepnote/sessions/{session['id']}/notebooks/{session['notebook']['id']}/interrupt"
    with jupyter.client() as client:
        assert client.post(path).raise_for_status().status_code == 204


@pytest.fixture
def remote(jupyter: Jupyter, server: Server) -> Iterator[Remote]:
    """A program that is no kernel and records its sessions where the Jupyter Server looks."""
    settings = Settings(
        token=Secret(server.token), base_url=server.url, notebook_id=server.new_notebook()
    )
    remote = Remote(settings, records=Records(jupyter.records))
    yield remote
    remote.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "sessions"),
        ("POST", "sessions"),
        ("DELETE", "sessions/s"),
        ("POST", "sessions/s/notebooks/n/interrupt"),
        ("DELETE", "starts/s"),
        ("GET", "workspaces"),
    ],
)
def test_strangers_are_told_nothing(jupyter: Jupyter, method: str, path: str) -> None:
    """Each call wants what every call of the Jupyter Server wants."""
    with jupyter.client(token="wrong") as client:
        assert client.request(method, f"deepnote/{path}").status_code == 403


def test_a_kernels_session_is_told_with_all_that_is_known(
    jupyter: Jupyter, kernel: Kernel, server: Server
) -> None:
    """Where it runs, in which notebook, for how long, and how long it may go unused."""
    session = session_of(kernel, jupyter.overview())
    assert (session["server"], session["is_local"], session["state"]) == (server.url, False, "idle")
    assert (session["notebook"]["name"], session["notebook"]["project"]) == ("Notebook 1", "Test")
    assert session["age_s"] > 0
    assert 0 < session["idle_left_s"] <= MINUTES_30_S


def test_a_kernels_cell_is_interrupted(jupyter: Jupyter, kernel: Kernel) -> None:
    """It is told as busy, and ends with a KeyboardInterrupt."""
    msg_id = kernel.start("import time; time.sleep(600)")
    busy = jupyter.wait_for(
        lambda overview: (
            found if (found := session_of(kernel, overview))["state"] == "busy" else None
        )
    )
    interrupt(jupyter, busy)
    assert kernel.ended(msg_id)["ename"] == "KeyboardInterrupt"


def test_a_cell_that_was_left_running_is_interrupted(jupyter: Jupyter, remote: Remote) -> None:
    """Who attaches later is shown what it printed, and how it ended."""
    session = remote.start()
    code = "import time; print('before', flush=True); time.sleep(600)"
    events = remote.events(Cell(id="left", code=code))
    next(events)
    remote.detach()
    with pytest.raises(SessionGoneError, match="was detached"):
        list(events)
    left = session_on(session.notebook_id, jupyter.overview())
    assert left["has_left_cell"]
    interrupt(jupyter, left)
    remote.attach(session.session_id)
    *_, last = remote.follow()
    assert isinstance(last, Reply)
    assert last.content["ename"] == "KeyboardInterrupt"


def test_a_session_that_starts_is_looked_at_again(jupyter: Jupyter, server: Server) -> None:
    """Being ready is told soon; what lasts is good for longer."""
    notebook_id = server.new_notebook()
    with server.client() as api:
        created = api.post("/v2/sessions", json={"notebookId": notebook_id}).json()["session"]
    record = Record(id=created["id"], notebook_id=notebook_id, base_url=server.url)
    Records(jupyter.records).save(record)
    deadline = time.monotonic() + 10
    while session_on(notebook_id, jupyter.overview())["state"] == "starting":
        assert time.monotonic() < deadline, "the session is still told as starting"
        time.sleep(0.05)


def test_a_session_is_started_and_stopped(jupyter: Jupyter, server: Server) -> None:
    """It is told as starting, then as a session of nobody's; stopping ends its machine."""
    notebook_id = server.new_notebook()
    with jupyter.client() as client:
        asked = {"is_local": False, "notebook_id": notebook_id}
        started = client.post("deepnote/sessions", json=asked)
        assert (started.status_code, started.json()["stage"]) == (202, "starting")
        ready = jupyter.wait_for(
            lambda overview: not overview["starts"] and session_on(notebook_id, overview)
        )
        assert ready["kernel_id"] == ""
        client.delete(f"deepnote/sessions/{ready['id']}").raise_for_status()
    assert session_on(notebook_id, jupyter.overview()) is None
    with server.client() as api:
        query = {"notebookId": notebook_id}
        assert api.get(f"/v2/sessions/{ready['id']}/status", params=query).status_code == 404


def test_a_start_that_fails_is_told_until_it_is_dismissed(jupyter: Jupyter) -> None:
    """Its one line names what is wrong."""
    unknown = "00000000-0000-4000-8000-000000000000"
    with jupyter.client() as client:
        asked = {"is_local": False, "notebook_id": unknown}
        start_id = client.post("deepnote/sessions", json=asked).raise_for_status().json()["id"]
        [failed] = jupyter.wait_for(
            lambda overview: [start for start in overview["starts"] if start["problem"]]
        )
        assert "Notebook not found" in failed["problem"]
        client.delete(f"deepnote/starts/{start_id}").raise_for_status()
    assert jupyter.overview()["starts"] == []


def test_a_start_that_is_given_up_leaves_nothing_behind(jupyter: Jupyter, server: Server) -> None:
    """What had been started meanwhile is stopped."""
    notebook_id = server.new_notebook("import time; time.sleep(600)")
    with jupyter.client() as client:
        asked = {"is_local": False, "notebook_id": notebook_id}
        start_id = client.post("deepnote/sessions", json=asked).raise_for_status().json()["id"]
        jupyter.wait_for(
            lambda overview: [s for s in overview["starts"] if s["stage"] == "running the notebook"]
        )
        client.delete(f"deepnote/starts/{start_id}").raise_for_status()
    overview = jupyter.wait_for(lambda overview: overview if not overview["starts"] else None)
    assert session_on(notebook_id, overview) is None


def test_a_start_does_not_outlive_the_jupyter_server(server: Server, tmp_path: Path) -> None:
    """What had been started is stopped when the server ends."""
    notebook_id = server.new_notebook("import time; time.sleep(600)")
    environ = {"DEEPNOTE_BASE_URL": server.url, "DEEPNOTE_TOKEN": server.token}
    with run_jupyter(tmp_path, **environ) as jupyter, jupyter.client() as client:
        asked = {"is_local": False, "notebook_id": notebook_id}
        client.post("deepnote/sessions", json=asked).raise_for_status()
        jupyter.wait_for(
            lambda overview: [s for s in overview["starts"] if s["stage"] == "running the notebook"]
        )
    with server.client() as api:
        listed = api.get("/v2/sessions").raise_for_status().json()["sessions"]
    assert notebook_id not in {session["notebookId"] for session in listed}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "sessions/unknown", 409),
        ("POST", "sessions/unknown/notebooks/n/interrupt", 409),
        ("DELETE", "starts/unknown", 204),
    ],
)
def test_unknown_sessions_are_said_to_be(
    jupyter: Jupyter, method: str, path: str, status: int
) -> None:
    """An error is one line with a remedy; what need not be done any more is done."""
    with jupyter.client() as client:
        answer = client.request(method, f"deepnote/{path}")
    assert answer.status_code == status
    assert not answer.text or answer.json()["message"] == (
        "No session unknown is recorded here. `%deepnote sessions` lists them."
    )


@pytest.mark.parametrize("body", ["", "{}", '{"is_local": false, "notebook_id": 1}'])
def test_a_start_has_to_name_its_notebook(jupyter: Jupyter, body: str) -> None:
    """A body that is not understood starts nothing."""
    with jupyter.client() as client:
        assert client.post("deepnote/sessions", content=body).status_code == 400

"""The client and the embedded server understand each other, call by call."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.api import Client, me, notebooks, projects, runs, sessions, v1
from deepnote_kernel.config import Secret
from deepnote_kernel.errors import ConflictError, NotFoundError, UnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepnote_kernel.api import Call
    from deepnote_kernel.api.models import Notebook, Project, Run
    from tests.integration.conftest import Server

DEADLINE_S = 45.0
PAGE = Path(__file__).parents[3] / "docs" / "client.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """Give a client of the server."""
    with Client(token=Secret(server.token), base_url=server.url) as client:
        yield client


@pytest.fixture
def project(client: Client) -> Iterator[Project]:
    """Give a project of the test's own."""
    project = client.send(projects.create(f"Client test {time.monotonic_ns()}"))
    yield project
    client.send(projects.delete(project.id))


@pytest.fixture
def notebook(project: Project) -> Notebook:
    """Give the notebook that the project came with."""
    (notebook,) = project.notebooks
    return notebook


def finished(client: Client, run: Run) -> Run:
    """Wait until a run has ended, and return it with its snapshot."""
    deadline = time.monotonic() + DEADLINE_S
    while not run.is_finished:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        run = client.send(runs.get(run.id, snapshot_delivery="inline"))
    return run


def test_a_session_lives_and_ends(client: Client, notebook: Notebook) -> None:
    """Created, waited for, asked, used, interrupted and stopped, a session does as it is told."""
    created = client.send(sessions.create(notebook.id, idle_shutdown_s=600))
    session_id = created.session.id
    assert created.session.notebook_id == notebook.id
    assert created.run is not None
    assert finished(client, created.run).status == "success"

    call = sessions.execute(session_id, notebook_id=notebook.id, code="print('é'); 1 + 1")
    outputs = client.send(call)
    assert [output["output_type"] for output in outputs] == ["stream", "execute_result"]
    state = client.send(sessions.status(session_id, notebook_id=notebook.id))
    assert (state.session.id, state.kernel.status) == (session_id, "idle")
    assert client.send(sessions.interrupt(session_id, notebook_id=notebook.id)).id == session_id

    client.send(sessions.stop(session_id))
    with pytest.raises(NotFoundError, match="start a new session"):
        client.send(call)


def test_a_busy_notebook_says_so(client: Client, server: Server) -> None:
    """The first run refuses code meanwhile, and the client knows why."""
    notebook_id = server.new_notebook("import time; time.sleep(60)")
    session_id = client.send(sessions.create(notebook_id)).session.id
    with pytest.raises(ConflictError) as caught:
        client.send(sessions.execute(session_id, notebook_id=notebook_id, code="1"))
    client.send(sessions.stop(session_id))
    assert caught.value.reason == "busy"


@pytest.mark.parametrize("call", [runs.create("unknown"), notebooks.get("unknown")])
def test_an_unknown_notebook_is_not_found_by_any_call(client: Client, call: Call[Any]) -> None:
    """The server answers 400 here and 404 there, as Deepnote does; the error is one."""
    with pytest.raises(NotFoundError, match="Notebook not found"):
        client.send(call)


def test_a_wrong_token_is_refused(server: Server) -> None:
    """The error says what to set."""
    with (
        Client(token=Secret("wrong"), base_url=server.url) as client,
        pytest.raises(UnauthorizedError, match="set DEEPNOTE_TOKEN"),
    ):
        client.send(me.get())


def test_a_run_brings_its_snapshot_each_way(client: Client, server: Server) -> None:
    """Inline, by download and as blocks, the snapshot holds what the cell printed."""
    notebook_id = server.new_notebook("print(6 * 7)")
    run = finished(client, client.send(runs.create(notebook_id)))
    assert "42" in run.snapshot_content

    by_url = client.send(runs.get(run.id))
    text = client.send(runs.download_snapshot(by_url.snapshot_download_url))
    assert text == run.snapshot_content

    (block,) = client.send(runs.get(run.id, snapshot_delivery="blocks")).snapshot_blocks
    assert block.outputs[0]["output_type"] == "stream"

    started, completed = run.created_at, run.completed_at
    assert started is not None
    assert completed is not None
    assert started <= completed <= datetime.now(timezone.utc)


def test_runs_are_listed_newest_first(client: Client, notebook: Notebook) -> None:
    """A listing pages through all runs of a notebook."""
    made = [finished(client, client.send(runs.create(notebook.id))).id for _ in range(3)]
    listed = client.iterate(notebooks.list_runs(notebook.id, page_size=1))
    assert [run.id for run in listed] == made[::-1]


def test_the_legacy_call_starts_a_notebook(
    client: Client, project: Project, notebook: Notebook
) -> None:
    """It names no run, so the run is found in the notebook's list."""
    client.send(v1.execute(project.id, notebook.id))
    (run,) = client.iterate(notebooks.list_runs(notebook.id))
    assert finished(client, run).status == "success"


def test_a_notebook_comes_and_goes(client: Client, project: Project) -> None:
    """Made, seen in its project, read and deleted."""
    made = client.send(notebooks.create(project.id, name="Second"))
    names = [notebook.name for notebook in client.send(projects.get(project.id)).notebooks]
    assert names[-1] == "Second"
    assert client.send(notebooks.get(made.id)) == made
    client.send(notebooks.delete(made.id))
    with pytest.raises(NotFoundError, match="Check the notebook id"):
        client.send(notebooks.get(made.id))


def test_projects_are_found_by_a_part_of_their_name(client: Client, project: Project) -> None:
    """Whatever the case of the letters, and page by page."""
    found = client.iterate(projects.list_(name_contains=project.name.upper(), page_size=1))
    assert [each.id for each in found] == [project.id]


def test_me_names_the_workspace(client: Client) -> None:
    """The server has a workspace, as an account has."""
    assert client.send(me.get()).workspace.id


@pytest.mark.parametrize(
    ("example", "printed"),
    [
        (EXAMPLES[0], "'text/plain': '42'"),
        (EXAMPLES[1], "['data/sales-1.csv', 'data/sales.csv']\n14 of ? bytes\n"),
        (EXAMPLES[2], "runs next at 20"),
    ],
    ids=["session", "files", "schedule"],
)
def test_an_example_of_the_page_runs(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example: str, printed: str
) -> None:
    """What the page about the client shows works as it stands there."""
    monkeypatch.setenv("DEEPNOTE_TOKEN", server.token)
    monkeypatch.setenv("DEEPNOTE_BASE_URL", server.url)
    monkeypatch.setenv("DEEPNOTE_NOTEBOOK_ID", server.new_notebook("1"))
    ran = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert printed in ran.stdout


def test_all_examples_of_the_page_are_run() -> None:
    """None was added that no test knows."""
    assert len(EXAMPLES) == 3

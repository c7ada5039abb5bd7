"""Schedules: set, shown and removed over HTTP; and a notebook that really runs when it is due."""

from __future__ import annotations

import asyncio
import contextlib
import os
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.server.execution.kernels import KernelFactory
from deepnote_kernel.server.execution.machines import MachineFactory
from deepnote_kernel.server.execution.runner import Runner
from deepnote_kernel.server.execution.schedules import Schedules
from deepnote_kernel.server.storage.folders import Folders
from deepnote_kernel.server.storage.store import Block, Notebook, Project, Run, Store

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.integration.conftest import Server

JSON = dict[str, Any]
NINE = {"cron": "0 9 * * 1-5", "timezone": "Europe/Prague"}


@pytest.fixture
def notebook_id(server: Server) -> str:
    """A notebook in a project of its own."""
    return server.new_notebook()


def path(notebook_id: str) -> str:
    """Return the path of a notebook's schedule."""
    return f"/v2/notebooks/{notebook_id}/schedule"


def test_a_schedule_is_set_and_shown(client: httpx.Client, notebook_id: str) -> None:
    """With the time of the next run, in UTC."""
    answer = client.post(path(notebook_id), json=NINE)
    assert answer.status_code == 200
    schedule = answer.json()["schedule"]
    assert {**NINE, "notebookId": notebook_id}.items() <= schedule.items()
    due = datetime.fromisoformat(schedule["nextRunAt"].replace("Z", "+00:00"))
    assert due > datetime.now(timezone.utc)
    assert client.get(path(notebook_id)).json() == {"schedule": schedule}


def test_a_schedule_is_in_utc_unless_it_says_otherwise(
    client: httpx.Client, notebook_id: str
) -> None:
    """The zone may be left out."""
    schedule = client.post(path(notebook_id), json={"cron": "0 9 * * *"}).json()["schedule"]
    assert schedule["timezone"] == "UTC"
    assert schedule["nextRunAt"].endswith("T09:00:00.000Z")


def test_a_project_shows_which_notebook_is_scheduled(
    client: httpx.Client, notebook_id: str
) -> None:
    """Scheduling another one takes the schedule from the first."""
    project_id = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["projectId"]
    body = {"projectId": project_id, "name": "Second"}
    second_id = client.post("/v2/notebooks", json=body).json()["notebook"]["id"]

    def scheduled() -> list[str]:
        project = client.get(f"/v2/projects/{project_id}").json()["project"]
        return [each["id"] for each in project["notebooks"] if each["isScheduled"]]

    client.post(path(notebook_id), json=NINE)
    assert scheduled() == [notebook_id]
    client.post(path(second_id), json=NINE)
    assert scheduled() == [second_id]
    assert client.get(path(notebook_id)).status_code == 404


def test_a_removed_schedule_is_gone(client: httpx.Client, notebook_id: str) -> None:
    """Removing it once more finds none."""
    client.post(path(notebook_id), json=NINE)
    assert client.delete(path(notebook_id)).status_code == 204
    for answer in (client.get(path(notebook_id)), client.delete(path(notebook_id))):
        assert (answer.status_code, answer.json()) == (
            404,
            {"message": "Notebook has no schedule"},
        )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"cron": "daily"}, "Invalid cron expression"),
        ({"cron": "0 9 * * *", "timezone": "Mars/Olympus"}, 'Invalid timezone "Mars/Olympus"'),
    ],
)
def test_what_is_no_schedule_is_refused(
    client: httpx.Client, notebook_id: str, body: JSON, message: str
) -> None:
    """The schedule there was stays."""
    schedule = client.post(path(notebook_id), json=NINE).json()
    answer = client.post(path(notebook_id), json=body)
    assert (answer.status_code, answer.json()) == (400, {"message": message})
    assert client.get(path(notebook_id)).json() == schedule


def test_an_unknown_notebook_is_not_scheduled(client: httpx.Client) -> None:
    """The notebook is missed before its schedule."""
    answer = client.post(path("unknown"), json=NINE)
    assert (answer.status_code, answer.json()) == (404, {"message": "Notebook not found"})


def test_a_notebook_of_a_suspended_project_is_not_scheduled(
    client: httpx.Client, notebook_id: str
) -> None:
    """As nothing else is done with it."""
    project_id = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["projectId"]
    client.put(f"/faults/projects/{project_id}", json={"suspended": True})
    answer = client.post(path(notebook_id), json=NINE)
    assert (answer.status_code, answer.json()) == (409, {"message": "Project is suspended"})


async def finished(store: Store) -> Run:
    """Wait for the end of the one run there is."""
    while True:
        (run,) = store.find(Run)
        if run.completed_at:
            return run
        await asyncio.sleep(0.02)


def test_a_notebook_runs_when_it_is_due(tmp_path: Path) -> None:
    """In a kernel, on its project's files, and recorded as a scheduled run."""
    now_s = datetime(2026, 11, 20, 8, tzinfo=timezone.utc).timestamp()
    times: dict[str, Any] = {"created_at": "", "updated_at": ""}
    project = Project(id="p", name="P", project_type="standard", is_suspended=False, **times)
    notebook = Notebook(id="n", project_id="p", name="N", source_id=None, **times)
    block = Block(
        id="b",
        notebook_id="n",
        type="code",
        content="open('report.txt', 'w').write('done')",
        metadata={},
        integration_id=None,
        version=1,
        position=0,
    )
    folders = Folders(tmp_path / "projects", tmp_path / "copies")
    kernels = KernelFactory("python3", environ=dict(os.environ), connection_folder=tmp_path)

    async def run() -> Run:
        nonlocal now_s
        machines = MachineFactory(kernels, folders)
        with contextlib.closing(Store(":memory:")) as store:
            store.insert(project, notebook, block)
            runner = Runner(store, machines, idle_shutdown_s=60)
            schedules = Schedules(store, runner.run_scheduled, clock=lambda: now_s)
            schedules.put(notebook, "0 9 * * *", "UTC")
            now_s += 3600
            schedules.start_due()
            try:
                return await asyncio.wait_for(finished(store), timeout=30)
            finally:
                await machines.close()

    ended = asyncio.run(run())
    assert (ended.status, ended.triggered_by) == ("success", "schedule")
    assert (folders.of("p") / "report.txt").read_text() == "done"

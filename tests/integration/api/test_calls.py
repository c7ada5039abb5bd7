"""Files, blocks, schedules and all that belongs to a project, through both clients."""

from __future__ import annotations

import asyncio
import io
import time
import zipfile
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

from deepnote_kernel.api import (
    AsyncClient,
    Client,
    blocks,
    files,
    integrations,
    machines,
    notebooks,
    projects,
    runs,
    schedules,
    sessions,
)
from deepnote_kernel.config import Secret
from deepnote_kernel.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from deepnote_kernel.api import Call
    from deepnote_kernel.api.models import Notebook, Project
    from tests.integration.conftest import Server

T = TypeVar("T")

CONTENT = bytes(range(256)) * 4096


class Send(Protocol):
    """Sends a call and returns its result."""

    def __call__(self, call: Call[T], /) -> T:
        """Send it."""
        ...


@pytest.fixture(params=["Client", "AsyncClient"])
def send(server: Server, request: pytest.FixtureRequest) -> Send:
    """Send a call to the server through one client or the other."""
    options: dict[str, Any] = {"token": Secret(server.token), "base_url": server.url}

    def blocking(call: Call[T], /) -> T:
        with Client(**options) as client:
            return client.send(call)

    async def awaiting(call: Call[T]) -> T:
        async with AsyncClient(**options) as client:
            return await client.send(call)

    def running(call: Call[T], /) -> T:
        return asyncio.run(awaiting(call))

    return blocking if request.param == "Client" else running


@pytest.fixture
def project(send: Send) -> Project:
    """Give a project of the test's own."""
    return send(projects.create("Calls"))


@pytest.fixture
def notebook(project: Project) -> Notebook:
    """Give the notebook that the project came with."""
    (notebook,) = project.notebooks
    return notebook


@pytest.mark.parametrize("as_path", [True, False], ids=["path", "bytes"])
def test_a_file_goes_up_and_comes_down(
    send: Send, project: Project, tmp_path: Path, *, as_path: bool
) -> None:
    """From a file or from memory, into a file and into memory, under the path the server gave."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(CONTENT)
    stored = send(files.upload(project.id, "in/é.bin", source if as_path else CONTENT))
    assert (stored.path, stored.size_bytes) == ("in/é.bin", len(CONTENT))
    assert send(files.upload(project.id, "in/é.bin", b"")).path == "in/é-1.bin"
    assert send(files.download(project.id, stored.path, target)) == target
    assert target.read_bytes() == send(files.read(project.id, stored.path)) == CONTENT


def test_progress_ends_with_all(send: Send, project: Project) -> None:
    """The size is known on the way up; on the way down, in chunks, it is not."""
    up: list[tuple[int, int | None]] = []
    down: list[tuple[int, int | None]] = []
    send(files.upload(project.id, "a", CONTENT, progress=lambda *so_far: up.append(so_far)))
    send(files.read(project.id, "a", progress=lambda *so_far: down.append(so_far)))
    assert (up[-1], down[-1]) == ((len(CONTENT), len(CONTENT)), (len(CONTENT), None))


def test_files_are_listed_copied_and_deleted(send: Send, project: Project) -> None:
    """A copy lies in the other project, and a deleted file can be read no more."""
    other = send(projects.create("Other"))
    stored = send(files.upload(project.id, "a.csv", b"1,2"))
    copied = send(files.copy(project.id, "a.csv", target_project_id=other.id))
    assert (copied.project_id, copied.path) == (other.id, "a.csv")
    (listed,) = send(files.list_(other.id))
    assert (listed.path, listed.size_bytes) == (stored.path, stored.size_bytes)
    send(files.delete(project.id, "a.csv"))
    with pytest.raises(NotFoundError, match=r"File not found .* Check the project id and the path"):
        send(files.read(project.id, "a.csv"))


def test_blocks_are_made_read_changed_and_deleted(send: Send, notebook: Notebook) -> None:
    """A block keeps its kind and metadata and counts its versions."""
    first = send(blocks.create(notebook.id, content="1"))
    text = send(
        blocks.create(
            notebook.id,
            type_="input-text",
            metadata={"deepnote_variable_name": "name"},
            position=0,
            include_notebook_block_ids=True,
        )
    )
    assert text.notebook_block_ids == [text.id, first.id]
    assert send(blocks.update(first.id, content="2")).version == 2
    changed = send(blocks.get(first.id))
    assert (changed.notebook_id, changed.type, changed.content) == (notebook.id, "code", "2")
    assert [each.name for each in send(notebooks.get(notebook.id)).inputs] == ["name"]
    send(blocks.delete(first.id))
    with pytest.raises(NotFoundError, match="Check the block id"):
        send(blocks.get(first.id))


def test_blocks_are_reordered(send: Send, notebook: Notebook) -> None:
    """To the start, to the end and after another."""
    a, b, c = (send(blocks.create(notebook.id)).id for _ in range(3))
    assert send(notebooks.reorder_blocks(notebook.id, [c], at="start")) == [c, a, b]
    assert send(notebooks.reorder_blocks(notebook.id, [c, a])) == [b, c, a]
    assert send(notebooks.reorder_blocks(notebook.id, [a], after=b)) == [b, a, c]


def test_a_notebook_is_renamed(send: Send, project: Project, notebook: Notebook) -> None:
    """To a name that is new in its project."""
    assert send(notebooks.rename(notebook.id, "Report")).name == "Report"
    second = send(notebooks.create(project.id))
    with pytest.raises(ConflictError, match="choose another name"):
        send(notebooks.rename(second.id, "Report"))


def test_a_notebook_is_scheduled(send: Send, project: Project, notebook: Notebook) -> None:
    """Its project shows it, until the schedule is removed."""
    schedule = send(schedules.create(notebook.id, "0 9 * * *", timezone="Europe/Prague"))
    assert (schedule.notebook_id, schedule.timezone) == (notebook.id, "Europe/Prague")
    assert schedule.next_run_at is not None
    assert send(schedules.get(notebook.id)) == schedule
    assert [each.is_scheduled for each in send(projects.get(project.id)).notebooks] == [True]
    send(schedules.delete(notebook.id))
    with pytest.raises(NotFoundError, match=r"Notebook has no schedule .* Check the notebook id"):
        send(schedules.get(notebook.id))


def test_a_bad_schedule_is_explained(send: Send, notebook: Notebook) -> None:
    """The server's words, and what would be right."""
    with pytest.raises(BadRequestError, match=r"Invalid cron expression .* Give five cron fields"):
        send(schedules.create(notebook.id, "daily"))


def test_a_project_is_changed(send: Send, project: Project) -> None:
    """What is shared of it, and its environment; what is left out stays."""
    changed = send(projects.update(project.id, sharing_enabled=True, api_access_enabled=True))
    assert changed.static_files.sharing_enabled
    changed = send(projects.update(project.id, streamlit_app_api_access_enabled=True))
    assert changed.static_files.api_access_enabled
    assert changed.streamlit_app_api_access_enabled
    assert send(projects.update(project.id, environment_id="e")).environment["id"] == "e"


def test_a_project_goes_out_and_comes_back(
    send: Send, project: Project, notebook: Notebook
) -> None:
    """An archive put back brings the notebook's state; the marks say what it was based on."""
    send(blocks.create(notebook.id, content="1"))
    archive = send(projects.export(project.id))
    with zipfile.ZipFile(io.BytesIO(archive)) as documents:
        assert all(name.endswith(".deepnote") for name in documents.namelist())
    send(blocks.create(notebook.id, content="2"))
    imported = send(projects.import_(project.id, archive, force=True))
    assert [(each.id, each.action) for each in imported.notebooks] == [(notebook.id, "overwritten")]
    assert [each.content for each in send(notebooks.get(notebook.id)).blocks] == ["1"]
    again = projects.import_(
        project.id,
        archive,
        base_modified_at=imported.modified_at,
        base_content_hash=imported.content_hash,
    )
    assert send(again).modified_at > imported.modified_at
    with pytest.raises(ConflictError):
        send(projects.import_(project.id, archive, base_content_hash="0" * 64))


def test_the_workspace_is_looked_at(send: Send, project: Project) -> None:
    """This server has one kind of machine, which is off, and no integrations."""
    (kind,) = send(machines.list_types()).items
    machine = send(machines.get(project.id))
    assert (machine.status, machine.type) == ("stopped", kind)
    assert (kind.id, kind.gpus) == ("local", 0)
    assert send(integrations.list_(include_metadata=True)).items == []


def test_a_sessions_own_blocks_run_tracked(send: Send, notebook: Notebook) -> None:
    """The copy's block is changed and run in either way, and the source stays as it is."""
    source = send(blocks.create(notebook.id, content="1"))
    created = send(sessions.create(notebook.id))
    session = created.session
    assert created.run is not None
    assert session.id in [each.id for each in send(sessions.list_(page_size=100)).items]
    copied = send(sessions.get(session.id))
    (block,) = send(notebooks.get(copied.session_notebook_id)).blocks
    send(blocks.update(block.id, content="print(6 * 7)"))
    for call in (
        sessions.run(session.id, notebook_id=notebook.id, block_ids=[block.id]),
        sessions.run(session.id, block_id=block.id),
    ):
        run = send(call)
        deadline = time.monotonic() + 45
        while not run.is_finished:
            assert time.monotonic() < deadline
            time.sleep(0.05)
            run = send(runs.get(run.id, snapshot_delivery="blocks"))
        assert run.snapshot_blocks[0].outputs[0]["text"] == "42\n"
    assert send(blocks.get(source.id)).content == "1"
    send(sessions.stop(session.id))

"""Notebooks and sessions on a real server: their life, their settings, their export."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.strata.calls import cells, notebooks, sessions
from deepnote_kernel.strata.refusals import SessionClosedError
from tests.integration.strata.servers import wait_for_job

if TYPE_CHECKING:
    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.models import Notebook
    from tests.integration.strata.servers import StrataServer


@pytest.fixture
def own(strata: StrataServer, client: Client, request: pytest.FixtureRequest) -> Notebook:
    """Give a notebook of the test's own, which it may delete."""
    return strata.new_notebook(client, request.node.name)


def test_config_tells_the_folder_and_the_pythons(strata: StrataServer, client: Client) -> None:
    """A notebook can be created with what the server says of itself."""
    config = client.send(notebooks.config())
    assert (config.deployment_mode, config.default_parent_path) == ("personal", str(strata.root))
    assert config.default_python_version in config.available_python_versions


def test_create_makes_a_folder_and_opens_it(strata: StrataServer, client: Client) -> None:
    """The new notebook has a session, a folder named after it and the Python asked for."""
    version = client.send(notebooks.config()).default_python_version
    call = notebooks.create(
        "My Notebook", parent_path=str(strata.root), python_version=version, starter_cell=True
    )
    created = client.send(call)
    wait_for_job(client, created.session_id)
    assert (created.name, created.path) == ("My Notebook", str(strata.root / "my_notebook"))
    assert [cell.source for cell in created.cells] == [""]
    assert client.send(sessions.get(created.session_id)).environment.python_version.startswith(
        version
    )


def test_open_gives_the_session_that_there_is(client: Client, own: Notebook) -> None:
    """An open notebook keeps its session; the answer also holds the graph."""
    cell = client.send(cells.add(own.session_id))
    client.send(cells.update(own.session_id, cell.id, source="x = 1"))
    opened = client.send(notebooks.open_(own.path))
    assert opened.session_id == own.session_id
    assert opened.dag is not None
    assert opened.dag.variable_producer == {"x": cell.id}


def test_close_ends_the_session_and_keeps_the_notebook(client: Client, own: Notebook) -> None:
    """Opened again, the notebook has another session and what it had before."""
    cell = client.send(cells.add(own.session_id))
    client.send(cells.update(own.session_id, cell.id, source="print('kept')"))
    client.send(cells.execute(own.session_id, cell.id))
    client.send(notebooks.close(own.session_id))
    opened = client.send(notebooks.open_(own.path))
    assert opened.session_id != own.session_id
    assert [(c.id, c.status, c.console_stdout) for c in opened.cells] == [
        (cell.id, "ready", "kept\n")
    ]


def test_delete_removes_the_folder_and_the_session(client: Client, own: Notebook) -> None:
    """Nothing of the notebook is left."""
    client.send(notebooks.delete(own.session_id))
    assert not Path(own.path).exists()
    with pytest.raises(SessionClosedError):
        client.send(sessions.get(own.session_id))


@pytest.mark.parametrize("is_open", [True, False])
def test_delete_by_path_removes_the_folder(client: Client, own: Notebook, *, is_open: bool) -> None:
    """A notebook can be deleted without opening it."""
    if not is_open:
        client.send(notebooks.close(own.session_id))
    client.send(notebooks.delete_by_path(own.path))
    assert not Path(own.path).exists()


def test_rename_changes_the_name_and_not_the_folder(client: Client, own: Notebook) -> None:
    """The name is the notebook's, the path its folder's."""
    client.send(notebooks.rename(own.session_id, "Forecast 2026"))
    renamed = client.send(sessions.get(own.session_id))
    assert (renamed.name, renamed.path) == ("Forecast 2026", own.path)


def test_list_has_every_session(client: Client, own: Notebook) -> None:
    """The open notebooks are listed with session, name and path."""
    listed = {session.session_id: session for session in client.send(sessions.list_())}
    session = listed[own.session_id]
    assert (session.name, session.path, session.notebook_id) == (own.name, own.path, own.id)
    assert session.created_at is not None


def test_get_has_the_whole_notebook(client: Client, own: Notebook) -> None:
    """A session is answered in the shape that opening has."""
    cell = client.send(cells.add(own.session_id))
    found = client.send(sessions.get(own.session_id))
    assert found == client.send(notebooks.open_(own.path))
    assert [c.id for c in found.cells] == [cell.id]


def test_discover_has_what_is_closed_too(client: Client, own: Notebook) -> None:
    """The folder's notebooks are listed, open or not."""
    client.send(notebooks.close(own.session_id))
    found = {entry.path: entry.notebook_id for entry in client.send(notebooks.discover())}
    assert found[own.path] == own.id


def test_a_timeout_ends_a_cell(client: Client, own: Notebook) -> None:
    """The notebook's time limit holds for its cells."""
    client.send(notebooks.set_timeout(own.session_id, 1))
    cell = client.send(cells.add(own.session_id))
    client.send(cells.update(own.session_id, cell.id, source="import time; time.sleep(60)"))
    result = client.send(cells.execute(own.session_id, cell.id))
    assert result.status == "error"
    assert "timed out after 1.0s" in result.error


def test_environment_variables_reach_the_cells(client: Client, own: Notebook) -> None:
    """What is set for the notebook is in ``os.environ``."""
    client.send(notebooks.set_env(own.session_id, {"GREETING": "hello"}))
    cell = client.send(cells.add(own.session_id))
    client.send(
        cells.update(own.session_id, cell.id, source="import os; print(os.environ['GREETING'])")
    )
    assert client.send(cells.execute(own.session_id, cell.id)).stdout == "hello\n"


def test_export_is_a_bundle_of_the_notebooks_files(client: Client, own: Notebook) -> None:
    """The bundle holds the notebook, its cells and its environment."""
    cell = client.send(cells.add(own.session_id))
    client.send(cells.update(own.session_id, cell.id, source="x = 1\n"))
    bundle = zipfile.ZipFile(io.BytesIO(client.send(notebooks.export(own.session_id))))
    names = {name.rpartition("/")[2]: name for name in bundle.namelist()}
    assert {"notebook.toml", "pyproject.toml", "uv.lock"} <= names.keys()
    assert bundle.read(names[f"{cell.id}.py"]) == b"x = 1\n"


@pytest.mark.parametrize(("form", "start"), [("markdown", b"#"), ("html", b"<!DOCTYPE html>")])
def test_export_as_a_document_to_read(
    client: Client, own: Notebook, form: notebooks.ExportFormat, start: bytes
) -> None:
    """A notebook can be exported as text, too."""
    document = client.send(notebooks.export(own.session_id, form=form))
    assert document.lstrip().lower().startswith(start.lower())

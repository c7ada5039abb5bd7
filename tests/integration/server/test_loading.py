"""``serve --from``: projects made of files."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from deepnote_kernel import snapshot
from deepnote_kernel.errors import ConfigError
from deepnote_kernel.server.documents.loading import load_projects
from deepnote_kernel.server.storage.folders import Folders
from deepnote_kernel.server.storage.store import (
    DATABASE_NAME,
    Block,
    Notebook,
    Project,
    Store,
    new_hex_id,
    new_uuid,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

JSON = dict[str, Any]


def write_notebook(path: Path, *sources: str) -> None:
    """Write a Jupyter notebook of code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def document(*names: str, project_id: str = "", name: str = "Sales") -> snapshot.Document:
    """Return a document whose notebooks hold their name as a block of code."""
    notebooks = [
        snapshot.Notebook(
            id=new_hex_id(),
            name=each,
            blocks=[
                snapshot.Block(
                    id=new_hex_id(),
                    type="code",
                    content=each,
                    block_group="g",
                    sorting_key="0",
                    outputs=[{"output_type": "stream", "name": "stdout", "text": "old"}],
                )
            ],
        )
        for each in names
    ]
    project = snapshot.Project(id=project_id or new_uuid(), name=name, notebooks=notebooks)
    metadata = snapshot.Metadata(created_at="2026-11-20T12:00:00.000Z")
    return snapshot.Document(metadata=metadata, project=project)


def write_document(path: Path, content: snapshot.Document) -> None:
    """Write a document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(snapshot.dump(content))


class Loaded:
    """A store and folders that projects are loaded into."""

    def __init__(self, store: Store, folders: Folders) -> None:
        self.store = store
        self.folders = folders

    def load(self, path: Path) -> dict[str, list[str]]:
        """Load a path; return the names of what it describes."""
        projects = load_projects(self.store, self.folders, path)
        return {project.name: list(self.notebooks(project)) for project in projects}

    def notebooks(self, project: Project) -> dict[str, Notebook]:
        """Return a project's notebooks by name."""
        found = self.store.find(Notebook, project_id=project.id)
        return {notebook.name: notebook for notebook in found}

    @property
    def sources(self) -> list[str]:
        """The sources of all blocks."""
        return [block.content for block in self.store.find(Block, "notebook_id, position")]

    def files(self, name: str) -> list[str]:
        """Return the paths of the files of a project, named by its name."""
        (project,) = self.store.find(Project, name=name)
        return [file.path for file in self.folders.files(project.id)]


@pytest.fixture
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Nothing yet."""
    with contextlib.closing(Store(":memory:")) as store:
        yield Loaded(
            store, Folders(tmp_path_factory.mktemp("folders"), tmp_path_factory.mktemp("copies"))
        )


def test_a_document_is_its_project(loaded: Loaded, tmp_path: Path) -> None:
    """With all of its notebooks, their blocks, and the ids of all three."""
    content = document("One", "Two")
    write_document(tmp_path / "x.deepnote", content)
    assert loaded.load(tmp_path / "x.deepnote") == {"Sales": ["One", "Two"]}
    assert loaded.store.get(Project, content.project.id).name == "Sales"
    for notebook in content.project.notebooks:
        (block,) = loaded.store.find(Block, notebook_id=notebook.id)
        assert (block.id, block.content) == (notebook.blocks[0].id, notebook.name)


def test_a_notebook_is_a_project_of_its_name(loaded: Loaded, tmp_path: Path) -> None:
    """Its cells become blocks; files beside it are left where they are."""
    write_notebook(tmp_path / "analysis.ipynb", "1", "2")
    (tmp_path / "data.csv").write_text("a,b")
    assert loaded.load(tmp_path / "analysis.ipynb") == {"analysis": ["analysis"]}
    assert loaded.sources == ["1", "2"]
    assert loaded.files("analysis") == []


def test_notebooks_of_a_folder_are_one_project(loaded: Loaded, tmp_path: Path) -> None:
    """Named after the folder; the other files in it are the project's."""
    folder = tmp_path / "Report"
    write_notebook(folder / "b.ipynb", "b")
    write_notebook(folder / "a.ipynb", "a")
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "x.csv").write_text("x")
    (folder / "helper.py").write_text("y = 1")
    assert loaded.load(folder) == {"Report": ["a", "b"]}
    assert loaded.files("Report") == ["data/raw/x.csv", "helper.py"]


def test_each_folder_below_is_loaded_by_itself(loaded: Loaded, tmp_path: Path) -> None:
    """A folder without notebooks belongs to the one above."""
    write_document(tmp_path / "root.deepnote", document("Main"))
    write_notebook(tmp_path / "team" / "deep" / "n.ipynb", "n")
    (tmp_path / "team" / "note.txt").write_text("not the project's")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text("x")
    assert loaded.load(tmp_path) == {"Sales": ["Main"], "deep": ["n"]}
    assert loaded.files("Sales") == ["data/x.csv"]
    assert loaded.files("deep") == []


def test_documents_of_one_project_belong_together(loaded: Loaded, tmp_path: Path) -> None:
    """As ``deepnote sync`` writes them, with the project's files beside them."""
    project_id = new_uuid()
    write_document(tmp_path / "one.deepnote", document("One", project_id=project_id))
    write_document(tmp_path / "two.deepnote", document("Two", project_id=project_id))
    (tmp_path / ".files" / ".config").mkdir(parents=True)
    (tmp_path / ".files" / ".config" / "x.toml").write_text("x")
    assert loaded.load(tmp_path) == {"Sales": ["One", "Two"]}
    assert loaded.files("Sales") == [".config/x.toml"]


def test_what_is_no_source_is_passed_over(loaded: Loaded, tmp_path: Path) -> None:
    """Hidden files, links, snapshots of runs, and the folder of a server."""
    write_document(tmp_path / "a.deepnote", document("Main"))
    write_document(tmp_path / "a_latest.snapshot.deepnote", document("Run"))
    write_notebook(tmp_path / ".ipynb_checkpoints" / "a.ipynb", "old")
    write_document(tmp_path / "snapshots" / "b.deepnote", document("Run"))
    (tmp_path / ".env").write_text("SECRET=1")
    (tmp_path / "link.txt").symlink_to(__file__)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "x.txt").write_text("a server's")
    Store(tmp_path / "state" / DATABASE_NAME).close()
    assert loaded.load(tmp_path) == {"Sales": ["Main"]}
    assert loaded.files("Sales") == []


def test_loading_again_adds_only_what_is_new(loaded: Loaded, tmp_path: Path) -> None:
    """What was changed on the server meanwhile stays."""
    folder = tmp_path / "Report"
    write_notebook(folder / "a.ipynb", "a")
    write_document(folder / "x.deepnote", document("One"))
    (folder / "data.csv").write_text("old")
    first = loaded.load(folder)
    (block,) = loaded.store.find(Block, content="a")
    loaded.store.update(Block, block.id, content="edited")
    (project,) = loaded.store.find(Project, name="Report")
    data = loaded.folders.of(project.id) / "data.csv"
    data.write_text("new")
    write_notebook(folder / "b.ipynb", "b")
    assert first == {"Report": ["a"], "Sales": ["One"]}
    assert loaded.load(folder) == {"Report": ["a", "b"], "Sales": ["One"]}
    assert sorted(loaded.sources) == ["One", "b", "edited"]
    assert data.read_text() == "new"


def test_a_copied_folder_is_another_project(loaded: Loaded, tmp_path: Path) -> None:
    """Though its cells have the same ids; loading it again changes nothing."""
    write_notebook(tmp_path / "a" / "n.ipynb", "1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "n.ipynb").write_bytes((tmp_path / "a" / "n.ipynb").read_bytes())
    expected = {"a": ["n"], "b": ["n"]}
    assert [loaded.load(tmp_path), loaded.load(tmp_path)] == [expected, expected]
    assert loaded.sources == ["1", "1"]


def test_a_notebook_id_in_two_projects_is_given_once(loaded: Loaded, tmp_path: Path) -> None:
    """The second project's notebook gets one that is the same at the next start."""
    one = document("Main")
    two = document("Main", name="Copy")
    two.project.notebooks = one.project.notebooks
    write_document(tmp_path / "a.deepnote", one)
    write_document(tmp_path / "b.deepnote", two)
    expected = {"Sales": ["Main"], "Copy": ["Main"]}
    assert [loaded.load(tmp_path), loaded.load(tmp_path)] == [expected, expected]


def test_names_become_unique_in_a_project(loaded: Loaded, tmp_path: Path) -> None:
    """A document may use one twice."""
    write_document(tmp_path / "a.deepnote", document("Main", "Main", "Main"))
    assert loaded.load(tmp_path) == {"Sales": ["Main", "Main 2", "Main 3"]}


def test_ids_that_cannot_be_paths_are_replaced(loaded: Loaded, tmp_path: Path) -> None:
    """A document cannot put files outside of its project's folder."""
    content = document("Main", project_id="../../evil")
    content.project.notebooks[0].id = "../n"
    write_document(tmp_path / "a.deepnote", content)
    assert [loaded.load(tmp_path), loaded.load(tmp_path)] == [{"Sales": ["Main"]}] * 2
    (project,) = loaded.store.find(Project)
    assert "/" not in project.id
    assert all("/" not in each.id for each in loaded.store.find(Notebook))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.deepnote", "a: [1"),
        ("a.deepnote", "version: 1.0.0"),
        ("a.deepnote", "\udcff"),
        ("a.ipynb", ""),
        ("a.ipynb", "[]"),
        ("a.ipynb", "{}"),
        ("a.ipynb", '{"nbformat": 9}'),
        ("a.ipynb", '{"cells": [1], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'),
    ],
)
def test_a_bad_file_is_named(loaded: Loaded, tmp_path: Path, name: str, text: str) -> None:
    """In one line; nothing of the folder is loaded."""
    (tmp_path / name).write_text(text, errors="surrogateescape")
    write_notebook(tmp_path / "good.ipynb", "1")
    with pytest.raises(ConfigError, match="cannot be loaded") as caught:
        loaded.load(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / name} ")
    assert "\n" not in str(caught.value)
    assert loaded.store.find(Project) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "cannot be read: No such file or directory."),
        (lambda path: path.mkdir(), "There is no notebook in "),
        (lambda path: path.write_text("x"), "is no notebook."),
    ],
)
def test_a_path_without_notebooks_is_named(
    loaded: Loaded, tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    """Whether it is missing, empty, or something else."""
    path = tmp_path / "here"
    make(path)
    with pytest.raises(ConfigError) as caught:
        loaded.load(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_server_serves_what_it_loaded(
    start_server: Callable[..., Any], tmp_path: Path, until: Callable[..., None]
) -> None:
    """From several paths; cells find the files of their project."""
    write_notebook(tmp_path / "Report" / "a.ipynb", "print(open('data.csv').read())")
    (tmp_path / "Report" / "data.csv").write_text("a,b")
    write_document(tmp_path / "x.deepnote", document("One"))
    server = start_server(
        "--from", str(tmp_path / "Report"), "--from", str(tmp_path / "x.deepnote")
    )
    with server.client() as client:
        projects = client.get("/v2/projects").json()["projects"]
        assert [project["name"] for project in projects] == ["Report", "Sales"]
        body = {"notebookId": projects[0]["notebooks"][0]["id"]}
        path = f"/v2/runs/{client.post('/v2/runs', json=body).json()['runId']}"
        until(lambda: client.get(path).json()["run"]["completedAt"])
        run = client.get(path, params={"snapshotDelivery": "blocks"}).json()["run"]
        assert "a,b" in json.dumps(run["snapshotBlocks"])


def test_a_person_is_told_the_notebooks_ids(tmp_path: Path) -> None:
    """One line for each, after how to use the server; each once, however it was named."""
    content = document("One", "Two")
    write_document(tmp_path / "x.deepnote", content)
    command = [sys.executable, "-m", "deepnote_kernel.server"]
    command += ["--from", str(tmp_path), "--from", str(tmp_path / "x.deepnote")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(5)]
        server.terminate()
        assert server.stdout.read() == ""
    one, two = content.project.notebooks
    assert lines[3:] == [f"{one.id}  Sales / One\n", f"{two.id}  Sales / Two\n"]


def test_a_server_that_cannot_load_does_not_start(tmp_path: Path) -> None:
    """It says why in one line and ends."""
    command = [sys.executable, "-m", "deepnote_kernel.server", "--from", str(tmp_path / "none")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"{tmp_path / 'none'} cannot be read: No such file or directory. "
        "Check the path and its permissions.\n"
    )

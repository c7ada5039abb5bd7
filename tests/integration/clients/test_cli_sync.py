"""``deepnote sync``: a workspace and its mirror on disk follow each other."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

JSON = dict[str, Any]


@dataclass
class Mirror:
    """A project on the server, and its folder in a synchronised workspace."""

    client: httpx.Client
    document: JSON
    folder: Path

    @property
    def project_id(self) -> str:
        """The project."""
        project_id: str = self.document["project"]["id"]
        return project_id

    @property
    def notebook(self) -> JSON:
        """The project's first notebook, as it was at first."""
        notebook: JSON = self.document["project"]["notebooks"][0]
        return notebook

    @property
    def file(self) -> Path:
        """That notebook's document on disk."""
        return self.folder / "notebook-1.deepnote"

    def edit(self, old: str, new: str) -> None:
        """Replace a text in the document on disk."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def sources(self) -> list[str]:
        """Return the sources of the notebook on the server."""
        answer = self.client.get(f"/v2/notebooks/{self.notebook['id']}")
        return [block["content"] for block in answer.json()["notebook"]["blocks"]]

    def change(self, content: str) -> None:
        """Change the notebook's block on the server."""
        block = self.client.get(f"/v2/notebooks/{self.notebook['id']}").json()["notebook"]["blocks"]
        self.client.patch(f"/v2/blocks/{block[0]['id']}", json={"content": content})

    def files(self) -> list[str]:
        """Return the paths of the project's files on the server."""
        project = self.client.get(f"/v2/projects/{self.project_id}").json()["project"]
        return [file["path"] for file in project["files"]]


@pytest.fixture
def mirror(deepnote: Any, new_project: Any, client: httpx.Client, tmp_path: Path) -> Mirror:
    """A project with a notebook and a file, just pulled."""
    name = f"Sync {uuid.uuid4().hex}"
    document = new_project("print('original')", name=name)
    form = {"projectId": document["project"]["id"], "path": "data/in.csv"}
    client.post("/v2/files", data=form, files={"file": b"a,b\n"})
    done = deepnote("sync", "workspace", "--all-files")
    assert done.returncode == 0, done.stdout
    assert f"pulled    {name}" in done.stdout
    return Mirror(client, document, tmp_path / "workspace" / name)


def test_a_workspace_is_pulled(mirror: Mirror) -> None:
    """One document for each notebook, and the project's files."""
    assert "print('original')" in mirror.file.read_text()
    assert (mirror.folder / ".files/data/in.csv").read_bytes() == b"a,b\n"


def test_nothing_changes_where_nothing_has_changed(deepnote: Any, mirror: Mirror) -> None:
    """Exports are the same to the byte."""
    before = mirror.file.read_bytes()
    done = deepnote("sync", "workspace", "--all-files")
    assert (done.returncode, mirror.file.read_bytes()) == (0, before)
    assert f"unchanged {mirror.folder.name}" in done.stdout
    assert "0 pulled" in done.stdout


def test_a_local_edit_is_pushed(deepnote: Any, mirror: Mirror) -> None:
    """The notebook on the server takes it over, and both are in step again."""
    mirror.edit("original", "local")
    done = deepnote("sync", "workspace")
    assert done.returncode == 0, done.stdout
    assert f"pushed    {mirror.folder.name} — Notebook 1: overwritten" in done.stdout
    assert mirror.sources() == ["print('local')"]
    assert f"unchanged {mirror.folder.name}" in deepnote("sync", "workspace").stdout


def test_an_edit_on_the_server_is_pulled(deepnote: Any, mirror: Mirror) -> None:
    """Though an edit there does not move the time of the last import."""
    mirror.change("print('theirs')")
    done = deepnote("sync", "workspace")
    assert f"pulled    {mirror.folder.name}" in done.stdout
    assert "print('theirs')" in mirror.file.read_text()


@pytest.mark.parametrize(
    ("answer", "said", "kept"),
    [
        ("skip", "skipped ", "local"),
        ("override", "pulled  ", "theirs"),
    ],
)
def test_edits_on_both_sides_are_a_conflict(
    deepnote: Any, mirror: Mirror, answer: str, said: str, kept: str
) -> None:
    """Nothing is pushed over the other side's edit; the answer decides about the local one."""
    mirror.change("print('theirs')")
    mirror.edit("original", "local")
    done = deepnote("sync", "workspace", "--on-conflict", answer)
    assert done.returncode == 0, done.stdout
    assert f"{said}  {mirror.folder.name}" in done.stdout
    assert mirror.sources() == ["print('theirs')"]
    assert f"print('{kept}')" in mirror.file.read_text()


def test_a_new_notebook_is_pushed_and_a_missing_one_deleted(
    deepnote: Any, mirror: Mirror, client: httpx.Client
) -> None:
    """The project on the server ends up with the notebooks on disk."""
    text = mirror.file.read_text()
    added = text.replace(mirror.notebook["id"], "0" * 32).replace("Notebook 1", "Second")
    (mirror.folder / "second.deepnote").write_text(added)
    mirror.file.unlink()
    done = deepnote("sync", "workspace", "--delete-missing-notebooks")
    assert done.returncode == 0, done.stdout
    project = client.get(f"/v2/projects/{mirror.project_id}").json()["project"]
    assert [notebook["name"] for notebook in project["notebooks"]] == ["Second"]


def test_files_are_uploaded_with_a_local_edit(deepnote: Any, mirror: Mirror) -> None:
    """New ones beside the others; a changed one keeps its path, though no upload overwrites."""
    mirror.edit("original", "local")
    (mirror.folder / ".files/data/in.csv").write_bytes(b"longer\n")
    (mirror.folder / ".files/data/out.csv").write_bytes(b"c\n")
    done = deepnote("sync", "workspace", "--all-files")
    assert done.returncode == 0, done.stdout
    assert mirror.files() == ["data/in.csv", "data/out.csv"]
    query = {"projectId": mirror.project_id, "path": "data/in.csv"}
    assert mirror.client.get("/v2/files/download", params=query).content == b"longer\n"


def test_a_broken_document_fails_the_command(deepnote: Any, mirror: Mirror) -> None:
    """The server names the document; nothing on it changes."""
    mirror.edit('version: "1.0.0"', "version: 3")
    done = deepnote("sync", "workspace")
    assert done.returncode == 1
    assert "notebook-1.deepnote" in done.stdout
    assert mirror.sources() == ["print('original')"]

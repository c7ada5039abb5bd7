"""Projects exported as archives of documents, and archives imported into projects."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel import snapshot
from deepnote_kernel.server.storage.store import new_hex_id

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

JSON = dict[str, Any]
Documents = dict[str, str]


def packed(documents: dict[str, str | bytes]) -> bytes:
    """Return documents as an archive, as a client makes one."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, text in documents.items():
            archive.writestr(name, text)
    return body.getvalue()


def hash_of(documents: Documents) -> str:
    """Return the content hash of documents with plain names, as the contract has it."""
    entries = [
        f"{name}\n{hashlib.sha256(text.encode()).hexdigest()}"
        for name, text in sorted(documents.items())
    ]
    return hashlib.sha256("\n".join(entries).encode()).hexdigest()


class Exchanged:
    """A project, seen through its archives."""

    def __init__(self, client: httpx.Client, **body: str) -> None:
        self.client = client
        answer = client.post("/v2/projects", json={"name": "Sales", **body})
        self.id = answer.json()["project"]["id"]

    @property
    def path(self) -> str:
        """The project's path."""
        return f"/v2/projects/{self.id}"

    @property
    def notebooks(self) -> dict[str, str]:
        """The ids of its notebooks, by name."""
        notebooks = self.client.get(self.path).json()["project"]["notebooks"]
        return {notebook["name"]: notebook["id"] for notebook in notebooks}

    def add_notebook(self, name: str) -> str:
        """Create a notebook and return its id."""
        body = {"projectId": self.id, "name": name}
        notebook_id: str = self.client.post("/v2/notebooks", json=body).json()["notebook"]["id"]
        return notebook_id

    def add_block(self, notebook: str, content: str, **body: Any) -> str:
        """Add a block to a notebook named by its name; return the block's id."""
        body = {"notebookId": self.notebooks[notebook], "type": "code", "content": content, **body}
        answer = self.client.post("/v2/blocks", json=body)
        assert answer.status_code == 201, answer.text
        block_id: str = answer.json()["block"]["id"]
        return block_id

    def blocks(self, notebook: str) -> list[JSON]:
        """Return the blocks of a notebook named by its name."""
        answer = self.client.get(f"/v2/notebooks/{self.notebooks[notebook]}")
        blocks: list[JSON] = answer.json()["notebook"]["blocks"]
        return blocks

    def export(self) -> Documents:
        """Return its documents by file name."""
        answer = self.client.get(f"{self.path}/export")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}

    def post(self, body: bytes, **params: str) -> httpx.Response:
        """Import an archive."""
        headers = {"Content-Type": "application/zip"}
        return self.client.post(f"{self.path}/import", content=body, headers=headers, params=params)

    def import_(self, documents: Documents, **params: str) -> JSON:
        """Import documents that are expected to be taken; return the answer."""
        answer = self.post(packed({**documents}), **params)
        assert answer.status_code == 200, answer.text
        content: JSON = answer.json()
        return content

    def actions(self, documents: Documents, **params: str) -> dict[str, str]:
        """Import documents; return what was done, by the notebook's name."""
        notebooks = self.import_(documents, **params)["notebooks"]
        return {notebook["name"]: notebook["action"] for notebook in notebooks}


@pytest.fixture
def project(client: httpx.Client) -> Exchanged:
    """A project with one notebook of one block."""
    project = Exchanged(client)
    project.add_block("Notebook 1", "print(1)")
    return project


def edited(text: str, **changes: Any) -> str:
    """Return a document with other attributes of its only notebook."""
    document = snapshot.load(text)
    for name, value in changes.items():
        setattr(document.project.notebooks[0], name, value)
    return snapshot.dump(document)


def test_an_export_has_a_document_for_each_notebook(project: Exchanged) -> None:
    """Named after the notebooks, at the archive's root; names that become equal are numbered."""
    for name in ("Größe & Co.", "grosse-co", "notebook-1", "日本"):
        project.add_notebook(name)
    documents = project.export()
    assert [
        "notebook-1.deepnote",
        "gro-e-co.deepnote",
        "grosse-co.deepnote",
        "notebook-1-2.deepnote",
        f"{project.notebooks['日本']}.deepnote",
    ] == list(documents)
    notebooks = [snapshot.load(text).project.notebooks for text in documents.values()]
    assert [[each.name for each in held] for held in notebooks] == [
        [name] for name in project.notebooks
    ]


def test_a_document_holds_the_whole_notebook(project: Exchanged) -> None:
    """Its project, and its blocks with their metadata and hashes in order."""
    project.add_block("Notebook 1", "# Title", type="markdown", position=0)
    project.add_block("Notebook 1", "", type="input-slider", metadata={"deepnote_slider_step": 2})
    (text,) = project.export().values()
    document = snapshot.load(text)
    snapshot.validate(document)
    assert (document.project.id, document.project.name) == (project.id, "Sales")
    blocks = document.project.notebooks[0].blocks
    assert [block.id for block in blocks] == [each["id"] for each in project.blocks("Notebook 1")]
    assert [block.content for block in blocks] == ["# Title", "print(1)", ""]
    assert [block.content_hash for block in blocks] == [
        snapshot.content_hash("# Title"),
        snapshot.content_hash("print(1)"),
        None,
    ]
    assert blocks[2].metadata == {"deepnote_slider_step": 2}


def test_an_export_has_no_traces_of_runs(
    client: httpx.Client, project: Exchanged, finished: Callable[..., JSON]
) -> None:
    """Neither outputs nor counts; the archive is the same to the byte."""
    metadata = {"execution_start": 1, "execution_millis": 2, "is_code_hidden": True}
    project.add_block("Notebook 1", "2", metadata=metadata)
    before = client.get(f"{project.path}/export").content
    body = {"notebookId": project.notebooks["Notebook 1"]}
    finished(client.post("/v2/runs", json=body).json()["runId"])
    assert client.get(f"{project.path}/export").content == before
    (text,) = project.export().values()
    block = snapshot.load(text).project.notebooks[0].blocks[1]
    assert (block.metadata, block.outputs) == ({"is_code_hidden": True}, None)


def test_the_init_notebook_is_named_in_every_document(project: Exchanged) -> None:
    """It prepares the machine for all."""
    init = project.add_notebook("Init")
    documents = project.export().values()
    assert {snapshot.load(text).project.init_notebook_id for text in documents} == {init}


def test_an_export_imports_without_a_change(project: Exchanged) -> None:
    """The hash a client computes is the hash the answer holds; block ids stay."""
    project.add_notebook("Second")
    before = project.export()
    blocks = project.blocks("Notebook 1")
    answer = project.import_(before, baseContentHash=hash_of(before))
    after = project.export()
    assert project.blocks("Notebook 1") == blocks
    modified = {snapshot.load(text).metadata.modified_at for text in after.values()}
    assert answer["project"] == {
        "id": project.id,
        "modifiedAt": modified.pop(),
        "contentHash": hash_of(after),
    }
    assert {each["action"] for each in answer["notebooks"]} == {"overwritten"}


def test_a_notebook_is_edited_created_deleted_and_restored(project: Exchanged) -> None:
    """The answer says which; an absent notebook goes only where that is asked for."""
    (text,) = project.export().values()
    block = snapshot.load(text).project.notebooks[0].blocks[0]
    block.content = "print(2)"
    first = {"a.deepnote": edited(text, blocks=[block])}
    second_id = new_hex_id()
    second = {"b.deepnote": edited(text, id=second_id, name="Second", blocks=[])}
    assert project.actions(first | second) == {"Notebook 1": "overwritten", "Second": "created"}
    assert [each["content"] for each in project.blocks("Notebook 1")] == ["print(2)"]
    assert project.actions(first) == {"Notebook 1": "overwritten"}
    assert set(project.notebooks) == {"Notebook 1", "Second"}
    deleted = {"Notebook 1": "overwritten", "Second": "deleted"}
    assert project.actions(first, deleteMissingNotebooks="true") == deleted
    assert set(project.notebooks) == {"Notebook 1"}
    assert project.actions(second) == {"Second": "restored"}
    assert project.notebooks["Second"] == second_id


def test_an_import_clears_what_a_run_left(project: Exchanged) -> None:
    """Outputs and times of the document are not taken over."""
    (text,) = project.export().values()
    block = snapshot.load(text).project.notebooks[0].blocks[0]
    block.outputs = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    block.metadata = {"execution_start": 1, "deepnote_app_is_code_hidden": True}
    project.import_({"a.deepnote": edited(text, blocks=[block])})
    (left,) = project.blocks("Notebook 1")
    assert left["metadata"] == {"deepnote_app_is_code_hidden": True}
    (text,) = project.export().values()
    assert "stdout" not in text


def test_notebooks_exchange_names_and_blocks(project: Exchanged) -> None:
    """Names are unique when all is done; a block that moved keeps its id."""
    second = project.add_notebook("Second")
    first = project.notebooks["Notebook 1"]
    block = project.blocks("Notebook 1")[0]["id"]
    a, b = project.export().values()
    moved = snapshot.load(a).project.notebooks[0].blocks
    project.import_(
        {
            "b.deepnote": edited(b, name="Notebook 1", blocks=moved),
            "a.deepnote": edited(a, name="Second", blocks=[]),
        }
    )
    assert project.notebooks == {"Notebook 1": second, "Second": first}
    assert [each["id"] for each in project.blocks("Notebook 1")] == [block]


def test_a_block_of_another_notebook_gets_an_id_of_its_own(
    client: httpx.Client, project: Exchanged
) -> None:
    """A notebook copied into another project leaves the original alone."""
    other = Exchanged(client)
    (text,) = project.export().values()
    block = snapshot.load(text).project.notebooks[0].blocks[0]
    (text,) = other.export().values()
    other.import_({"a.deepnote": edited(text, blocks=[block])})
    assert other.blocks("Notebook 1")[0]["id"] != block.id
    assert project.blocks("Notebook 1")[0]["id"] == block.id


def test_settings_and_layout_survive(project: Exchanged) -> None:
    """What a document says of the notebook and of blocks side by side, and keys of the future."""
    block_id = project.add_block("Notebook 1", "2")
    (text,) = project.export().values()
    document = snapshot.load(text)
    notebook = document.project.notebooks[0]
    notebook.execution_mode = "downstream"
    notebook.working_directory = "/work/sub"
    notebook.extra = {"fromTheFuture": [1]}
    notebook.blocks[1].block_group = notebook.blocks[0].block_group
    sent = snapshot.dump(document)
    project.import_({"a.deepnote": sent})
    (received,) = project.export().values()
    left, right = (snapshot.load(each).project.notebooks[0] for each in (sent, received))
    assert left == right
    assert right.blocks[1].id == block_id


def test_the_shared_name_is_the_projects(client: httpx.Client, project: Exchanged) -> None:
    """A project is renamed by its documents."""
    (text,) = project.export().values()
    document = snapshot.load(text)
    document.project.name = "Renamed"
    project.import_({"a.deepnote": snapshot.dump(document)})
    assert client.get(project.path).json()["project"]["name"] == "Renamed"


def test_an_empty_archive_is_an_import_of_nothing(project: Exchanged) -> None:
    """All notebooks go where missing ones shall, and an empty project exports an empty archive."""
    assert project.actions({}) == {}
    assert project.actions({}, deleteMissingNotebooks="true") == {"Notebook 1": "deleted"}
    assert project.export() == {}


def test_an_overtaken_import_is_409(client: httpx.Client, project: Exchanged) -> None:
    """By an edit, which the hash shows, or by a change of the set, which the time shows too."""
    before = project.export()
    modified_at = client.get(project.path).json()["project"]["updatedAt"]
    by_hash, by_time = {"baseContentHash": hash_of(before)}, {"baseModifiedAt": modified_at}
    archive = packed({**before})
    project.add_block("Notebook 1", "print(2)")
    answer = project.post(archive, **by_hash, **by_time)
    message = "Project has changed: its content hash is another than baseContentHash"
    assert (answer.status_code, answer.json()) == (409, {"message": message})
    assert project.post(archive, **by_time).status_code == 200
    answer = project.post(archive, **by_time)
    message = f"Project has changed since {modified_at}"
    assert (answer.status_code, answer.json()) == (409, {"message": message})
    assert project.post(archive, **by_hash, **by_time, force="true").status_code == 200


@pytest.mark.parametrize("change", ["add", "rename", "delete"])
def test_a_change_of_the_set_of_notebooks_moves_the_time(
    client: httpx.Client, project: Exchanged, until: Callable[..., None], change: str
) -> None:
    """Edits of blocks do not."""

    def modified() -> str:
        (text, *_) = project.export().values()
        return str(snapshot.load(text).metadata.modified_at)

    notebook_id = project.add_notebook("Second")
    before = modified()
    project.add_block("Notebook 1", "2")
    assert modified() == before
    if change == "add":
        project.add_notebook("Third")
    elif change == "rename":
        client.patch(f"/v2/notebooks/{notebook_id}", json={"name": "Other"})
    else:
        client.delete(f"/v2/notebooks/{notebook_id}")
    assert modified() > before


def test_a_suspended_project_is_neither_exported_nor_changed(
    client: httpx.Client, project: Exchanged
) -> None:
    """With the message by which a client tells this from a conflict."""
    documents = packed({**project.export()})
    client.put(f"/faults/projects/{project.id}", json={"suspended": True})
    for answer in (client.get(f"{project.path}/export"), project.post(documents, force="true")):
        assert (answer.status_code, answer.json()) == (409, {"message": "Project is suspended"})


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"force": "yes"}, "force must be true or false"),
        ({"deleteMissingNotebooks": ""}, "deleteMissingNotebooks must be true or false"),
        (
            {"baseModifiedAt": "yesterday"},
            "baseModifiedAt must be a time with its zone, in ISO 8601",
        ),
    ],
)
def test_a_parameter_that_cannot_be_is_400(
    project: Exchanged, params: dict[str, str], message: str
) -> None:
    """The message names it."""
    answer = project.post(packed({}), **params)
    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_another_media_type_is_400(client: httpx.Client, project: Exchanged) -> None:
    """An archive says that it is one."""
    headers = {"Content-Type": "application/yaml"}
    answer = client.post(f"{project.path}/import", content=b"version: 1.0.0", headers=headers)
    message = "Content-Type must be application/zip"
    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_an_unknown_project_is_404(client: httpx.Client) -> None:
    """For both ways."""
    headers = {"Content-Type": "application/zip"}
    path = "/v2/projects/nonesuch"
    answers = [
        client.get(f"{path}/export"),
        client.post(f"{path}/import", content=packed({}), headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"a/b.deepnote": "x"}, '"a/b.deepnote" in the archive is no .deepnote file at its root'),
        ({"a.yaml": "x"}, '"a.yaml" in the archive is no .deepnote file at its root'),
        ({"a.deepnote": ""}, '"a.deepnote" in the archive cannot be read: '),
        ({"a.deepnote": "a: [1"}, '"a.deepnote" in the archive cannot be read: '),
        ({"a.deepnote": b"\xff"}, '"a.deepnote" in the archive cannot be read: '),
        ({"a.deepnote": "version: 1.0.0"}, '"a.deepnote" in the archive cannot be read: '),
    ],
)
def test_an_archive_of_something_else_is_422(
    project: Exchanged, entries: dict[str, str | bytes], message: str
) -> None:
    """The message names the entry."""
    answer = project.post(packed(entries))
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(message)


@pytest.mark.parametrize("body", [b"", b"PK", b"no archive"])
def test_a_body_that_is_no_archive_is_422(project: Exchanged, body: bytes) -> None:
    """Also where it begins like one."""
    assert project.post(body).status_code == 422


def test_a_damaged_archive_is_422(project: Exchanged) -> None:
    """What was packed is checked against its checksum."""
    body = packed({"a.deepnote": "some text"})
    answer = project.post(body.replace(b"some text", b"same text"))
    assert answer.status_code == 422


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_whose_content_cannot_be_unpacked_is_422(
    project: Exchanged, method: int
) -> None:
    """However it was packed."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", method) as archive:
        archive.writestr("a.deepnote", "some text" * 9)
        start, end = archive.getinfo("a.deepnote").header_offset + 45, archive.start_dir
    damaged = body.getvalue()[:start] + b"\xff" * (end - start) + body.getvalue()[end:]
    assert project.post(damaged).status_code == 422


def test_an_archive_that_points_before_its_start_is_422(project: Exchanged) -> None:
    """A place where there can be nothing is no crash."""
    body = packed({"a.deepnote": "some text"})
    directory_offset = body.index(b"PK\x05\x06") + 16
    damaged = body[:directory_offset] + b"\xff" + body[directory_offset + 1 :]
    assert project.post(damaged).status_code == 422


def test_documents_that_grow_too_large_are_413(project: Exchanged) -> None:
    """However small they were made for the journey."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.deepnote", bytes(64 * 1024 * 1024 + 1))
    answer = project.post(body.getvalue())
    assert answer.status_code == 413
    assert answer.json()["message"] == "The documents are larger than 67108864 bytes"


def with_changes(text: str, change: str) -> Documents:
    """Return documents that do not fit their project, or each other."""
    document, second = snapshot.load(text), snapshot.load(text)
    notebook = second.project.notebooks[0]
    notebook.id, notebook.blocks = new_hex_id(), []
    if change == "project":
        document.project.id = "another"
    elif change == "names":
        second.project.name = "Other"
    elif change == "attachments":
        second.project.integrations = None
    elif change == "integration":
        document.project.integrations = [snapshot.Integration(id="i", name="DB", type="pgsql")]
        second.project.integrations = document.project.integrations
    elif change == "twice":
        notebook.id = document.project.notebooks[0].id
    elif change == "id":
        notebook.id = "../b"
    elif change == "two":
        document.project.notebooks.append(notebook)
    elif change == "block":
        document.project.notebooks[0].blocks[0].type = "poem"
    return {"a.deepnote": snapshot.dump(document), "b.deepnote": snapshot.dump(second)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("project", "A document belongs to another project"),
        ("names", "The documents give the project different names"),
        ("attachments", "The documents attach different integrations"),
        ("integration", "Integration i is not available to the project"),
        ("twice", "Two documents hold the same notebook"),
        ("id", '"../b" cannot be the id of a notebook'),
        ("two", '"a.deepnote" in the archive holds 2 notebooks, not one'),
        ("block", '"a.deepnote" in the archive cannot be read: project.notebooks[0].blocks[0]'),
        ("name", 'Two notebooks would be named "Notebook 1"'),
    ],
)
def test_documents_that_do_not_fit_are_422(project: Exchanged, change: str, message: str) -> None:
    """And nothing of the archive is taken over."""
    before = project.export()
    (text,) = before.values()
    answer = project.post(packed({**with_changes(text, change)}))
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(message)
    assert project.export() == before


def test_a_notebook_of_another_project_is_422(client: httpx.Client, project: Exchanged) -> None:
    """Ids are the same everywhere on a server."""
    other = Exchanged(client)
    (text,) = project.export().values()
    taken = edited(text, id=other.notebooks["Notebook 1"], name="Taken", blocks=[])
    answer = project.post(packed({"a.deepnote": taken}))
    assert answer.status_code == 422
    assert answer.json()["message"].endswith("belongs to another project")


def test_a_project_of_one_notebook_takes_no_second(client: httpx.Client) -> None:
    """Nor by an import."""
    project = Exchanged(client, projectType="notebook")
    (text,) = project.export().values()
    second = edited(text, id=new_hex_id(), name="Second")
    answer = project.post(packed({"a.deepnote": second}))
    message = "A project of type notebook holds one notebook"
    assert (answer.status_code, answer.json()) == (422, {"message": message})
    assert set(project.notebooks) == {"Notebook 1"}

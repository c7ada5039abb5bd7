"""Files of a project, on the server and in its kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

JSON = dict[str, Any]


@pytest.fixture
def project_id(client: httpx.Client) -> str:
    """A new project."""
    project_id: str = client.post("/v2/projects", json={"name": "Files"}).json()["project"]["id"]
    return project_id


def upload(client: httpx.Client, project_id: str, path: str, content: bytes) -> httpx.Response:
    """Send a file as a form."""
    fields = {"projectId": project_id, "path": path}
    return client.post("/v2/files", data=fields, files={"file": ("file", content)})


def stored(client: httpx.Client, project_id: str, path: str, content: bytes) -> JSON:
    """Send a file that is expected to be stored; return what the answer says of it."""
    answer = upload(client, project_id, path, content)
    assert answer.status_code == 201, answer.text
    file: JSON = answer.json()["file"]
    return file


def download(client: httpx.Client, project_id: str, path: str) -> httpx.Response:
    """Ask for a file."""
    return client.get("/v2/files/download", params={"projectId": project_id, "path": path})


@pytest.mark.parametrize("path", ["a.csv", "deep/down/a.csv", "a b é 😀.csv", ".hidden", "a"])
def test_a_file_comes_back_as_it_was_sent(client: httpx.Client, project_id: str, path: str) -> None:
    """Under the path that was asked for, byte for byte."""
    content = bytes(range(256)) * 5000
    file = stored(client, project_id, path, content)
    assert (file["projectId"], file["path"], file["size"]) == (project_id, path, len(content))
    assert download(client, project_id, path).content == content


def test_a_download_has_no_length(client: httpx.Client, project_id: str) -> None:
    """It comes in chunks, as Deepnote's does."""
    stored(client, project_id, "a.csv", b"1,2")
    answer = download(client, project_id, "a.csv")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in answer.headers


def test_a_taken_path_is_not_overwritten(client: httpx.Client, project_id: str) -> None:
    """The answer tells the other path, and both files are there."""
    paths = [
        stored(client, project_id, "in/a.csv", content)["path"] for content in (b"1", b"2", b"3")
    ]
    assert paths == ["in/a.csv", "in/a-1.csv", "in/a-2.csv"]
    assert [download(client, project_id, path).content for path in paths] == [b"1", b"2", b"3"]


def test_files_are_listed_with_their_project(client: httpx.Client, project_id: str) -> None:
    """With path, size and time, as an upload tells them."""
    file = stored(client, project_id, "in/a.csv", b"1,2")
    project = client.get(f"/v2/projects/{project_id}").json()["project"]
    assert [{**listed, "projectId": project_id} for listed in project["files"]] == [file]


def test_a_deleted_file_is_gone(client: httpx.Client, project_id: str) -> None:
    """Its path is free again."""
    stored(client, project_id, "a.csv", b"old")
    params = {"projectId": project_id, "path": "a.csv"}
    assert client.delete("/v2/files", params=params).status_code == 204
    assert download(client, project_id, "a.csv").status_code == 404
    assert stored(client, project_id, "a.csv", b"new")["path"] == "a.csv"


def test_a_file_is_copied_into_another_project(client: httpx.Client, project_id: str) -> None:
    """Where its path is taken there, it gets another."""
    stored(client, project_id, "in/a.csv", b"1,2")
    body = {
        "sourceProjectId": project_id,
        "targetProjectId": project_id,
        "sourceFilePath": "in/a.csv",
    }
    file = client.post("/v2/files/copy", json=body).json()["file"]
    assert file["path"] == "in/a-1.csv"
    assert download(client, project_id, file["path"]).content == b"1,2"


OUTSIDE = ["../a", "in/../../a", "in/../a", "/etc/passwd", "..", "/", "a\0b"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_cannot_lead_out_of_the_project(
    client: httpx.Client, project_id: str, path: str
) -> None:
    """Neither up nor down, and whatever is no path of a file is none."""
    for answer in (
        upload(client, project_id, path, b"x"),
        download(client, project_id, path),
        client.delete("/v2/files", params={"projectId": project_id, "path": path}),
    ):
        assert answer.status_code == 400
        assert "is not one of a file below /work" in answer.json()["message"]


@pytest.mark.parametrize("path", ["missing.csv", "in", "in/a.csv/b", "x" * 300])
def test_what_is_no_file_is_not_found(client: httpx.Client, project_id: str, path: str) -> None:
    """Nothing, a folder, a file taken for a folder, and a name no file can have."""
    stored(client, project_id, "in/a.csv", b"1,2")
    answer = download(client, project_id, path)
    assert (answer.status_code, answer.json()) == (404, {"message": "File not found"})


@pytest.mark.parametrize("path", ["in/a.csv/b", "x" * 300])
def test_a_path_that_cannot_be_is_refused(client: httpx.Client, project_id: str, path: str) -> None:
    """A file is no folder, and names end somewhere."""
    stored(client, project_id, "in/a.csv", b"1,2")
    answer = upload(client, project_id, path, b"x")
    assert answer.status_code == 400
    assert "cannot be stored: " in answer.json()["message"]


@pytest.mark.parametrize(
    "form",
    [
        {"data": {"projectId": "p", "path": "a"}},
        {"data": {"projectId": "p"}, "files": {"file": b"x"}},
        {"data": {"projectId": "p", "path": "a", "file": "not a file"}},
        {"json": {"projectId": "p", "path": "a"}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
    ],
    ids=["no file", "no path", "a field", "json", "no form", "no boundary"],
)
def test_a_form_that_is_not_whole_is_refused(client: httpx.Client, form: JSON) -> None:
    """The answer says in a sentence what is wrong."""
    answer = client.post("/v2/files", **form)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize("params", [{"path": "a"}, {"projectId": "p"}])
def test_a_download_names_project_and_path(client: httpx.Client, params: dict[str, str]) -> None:
    """One without the other names no file."""
    answer = client.get("/v2/files/download", params=params)
    assert (answer.status_code, answer.json()) == (
        400,
        {"message": "projectId and path must be in the query"},
    )


def test_an_unknown_project_has_no_files(client: httpx.Client) -> None:
    """The project is missed before the file."""
    for answer in (upload(client, "unknown", "a", b"x"), download(client, "unknown", "a")):
        assert (answer.status_code, answer.json()) == (404, {"message": "Project not found"})


def test_a_suspended_project_keeps_its_files(client: httpx.Client, project_id: str) -> None:
    """Nothing comes in and nothing goes out."""
    client.put(f"/faults/projects/{project_id}", json={"suspended": True})
    for answer in (upload(client, project_id, "a", b"x"), download(client, project_id, "a")):
        assert (answer.status_code, answer.json()) == (409, {"message": "Project is suspended"})


def test_an_upload_may_be_larger_than_other_bodies(client: httpx.Client, project_id: str) -> None:
    """Other bodies end at 64 MiB."""
    content = bytes(70 * 1024 * 1024)
    assert stored(client, project_id, "large", content)["size"] == len(content)


def test_cells_and_callers_see_the_same_files(
    client: httpx.Client, start_session: Callable[..., Any]
) -> None:
    """A cell reads what was uploaded, and what a running cell writes can be downloaded at once."""
    session = start_session()
    project_id = session.content["session"]["projectId"]
    stored(client, project_id, "in/a.csv", b"1,2")
    assert session.text("print(open('in/a.csv').read())") == "1,2\n"
    session.outputs("open('out.csv', 'w').write('3,4')")
    assert download(client, project_id, "out.csv").content == b"3,4"
    session.outputs("import os; os.symlink('/etc', 'etc'); os.mkfifo('pipe')")
    assert download(client, project_id, "etc/passwd").status_code == 400
    assert download(client, project_id, "pipe").status_code == 404


def test_a_readonly_session_leaves_files_alone(
    client: httpx.Client, start_session: Callable[..., Any]
) -> None:
    """What it writes is its own affair."""
    session = start_session(storageMode="readonly")
    assert session.text("open('out.csv', 'w').write('3,4'); print(open('out.csv').read())")
    project_id = session.content["session"]["projectId"]
    assert download(client, project_id, "out.csv").status_code == 404

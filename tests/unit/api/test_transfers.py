"""What travels as it is: files and archives, up and down, through both clients."""

from __future__ import annotations

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deepnote_kernel.api import files, projects
from deepnote_kernel.errors import LocalFileError, NotFoundError, ResponseFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from deepnote_kernel.api import Call
    from tests.unit.api.conftest import Api

STORED = httpx.Response(201, json={"file": {"path": "a.csv"}})
LARGE = bytes(range(256)) * 1024


def form(request: httpx.Request) -> dict[str, tuple[str | None, bytes]]:
    """Return a sent form's parts by name: file name and content."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts: Any = BytesParser(EmailMessage, policy=HTTP).parsebytes(head + request.content)
    return {
        part.get_param("name", header="content-disposition"): (
            part.get_filename(),
            part.get_payload(decode=True),
        )
        for part in parts.iter_parts()
    }


@pytest.fixture(params=["path", "bytes"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path | bytes:
    """Give a large file, as a path or as its content."""
    if request.param == "bytes":
        return LARGE
    path = tmp_path / "source"
    path.write_bytes(LARGE)
    return path


def test_an_upload_is_a_form(api: Api, source: Path | bytes) -> None:
    """Its project, its path and its content are parts; the path's last one is the file name."""
    api.replies(STORED).send(files.upload("p", "a/b.csv", source))
    assert form(api.request) == {
        "projectId": (None, b"p"),
        "path": (None, b"a/b.csv"),
        "file": ("b.csv", LARGE),
    }


def test_an_upload_announces_its_length(api: Api, source: Path | bytes) -> None:
    """A server can refuse what is too large before it has come."""
    api.replies(STORED).send(files.upload("p", "a.csv", source))
    assert api.request.headers["Content-Length"] == str(len(api.request.content))


def test_an_upload_tells_how_far_it_is(api: Api, source: Path | bytes) -> None:
    """Progress goes up in pieces to the whole size."""
    seen: list[tuple[int, int | None]] = []
    api.replies(STORED).send(
        files.upload("p", "a", source, progress=lambda *progress: seen.append(progress))
    )
    assert {total for _, total in seen} == {len(LARGE)}
    done = [sent for sent, _ in seen]
    assert done == sorted(done)
    assert len(set(done)) > 1
    assert done[-1] == len(LARGE)


def test_an_upload_is_sent_whole_again_after_a_refusal(api: Api, source: Path | bytes) -> None:
    """429 says that nothing was stored, so the file is read from its start once more."""
    api.replies(httpx.Response(429), STORED).send(files.upload("p", "a", source))
    first, second = api.requests
    assert form(first)["file"] == form(second)["file"] == ("a", LARGE)


def test_a_file_that_cannot_be_read_is_named(api: Api, tmp_path: Path) -> None:
    """Nothing goes out, and the message says which file and why."""
    missing = tmp_path / "missing.csv"
    with pytest.raises(LocalFileError, match=r"missing.csv cannot be read: No such file .*Check"):
        api.send(files.upload("p", "a", missing))
    assert api.requests == []


def test_an_archive_is_sent_as_it_is(api: Api) -> None:
    """A ZIP archive is the whole body, what it is based on is in the query."""
    api.replies(httpx.Response(200, json={"project": {"id": "p"}}))
    call = projects.import_(
        "p",
        b"PK",
        base_modified_at="2026-11-20T12:00:00.000Z",
        base_content_hash="ab",
        delete_missing_notebooks=True,
        force=True,
    )
    api.send(call)
    assert (api.request.headers["Content-Type"], api.request.content) == ("application/zip", b"PK")
    assert str(api.request.url).partition("?")[2] == (
        "baseModifiedAt=2026-11-20T12%3A00%3A00.000Z&baseContentHash=ab"
        "&deleteMissingNotebooks=true&force=true"
    )


@pytest.mark.parametrize("call", [files.read("p", "a"), projects.export("p")])
def test_bytes_are_returned_as_they_come(api: Api, call: Call[bytes]) -> None:
    """What is no JSON, or looks like some, is content and nothing else."""
    api.replies(httpx.Response(200, content=b'{"message": "\xff"}'))
    assert api.send(call) == b'{"message": "\xff"}'


def test_a_download_lands_in_its_file(api: Api, tmp_path: Path) -> None:
    """The target is replaced, and nothing else is left in its folder."""
    target = tmp_path / "a.csv"
    target.write_text("old")
    api.replies(httpx.Response(200, content=LARGE))
    assert api.send(files.download("p", "a.csv", target)) == target
    assert target.read_bytes() == LARGE
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (httpx.Response(404, json={"message": "File not found"}), NotFoundError),
        (httpx.Response(302, headers={"Location": "https://other.example"}), ResponseFormatError),
    ],
)
def test_what_is_no_file_does_not_touch_the_target(
    api: Api, tmp_path: Path, reply: httpx.Response, error: type[Exception]
) -> None:
    """An error's body is read as an error, and the file that was there stays."""
    target = tmp_path / "a.csv"
    target.write_text("old")
    with pytest.raises(error):
        api.replies(reply).send(files.download("p", "a.csv", target))
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_target_that_cannot_be_written_is_named(api: Api, tmp_path: Path) -> None:
    """The message says which file and why."""
    api.replies(httpx.Response(200, content=b"x"))
    target = tmp_path / "no folder" / "a.csv"
    with pytest.raises(LocalFileError, match=r"no folder/a.csv cannot be written: No such file"):
        api.send(files.download("p", "a.csv", target))


def test_a_download_tells_how_far_it_is(api: Api, tmp_path: Path) -> None:
    """The whole size is known where the server announced it."""
    seen: list[tuple[int, int | None]] = []
    api.replies(httpx.Response(200, content=LARGE))
    call = files.download(
        "p", "a", tmp_path / "a", progress=lambda *progress: seen.append(progress)
    )
    api.send(call)
    assert seen[-1] == (len(LARGE), len(LARGE))


@pytest.mark.parametrize(
    ("call", "timeout_s"),
    [
        (files.upload("p", "a", b""), 600.0),
        (files.read("p", "a"), 600.0),
        (files.copy("p", "a", target_project_id="q"), 600.0),
        (projects.export("p"), 120.0),
        (projects.import_("p", b""), 120.0),
    ],
    ids=lambda value: getattr(value, "label", value),
)
def test_large_things_have_time(call: Call[Any], timeout_s: float) -> None:
    """Files have ten minutes and archives two, as with Deepnote's own clients."""
    assert call.timeout_s == timeout_s


def test_content_shows_up_in_no_message(api: Api) -> None:
    """Neither a call nor its parts show the content they carry when printed."""
    assert "canary" not in repr(files.upload("p", "a", b"canary"))
    assert "canary" not in repr(projects.import_("p", b"canary"))

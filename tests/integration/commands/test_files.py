"""A project's files, from a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.commands.conftest import Place, Shell

CONTENT = bytes(range(256)) * 300


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of this computer."""
    path = tmp_path / "data.bin"
    path.write_bytes(CONTENT)
    return path


def test_there_and_back(shell: Shell, place: Place, source: Path, tmp_path: Path) -> None:
    """What was put is listed and comes back as it was."""
    assert shell("files", "put", place.name, str(source)).status == 0
    assert "data.bin  76.8 kB" in shell("files", "list", place.name).out
    back = tmp_path / "back.bin"
    done = shell("files", "get", place.name, "data.bin", "--to", str(back), "--json")
    assert done.json == {"path": str(back), "size": len(CONTENT)}
    assert back.read_bytes() == CONTENT


def test_a_taken_path(shell: Shell, place: Place, source: Path) -> None:
    """The server stores the file elsewhere, which is shown; --replace takes its place."""
    shell("files", "put", place.id, str(source))
    done = shell("files", "put", place.id, str(source), "--json")
    (stored,) = done.json
    assert stored["path"] != "data.bin"
    assert repr(stored["path"]) in done.err
    (stored,) = shell("files", "put", place.id, str(source), "--replace", "--json").json
    assert stored["path"] == "data.bin"
    assert len(shell("files", "list", place.id, "--json").json) == 2


def test_into_a_folder(shell: Shell, place: Place, source: Path) -> None:
    """A target that ends in a slash keeps the files' names."""
    other = source.with_name("other.bin")
    other.write_bytes(b"1")
    stored = shell("files", "put", place.id, str(source), str(other), "--to", "in/", "--json").json
    assert [file["path"] for file in stored] == ["in/data.bin", "in/other.bin"]


def test_a_file_of_this_computer_is_not_replaced_unasked(
    shell: Shell, place: Place, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetching asks first; where nobody can be asked, it refuses."""
    shell("files", "put", place.id, str(source))
    source.write_bytes(b"changed")
    monkeypatch.chdir(tmp_path)
    assert shell("files", "get", place.id, "data.bin").status == 2
    assert source.read_bytes() == b"changed"
    assert shell("files", "get", place.id, "data.bin", "--yes").status == 0
    assert source.read_bytes() == CONTENT


def test_delete_and_copy(shell: Shell, place: Place, source: Path) -> None:
    """A file goes to another project, and away."""
    target = shell("projects", "create", f"{place.name} copy", "--json").json
    shell("files", "put", place.id, str(source))
    assert shell("files", "copy", place.id, "data.bin", target["id"]).status == 0
    assert shell("files", "delete", place.id, "data.bin", "--yes").status == 0
    assert shell("files", "list", place.id).out == "The project has no files.\n"
    assert "data.bin" in shell("files", "list", target["id"]).out


@pytest.mark.parametrize("name", ["not-there.bin", "."])
def test_nothing_to_put(shell: Shell, place: Place, name: str) -> None:
    """The line names what cannot be sent."""
    done = shell("files", "put", place.id, name)
    assert done.status == 1
    assert done.err.startswith(f"jupyter deepnote files put: {name} is ")


def test_an_unknown_path(shell: Shell, place: Place, tmp_path: Path) -> None:
    """Nothing is left behind where there was nothing to fetch."""
    target = tmp_path / "target"
    done = shell("files", "get", place.id, "not-there.bin", "--to", str(target))
    assert done.status == 4
    assert list(tmp_path.iterdir()) == []


def test_too_large(shell: Shell, place: Place, source: Path, fault: Callable[..., None]) -> None:
    """The server's limit is the server's to tell, and the line says what to do."""
    fault(method="POST", path="/v2/files", effect="status", status=413)
    done = shell("files", "put", place.id, str(source))
    assert done.status == 1
    assert "Split the file, or compress it." in done.err

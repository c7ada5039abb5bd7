"""Projects, notebooks, blocks and the rest of the workspace, from a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.commands.conftest import make_place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.commands.conftest import Place, Shell
    from tests.integration.conftest import Server


def test_me(shell: Shell) -> None:
    """It says whom the token speaks for, and where."""
    done = shell("me")
    assert done.status == 0
    assert "Local user" in done.out
    assert "This computer" in done.out
    assert done.err == ""


def test_a_project_lives_and_dies(shell: Shell) -> None:
    """Created, found by its name and by a part of it, deleted."""
    made = shell("projects", "create", "North of it", "--json").json
    assert made["name"] == "North of it"
    listed = shell("projects", "--name", "north OF", "--json").json
    assert [project["id"] for project in listed] == [made["id"]]
    assert made["notebooks"][0]["name"] in shell("projects", "show", "North of it").out
    deleted = shell("projects", "delete", made["id"], "--yes")
    assert (deleted.status, deleted.out) == (0, "")
    assert deleted.err == "Deleted the project 'North of it'.\n"
    assert shell("projects", "show", "North of it").status == 4


def test_what_a_project_shares(shell: Shell, place: Place) -> None:
    """What is named changes, the rest stays."""
    words = ("projects", "update", place.name)
    changed = shell(*words, "--site", "on", "--app-api", "on", "--json").json
    assert changed["staticFiles"]["sharingEnabled"] is True
    assert changed["streamlitAppApiAccessEnabled"] is True
    changed = shell(*words, "--site", "off", "--json").json
    assert changed["staticFiles"]["sharingEnabled"] is False
    assert changed["streamlitAppApiAccessEnabled"] is True
    assert shell(*words).status == 2


def test_json_of_nothing_is_null(shell: Shell, place: Place) -> None:
    """A script may read the standard output of every verb."""
    assert shell("projects", "delete", place.id, "--yes", "--json").json is None


def test_text_is_aligned(shell: Shell, place: Place) -> None:
    """The values of a listing stand below their headings."""
    head, line = shell("projects", "--name", place.name).out.splitlines()
    assert head.index("Id") == line.index(place.id)
    assert head.index("Project") == line.index(place.name)


def test_a_notebook_lives_and_dies(shell: Shell, place: Place) -> None:
    """Created, renamed, listed, deleted."""
    made = shell("notebooks", "create", place.name, "Draft", "--json").json
    assert shell("notebooks", "rename", made["id"], "Report").status == 0
    listed = shell("notebooks", "--project", place.name, "--json").json
    assert {notebook["name"] for notebook in listed} == {"Notebook 1", "Report"}
    assert shell("notebooks", "delete", f"{place.name}/Report", "-y").status == 0
    assert len(shell("notebooks", "--project", place.id, "--json").json) == 1


def test_a_notebook_shows_its_inputs(shell: Shell, place: Place) -> None:
    """With their type, so that one knows what a run takes."""
    place.add("print(rate)")
    place.add("", "input-slider", deepnote_variable_name="rate", deepnote_variable_value="3")
    shown = shell("notebooks", "show", place.notebook_id).out
    assert "1 code, 1 input-slider" in shown
    assert "rate (slider) = '3'" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("notebooks", "create", "{project}", "Notebook 1"), "choose another name"),
        (("notebooks", "delete", "{notebook}", "--yes"), "at least one notebook"),
    ],
)
def test_a_conflict_has_a_status_of_its_own(
    shell: Shell, place: Place, words: tuple[str, ...], message: str
) -> None:
    """A name that is taken, and the last notebook of a project."""
    done = shell(*(word.format(project=place.id, notebook=place.notebook_id) for word in words))
    assert done.status == 5
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_closed_project_takes_no_notebook(shell: Shell, server: Server) -> None:
    """Some kinds of project have one notebook, and the server says so."""
    closed = make_place(server, projectType="notebook")
    assert shell("notebooks", "create", closed.id, "Second").status == 5


def test_a_schedule(shell: Shell, place: Place) -> None:
    """Set, shown, removed; then there is none."""
    words = ("notebooks", "schedule", place.notebook_id)
    made = shell(*words, "0 9 * * 1-5", "--timezone", "Europe/Prague", "--json").json
    assert (made["cron"], made["timezone"]) == ("0 9 * * 1-5", "Europe/Prague")
    assert "Next run" in shell(*words).out
    assert shell("notebooks", "unschedule", place.notebook_id).status == 0
    assert shell(*words).status == 4


def test_a_schedule_that_makes_no_sense(shell: Shell, place: Place) -> None:
    """The server says so, and the line what a schedule looks like."""
    done = shell("notebooks", "schedule", place.notebook_id, "whenever")
    assert done.status == 1
    assert "Invalid cron expression" in done.err
    assert "0 9 * * 1-5" in done.err


def test_a_block_lives_and_dies(shell: Shell, place: Place, tmp_path: Path) -> None:
    """Created from text and from a file, changed, moved, deleted."""
    first = shell("blocks", "create", place.notebook_id, "--content", "a = 1", "--json").json
    source = tmp_path / "query.sql"
    source.write_text("select 1")
    words = ("blocks", "create", place.notebook_id, "--type", "sql", "--file", str(source))
    second = shell(*words, "--json").json
    assert (second["type"], second["content"]) == ("sql", "select 1")
    changed = shell("blocks", "update", first["id"], "--content", "a = 2", "--json").json
    assert changed["content"] == "a = 2"
    moved = shell("blocks", "move", place.notebook_id, second["id"], "--to-start", "--json").json
    assert [block["id"] for block in moved] == [second["id"], first["id"]]
    assert shell("blocks", "delete", second["id"], "--yes").status == 0
    assert "a = 2" in shell("blocks", "list", place.notebook_id).out
    assert shell("blocks", "show", second["id"]).status == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "was given no source"),
        (["--content", "a", "--file", "b"], "two sources"),
        (["--file", "not-there.py"], "not-there.py cannot be read"),
    ],
)
def test_a_block_needs_one_source(
    shell: Shell, place: Place, options: list[str], message: str
) -> None:
    """Nothing is sent where that is not clear."""
    done = shell("blocks", "update", place.add("1"), *options)
    assert done.status in {1, 2}
    assert message in done.err


def test_machines_and_integrations(shell: Shell, place: Place) -> None:
    """What the server has is listed, an empty list in words."""
    assert "This computer" in shell("machines").out
    assert "stopped" in shell("machines", "show", place.id).out
    assert shell("integrations").out == "The workspace has no integrations.\n"
    assert shell("integrations", "--json").json == []


def test_the_legacy_call(shell: Shell, place: Place) -> None:
    """It starts the notebook; the run is in its list."""
    assert shell("execute-v1", place.notebook_id).status == 0
    assert len(shell("runs", "list", place.notebook_id, "--json").json) == 1


def test_export_and_import(
    shell: Shell, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project's notebooks go to files and come back from them."""
    monkeypatch.chdir(tmp_path)
    block_id = place.add("print('first')")
    written = shell("projects", "export", place.id, "--to", "kept", "--json").json
    assert [entry["path"] for entry in written] == ["kept/notebook-1.deepnote"]
    shell("blocks", "update", block_id, "--content", "print('second')")
    done = shell("projects", "import", place.id, "kept", "--yes")
    assert done.status == 0, done.err
    assert "Notebook 1: overwritten" in done.out
    assert "print('first')" in shell("blocks", "list", place.notebook_id).out


def test_an_archive(shell: Shell, place: Place, tmp_path: Path) -> None:
    """One file instead of a folder, which is not replaced unasked."""
    archive = str(tmp_path / "all.zip")
    assert shell("projects", "export", place.id, "--to", archive).status == 0
    assert shell("projects", "export", place.id, "--to", archive).status == 2
    assert shell("projects", "import", place.id, archive, "--yes").status == 0


def test_an_outdated_import(shell: Shell, place: Place, tmp_path: Path) -> None:
    """What changed there since the export is not lost without --force."""
    folder = str(tmp_path / "kept")
    shell("projects", "export", place.id, "--to", folder)
    shell("notebooks", "create", place.id, "Another")
    assert shell("projects", "import", place.id, folder, "--yes").status == 5
    words = ("projects", "import", place.id, folder, "--yes", "--force", "--delete-missing")
    assert "Another: deleted" in shell(*words).out


def test_one_notebook_comes_back_alone(shell: Shell, place: Place, tmp_path: Path) -> None:
    """A single document is taken as well, and the others stay."""
    folder = tmp_path / "kept"
    shell("notebooks", "create", place.id, "Another")
    shell("projects", "export", place.id, "--to", str(folder))
    document = str(folder / "another.deepnote")
    done = shell("projects", "import", place.id, document, "--yes")
    assert "Another: overwritten" in done.out
    assert len(shell("notebooks", "--project", place.id, "--json").json) == 2


def test_an_export_that_cannot_be_written(shell: Shell, place: Place, tmp_path: Path) -> None:
    """The line names the file."""
    (tmp_path / "taken").write_text("")
    done = shell("projects", "export", place.id, "--to", str(tmp_path / "taken"))
    assert done.status == 1
    assert "cannot be written" in done.err


@pytest.mark.parametrize("name", ["empty", "not-there", "broken.zip"])
def test_nothing_to_import(shell: Shell, place: Place, tmp_path: Path, name: str) -> None:
    """One line names the file."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.zip").write_text("no archive")
    done = shell("projects", "import", place.id, str(tmp_path / name), "--yes")
    assert done.status == 1
    assert name in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("projects", "delete", "{project}"),
        ("notebooks", "delete", "{notebook}"),
        ("blocks", "delete", "{block}"),
        ("files", "delete", "{project}", "a.txt"),
    ],
)
def test_nothing_is_destroyed_unasked(shell: Shell, place: Place, words: tuple[str, ...]) -> None:
    """Where nobody can be asked, the line says how to agree."""
    ids = {"project": place.id, "notebook": place.notebook_id, "block": place.add("1")}
    done = shell(*(word.format(**ids) for word in words))
    assert done.status == 2
    assert "--yes" in done.err
    assert shell("blocks", "list", place.notebook_id, "--json").json


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("projects", "show", "No such"), "project"),
        (("notebooks", "show", "No such"), "notebook"),
        (("run", "No such"), "notebook"),
        (("files", "list", "No such"), "project"),
        (("start", "No such"), "notebook"),
    ],
)
def test_an_unknown_name(shell: Shell, words: tuple[str, ...], kind: str) -> None:
    """The line names it."""
    done = shell(*words)
    assert done.status == 4
    assert f"There is no {kind} named 'No such'." in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("projects", "show", "{id}"),
        ("notebooks", "show", "{id}"),
        ("blocks", "show", "{id}"),
        ("runs", "show", "{id}"),
        ("runs", "snapshot", "{id}"),
        ("runs", "list", "{id}"),
        ("run", "{id}"),
        ("machines", "show", "{id}"),
        ("files", "get", "{id}", "a.txt"),
    ],
)
def test_an_unknown_id(shell: Shell, words: tuple[str, ...]) -> None:
    """The server does not know it, and the status says that."""
    unknown = "00000000-0000-4000-8000-000000000000"
    done = shell(*(word.format(id=unknown) for word in words))
    assert done.status == 4
    assert done.err.count("\n") == 1


def test_several_of_a_name(shell: Shell, server: Server) -> None:
    """Every new project has a 'Notebook 1': the line lists them."""
    places = [make_place(server), make_place(server)]
    done = shell("notebooks", "show", "Notebook 1")
    assert done.status == 1
    assert all(f"{place.name}/Notebook 1 ({place.notebook_id})" in done.err for place in places)


@pytest.mark.parametrize("status", [401, 403])
def test_no_rights(shell: Shell, fault: Callable[..., None], status: int) -> None:
    """The status says so, and the line what to do."""
    fault(path="/v2/projects", effect="status", status=status)
    done = shell("projects")
    assert done.status == 3
    assert str(status) in done.err


def test_no_token(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent without one."""
    monkeypatch.delenv("DEEPNOTE_TOKEN")
    done = shell("projects")
    assert done.status == 3
    assert "DEEPNOTE_TOKEN" in done.err


def test_no_server(shell: Shell) -> None:
    """Nobody listens there."""
    done = shell("me", "--base-url", "http://127.0.0.1:9")
    assert done.status == 6
    assert "http://127.0.0.1:9" in done.err

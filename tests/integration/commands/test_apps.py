"""Streamlit apps, from a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.commands.conftest import Place, Shell
    from tests.integration.conftest import Server

# Takes a moment, as Streamlit does, and gives up.
STAND_IN = "import sys, time; time.sleep(1); sys.exit(1)"


@pytest.fixture
def script(shell: Shell, place: Place, tmp_path: Path) -> str:
    """A script in the project; its path there."""
    (tmp_path / "app.py").write_text("import streamlit")
    shell("files", "put", place.id, str(tmp_path / "app.py"))
    return "app.py"


def test_an_app_is_published(shell: Shell, place: Place, script: str) -> None:
    """The command waits until it runs; the list has it."""
    done = shell("apps", "publish", place.name, script)
    assert (done.status, done.err) == (0, "")
    (app,) = shell("apps", "list", place.name, "--json").json
    assert app["url"] in done.out
    assert shell("apps", "status", app["id"], "--json").json == {"status": "running"}


def test_what_is_served_already_is_found(shell: Shell, place: Place, script: str) -> None:
    """It is said, and the app is the same."""
    words = ("apps", "publish", place.id, script, "--no-wait", "--json")
    first, second = shell(*words), shell(*words)
    assert first.json == second.json
    assert (first.err, second.err) == ("", "'app.py' is served already.\n")


def test_the_wait_has_an_end(shell: Shell, place: Place, script: str) -> None:
    """The line says how to look after the app."""
    done = shell("apps", "publish", place.id, script, "--timeout", "0")
    assert done.status == 1
    assert "'app.py' is still starting after 0 s" in done.err
    assert "apps status" in done.err


def test_what_is_not_there_cannot_be_served(shell: Shell, place: Place) -> None:
    """The line says that the file must be in the project."""
    done = shell("apps", "publish", place.id, "app.py")
    assert done.status == 4
    assert "must be in the project's files" in done.err
    assert done.err.count("\n") == 1
    assert shell("apps", "list", place.id).out == "The project has no Streamlit apps.\n"


def test_a_conflict_of_another_kind_is_told(shell: Shell, place: Place, script: str) -> None:
    """A suspended project has no apps to be found."""
    with place.server.client() as client:
        client.put(f"/faults/projects/{place.id}", json={"suspended": True})
    assert shell("apps", "publish", place.id, script).status == 5


def test_an_app_that_gives_up(
    start_server: Callable[..., Server],
    shell: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody waits for what will not come."""
    (tmp_path / "streamlit.py").write_text(STAND_IN)
    server = start_server(environ={"PYTHONPATH": str(tmp_path)})
    monkeypatch.setenv("DEEPNOTE_BASE_URL", server.url)
    monkeypatch.setenv("DEEPNOTE_TOKEN", server.token)
    (tmp_path / "app.py").write_text("")
    shell("projects", "create", "Sales")
    shell("files", "put", "Sales", str(tmp_path / "app.py"))
    done = shell("apps", "publish", "Sales", "app.py")
    assert done.status == 1
    assert "ended while it started" in done.err

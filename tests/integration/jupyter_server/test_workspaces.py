"""What the browser is told of projects, notebooks and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.integration.jupyter_server.conftest import run_jupyter

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Server
    from tests.integration.jupyter_server.conftest import Jupyter


def workspaces(jupyter: Jupyter) -> Any:
    """Return what the browser is told."""
    with jupyter.client() as client:
        return client.get("deepnote/workspaces").raise_for_status().json()


def test_projects_are_told_with_their_notebooks(jupyter: Jupyter, server: Server) -> None:
    """Servers other than Deepnote have no pages to open."""
    notebook_id = server.new_notebook()
    deepnote = workspaces(jupyter)[0]
    assert (deepnote["server"], deepnote["is_local"]) == (server.url, False)
    notebooks = [each for project in deepnote["projects"] for each in project["notebooks"]]
    assert {"id": notebook_id, "name": "Notebook 1", "project": "Test", "url": ""} in notebooks


def test_the_last_runs_are_told(jupyter: Jupyter, server: Server) -> None:
    """With their notebooks, how they ended, when and how long it took."""
    notebook_id = server.new_notebook("1 + 1")
    with server.client() as api:
        body = {"notebookId": notebook_id, "detached": True}
        run = api.post("/v2/runs", json=body).raise_for_status().json()
        run_id = run.get("run", run)["runId"]
        while api.get(f"/v2/runs/{run_id}").json()["run"]["status"] != "success":
            pass
    [told] = [each for each in workspaces(jupyter)[0]["runs"] if each["id"] == run_id]
    assert (told["state"], told["notebook"]["id"]) == ("success", notebook_id)
    assert told["age_s"] >= told["took_s"] >= 0


def test_looking_does_not_start_the_local_server(jupyter: Jupyter) -> None:
    """It is told as off."""
    jupyter.overview()
    local = workspaces(jupyter)[1]
    assert (local["is_local"], local["is_on"], local["projects"]) == (True, False, [])
    assert not list(jupyter.runtime.glob("deepnote-local-*.json"))


def test_without_a_token_there_is_a_line_that_says_so(tmp_path: Path) -> None:
    """The rest goes on: what runs on this computer needs none."""
    with run_jupyter(tmp_path) as jupyter:
        deepnote, local = workspaces(jupyter)
        assert deepnote["problem"].startswith("There is no API key for Deepnote. Run")
        assert (local["problem"], jupyter.overview()) == ("", {"sessions": [], "starts": []})


def test_a_setting_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """The answer names the variable and what it takes."""
    with run_jupyter(tmp_path, DEEPNOTE_MODE="fast") as jupyter, jupyter.client() as client:
        answer = client.get("deepnote/sessions")
    assert answer.status_code == 409
    assert answer.json() == {"message": "mode is 'fast'. It must be live or direct."}


def test_a_session_on_this_computer_needs_no_account(tmp_path: Path) -> None:
    """Asked for, it starts the local server, and is told of like any other."""
    with run_jupyter(tmp_path) as jupyter, jupyter.client() as client:
        asked = {"is_local": True, "notebook_id": "scratch"}
        client.post("deepnote/sessions", json=asked).raise_for_status()
        [session] = jupyter.wait_for(
            lambda overview: not overview["starts"] and overview["sessions"]
        )
        assert (session["is_local"], session["server"]) == (True, "local")
        assert workspaces(jupyter)[1]["projects"][0]["name"] == session["notebook"]["project"]
        client.delete(f"deepnote/sessions/{session['id']}").raise_for_status()
        assert jupyter.overview()["sessions"] == []

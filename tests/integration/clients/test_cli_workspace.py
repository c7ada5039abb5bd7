"""``deepnote schedule``, ``publish``, ``streamlit``, ``static-site``, ``integrations``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

JSON = dict[str, Any]


def test_a_notebook_is_scheduled_daily(
    deepnote: Any, new_project: Any, write: Any, client: httpx.Client
) -> None:
    """At the time that was said, in the time zone that was said."""
    document = new_project("1")
    write(document)
    done = deepnote(
        *("schedule", "report.deepnote", "--daily", "--at", "09:00"),
        *("--timezone", "Europe/London"),
    )
    assert done.returncode == 0, done.stderr
    assert "Frequency: daily at 09:00\nTimezone: Europe/London\n" in done.stdout
    (notebook,) = document["project"]["notebooks"]
    schedule = client.get(f"/v2/notebooks/{notebook['id']}/schedule").json()["schedule"]
    assert (schedule["cron"], schedule["timezone"]) == ("0 9 * * *", "Europe/London")


def test_a_schedule_is_machine_readable(deepnote: Any, new_project: Any, write: Any) -> None:
    """It is the server's, with its next run."""
    write(new_project("1"))
    done = deepnote(
        *("schedule", "report.deepnote", "--cron", "30 6 * * 1", "--timezone", "UTC"),
        *("-o", "json"),
    )
    assert done.returncode == 0, done.stderr
    schedule = json.loads(done.stdout)["schedule"]
    assert schedule["cron"] == "30 6 * * 1"
    assert schedule["nextRunAt"].endswith("T06:30:00.000Z")


def test_a_project_that_is_only_local_is_created_to_be_scheduled(
    deepnote: Any, new_project: Any, write: Any, client: httpx.Client
) -> None:
    """With its blocks."""
    document = new_project("print('kept')", name="Only local")
    client.delete(f"/v2/projects/{document['project']['id']}")
    write(document)
    done = deepnote("schedule", "report.deepnote", "--daily", "--at", "09:00", "-o", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["created"] is True
    notebook = client.get(f"/v2/notebooks/{result['notebookId']}").json()["notebook"]
    assert [block["content"] for block in notebook["blocks"]] == ["print('kept')"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A website to publish."""
    folder = tmp_path / "dist"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<h1>Report</h1>")
    (folder / "js/app.js").write_text("1")
    return folder


def project_of(client: httpx.Client, document: JSON) -> JSON:
    """Return the project of a document as it is on the server."""
    answer = client.get(f"/v2/projects/{document['project']['id']}")
    project: JSON = answer.json()["project"]
    return project


@pytest.mark.usefixtures("site")
def test_a_website_is_published(deepnote: Any, new_project: Any, client: httpx.Client) -> None:
    """Its files are stored and shared, its address is told; its API access is as asked for."""
    document = new_project()
    done = deepnote(
        *("publish", "dist", "--project-id", document["project"]["id"]),
        *("--api-access", "enabled"),
    )
    assert done.returncode == 0, done.stderr
    project = project_of(client, document)
    assert [file["path"] for file in project["files"]] == [
        "_deepnote_static/index.html",
        "_deepnote_static/js/app.js",
    ]
    site = project["staticFiles"]
    assert (site["sharingEnabled"], site["apiAccessEnabled"]) == (True, True)
    assert f"App URL: {site['url']}" in done.stdout


def test_a_website_is_published_anew(
    deepnote: Any, new_project: Any, client: httpx.Client, site: Path
) -> None:
    """Files take the place of those with their name; what is gone locally goes."""
    document = new_project()
    arguments = ("publish", "dist", "--project-id", document["project"]["id"])
    assert deepnote(*arguments).returncode == 0
    (site / "index.html").write_text("<h1>New</h1>")
    (site / "js/app.js").unlink()
    assert deepnote(*arguments, "--prune").returncode == 0
    path = "_deepnote_static/index.html"
    assert [file["path"] for file in project_of(client, document)["files"]] == [path]
    query = {"projectId": document["project"]["id"], "path": path}
    assert client.get("/v2/files/download", params=query).text == "<h1>New</h1>"


@pytest.mark.usefixtures("site")
def test_an_unknown_project_cannot_be_published_to(deepnote: Any) -> None:
    """The server's words reach the person."""
    done = deepnote("publish", "dist", "--project-id", "0f1e2d3c-4b5a-6789-abcd-ef0123456789")
    assert done.returncode == 1
    assert "Project not found" in done.stderr


def test_a_streamlit_app_is_published(
    deepnote: Any, new_project: Any, client: httpx.Client
) -> None:
    """A file that is there is served; once it runs, publishing it again finds that out."""
    project_id = new_project()["project"]["id"]
    publish = ("streamlit", "publish", "app.py", "--project-id", project_id)
    missing = deepnote(*publish)
    assert missing.returncode == 1
    assert "Entrypoint file not found" in missing.stderr
    fields = {"projectId": project_id, "path": "app.py"}
    client.post("/v2/files", data=fields, files={"file": ("app.py", b"import streamlit")})
    done = deepnote(*publish, "--no-wait")
    assert done.returncode == 0, done.stderr
    (app,) = client.get("/v2/streamlit-apps", params={"projectId": project_id}).json()[
        "streamlitApps"
    ]
    assert f"Created app {app['id']}" in done.stdout
    assert f"Streamlit app URL: {app['url']}" in done.stdout
    # More often than their client looks, which takes five seconds between two looks.
    path = f"/v2/streamlit-apps/{app['id']}/status"
    wait_until(lambda: client.get(path).json()["status"] == "running")
    again = deepnote(*publish)
    assert again.returncode == 0, again.stderr
    assert f"already served by app {app['id']}" in again.stdout
    assert "App is running" in again.stdout


def test_a_website_is_no_longer_shared(
    deepnote: Any, new_project: Any, client: httpx.Client
) -> None:
    """Without sharing there is no API access from it either."""
    document = new_project()
    access = ("static-site", "access", "--project-id", document["project"]["id"])
    assert deepnote(*access, "--sharing", "enabled", "--api-access", "enabled").returncode == 0
    assert deepnote(*access, "--sharing", "disabled").returncode == 0
    site = project_of(client, document)["staticFiles"]
    assert (site["sharingEnabled"], site["apiAccessEnabled"]) == (False, False)


def test_there_are_no_integrations_to_pull(deepnote: Any, tmp_path: Path) -> None:
    """The command says so and writes nothing."""
    done = deepnote("integrations", "pull")
    assert (done.returncode, list(tmp_path.iterdir())) == (0, [])
    assert "No integrations found" in done.stdout

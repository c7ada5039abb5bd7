"""Projects: listed in pages, shown with their files, changed, and shared as websites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = dict[str, Any]


@pytest.fixture
def project(client: httpx.Client) -> JSON:
    """A new project."""
    return create(client)


def create(client: httpx.Client, **body: Any) -> JSON:
    """Create a project and return it."""
    answer = client.post("/v2/projects", json={"name": "Test", **body})
    assert answer.status_code == 201, answer.text
    content: JSON = answer.json()["project"]
    return content


def shown(client: httpx.Client, project: JSON) -> JSON:
    """Return a project as it is now."""
    content: JSON = client.get(f"/v2/projects/{project['id']}").json()["project"]
    return content


def change(client: httpx.Client, project: JSON, **body: Any) -> JSON:
    """Change a project and return it."""
    answer = client.patch(f"/v2/projects/{project['id']}", json=body)
    assert answer.status_code == 200, answer.text
    content: JSON = answer.json()["project"]
    assert content == shown(client, project)
    return content


def upload(client: httpx.Client, project: JSON, path: str, content: bytes) -> None:
    """Put a file into a project."""
    data = {"projectId": project["id"], "path": path}
    client.post("/v2/files", data=data, files={"file": content}).raise_for_status()


def test_a_listing_goes_on_page_by_page(client: httpx.Client) -> None:
    """Each project once, in the order they were made; the last page says that it is."""
    names = [f"Paged {number}" for number in range(5)]
    for name in names:
        create(client, name=name)
    found, params = [], {"nameContains": "paged", "pageSize": "2"}
    while True:
        page = client.get("/v2/projects", params=params).json()
        found.append([each["name"] for each in page["projects"]])
        token = page["pagination"]["nextPageToken"]
        assert page["pagination"]["hasMore"] is (token is not None)
        if token is None:
            break
        params["pageToken"] = token
    assert found == [names[:2], names[2:4], names[4:]]


@pytest.mark.parametrize(
    "params",
    [{"pageSize": "0"}, {"pageSize": "101"}, {"pageSize": "9" * 5000}, {"pageToken": "x"}],
)
def test_a_page_that_cannot_be_is_400(client: httpx.Client, params: dict[str, str]) -> None:
    """The message names the parameter."""
    answer = client.get("/v2/projects", params=params)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(*params)


def test_a_new_project_is_where_it_was_put(client: httpx.Client) -> None:
    """Its folder and environment are those asked for; it shares nothing."""
    project = create(client, folderId="team", environmentId="gpu")
    assert project["folder"] == {
        "id": "team",
        "name": "team",
        "path": [{"id": "team", "name": "team"}],
        "isPathComplete": True,
    }
    assert project["environment"] == {"id": "gpu"}
    assert (project["files"], project["integrations"]) == ([], [])
    assert project["staticFiles"]["sharingEnabled"] is False
    assert project["staticFiles"]["apiAccessEnabled"] is False
    assert project["streamlitAppApiAccessEnabled"] is False


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 1}, {"name": "x", "projectType": "y"}])
def test_a_project_that_cannot_be_is_400(client: httpx.Client, body: JSON) -> None:
    """It needs a name, and one of the types there are."""
    assert client.post("/v2/projects", json=body).status_code == 400


def test_a_project_shows_its_files(client: httpx.Client, project: JSON) -> None:
    """In all folders, with the size and time by which a client sees that one has changed."""
    for path, content in (("data/x.csv", b"a,b"), ("a.txt", b"")):
        upload(client, project, path, content)
    files = shown(client, project)["files"]
    assert [(file["path"], file["size"]) for file in files] == [("a.txt", 0), ("data/x.csv", 3)]
    assert all(file["updatedAt"] >= project["createdAt"] for file in files)


def test_a_project_shows_when_its_notebooks_ran(
    client: httpx.Client, project: JSON, finished: Callable[..., JSON]
) -> None:
    """The last time of each, in the listing too."""
    (notebook,) = project["notebooks"]
    assert (notebook["lastRunAt"], notebook["isScheduled"]) == (None, False)
    body = {"notebookId": notebook["id"]}
    for _ in range(2):
        run = finished(client.post("/v2/runs", json=body).json()["runId"])
    listed = client.get("/v2/projects", params={"pageSize": 100}).json()["projects"]
    for content in (
        shown(client, project),
        *(each for each in listed if each["id"] == project["id"]),
    ):
        assert content["notebooks"][0]["lastRunAt"] == run["createdAt"]


def test_a_notebook_named_init_prepares_the_machine(client: httpx.Client, project: JSON) -> None:
    """Whether it was named so when it was made or later; case counts."""
    first = project["notebooks"][0]["id"]
    body = {"projectId": project["id"], "name": "init"}
    client.post("/v2/notebooks", json=body)
    client.patch(f"/v2/notebooks/{first}", json={"name": "Init"})
    is_init = {each["name"]: each["isInit"] for each in shown(client, project)["notebooks"]}
    assert is_init == {"Init": True, "init": False}


def test_what_is_shared_changes(client: httpx.Client, project: JSON) -> None:
    """Each switch by itself; what is not sent stays."""
    sharing = change(client, project, staticFiles={"sharingEnabled": True})["staticFiles"]
    assert (sharing["sharingEnabled"], sharing["apiAccessEnabled"]) == (True, False)
    sharing = change(client, project, staticFiles={"apiAccessEnabled": True})["staticFiles"]
    assert (sharing["sharingEnabled"], sharing["apiAccessEnabled"]) == (True, True)
    changed = change(client, project, streamlitAppApiAccessEnabled=True, environmentId="gpu")
    assert changed["staticFiles"] == sharing
    assert (changed["streamlitAppApiAccessEnabled"], changed["environment"]["id"]) == (True, "gpu")
    assert change(client, project, environmentId=None)["environment"] is None


def test_no_website_has_no_access(client: httpx.Client, project: JSON) -> None:
    """Viewers' access ends with sharing, and cannot begin without it."""
    both = {"sharingEnabled": True, "apiAccessEnabled": True}
    change(client, project, staticFiles=both)
    sharing = change(client, project, staticFiles={"sharingEnabled": False})["staticFiles"]
    assert (sharing["sharingEnabled"], sharing["apiAccessEnabled"]) == (False, False)
    for body in ({"apiAccessEnabled": True}, {**both, "sharingEnabled": False}):
        answer = client.patch(f"/v2/projects/{project['id']}", json={"staticFiles": body})
        message = "staticFiles.apiAccessEnabled needs staticFiles.sharingEnabled"
        assert (answer.status_code, answer.json()) == (400, {"message": message})


@pytest.mark.parametrize("body", [{}, {"staticFiles": {}}, {"name": "Other"}])
def test_a_change_of_nothing_is_400(client: httpx.Client, project: JSON, body: JSON) -> None:
    """The message says what can be changed."""
    answer = client.patch(f"/v2/projects/{project['id']}", json=body)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Nothing to change: send staticFiles, ")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_project_is_404(client: httpx.Client, method: str) -> None:
    """Whatever is asked of it."""
    answer = client.request(method, "/v2/projects/nonesuch", json={"environmentId": None})
    assert (answer.status_code, answer.json()) == (404, {"message": "Project not found"})


def test_a_suspended_project_does_not_change(client: httpx.Client, project: JSON) -> None:
    """It is still shown, and can be deleted."""
    client.put(f"/faults/projects/{project['id']}", json={"suspended": True})
    path = f"/v2/projects/{project['id']}"
    answer = client.patch(path, json={"environmentId": "gpu"})
    assert (answer.status_code, answer.json()) == (409, {"message": "Project is suspended"})
    assert client.get(path).status_code == 200
    assert client.delete(path).status_code == 204


def test_a_shared_website_is_served(server: Any, client: httpx.Client, project: JSON) -> None:
    """At its URL, to a browser without a token, with its start page."""
    url = project["staticFiles"]["url"]
    assert url == f"{server.url}/static-files/{project['id']}/"
    upload(client, project, "_deepnote_static/index.html", b"<h1>Hello</h1>")
    upload(client, project, "_deepnote_static/js/app.js", b"1")
    upload(client, project, "secret.txt", b"secret")
    change(client, project, staticFiles={"sharingEnabled": True})
    with httpx.Client() as browser:
        page = browser.get(url)
        assert (page.text, page.headers["content-type"]) == (
            "<h1>Hello</h1>",
            "text/html; charset=utf-8",
        )
        assert browser.get(f"{url}js/app.js").text == "1"
        for path in ("nonesuch.html", "../secret.txt", "%2e%2e/secret.txt"):
            assert browser.get(f"{url}{path}").status_code == 404
        answer = browser.post(url)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        change(client, project, staticFiles={"sharingEnabled": False})
        answer = browser.get(url)
        assert (answer.status_code, answer.json()) == (404, {"message": "Website not found"})


def test_a_website_without_files_is_404(client: httpx.Client, project: JSON) -> None:
    """Sharing alone makes no page."""
    change(client, project, staticFiles={"sharingEnabled": True})
    answer = client.get(f"/static-files/{project['id']}/")
    assert (answer.status_code, answer.json()) == (404, {"message": "Website has no files"})

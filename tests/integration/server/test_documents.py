"""Projects, notebooks and blocks: made, shown, changed and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

JSON = dict[str, Any]


@pytest.fixture
def project(client: httpx.Client) -> JSON:
    """A new project."""
    content: JSON = client.post("/v2/projects", json={"name": "Test"}).json()["project"]
    return content


def add_block(client: httpx.Client, notebook_id: str, **body: Any) -> JSON:
    """Create a block and return the answer."""
    body = {"notebookId": notebook_id, "type": "code", **body}
    answer = client.post("/v2/blocks", json=body)
    assert answer.status_code == 201, answer.text
    content: JSON = answer.json()
    return content


def contents(client: httpx.Client, notebook_id: str) -> list[str]:
    """Return the source of a notebook's blocks, in order."""
    blocks = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["blocks"]
    return [block["content"] for block in blocks]


def test_a_new_project_has_one_notebook(project: JSON) -> None:
    """It is named as Deepnote names it."""
    assert [notebook["name"] for notebook in project["notebooks"]] == ["Notebook 1"]
    assert project["projectType"] == "standard"


def test_a_project_is_shown_in_an_envelope(client: httpx.Client, project: JSON) -> None:
    """What was created is what is shown."""
    assert client.get(f"/v2/projects/{project['id']}").json() == {"project": project}


def test_projects_are_found_by_a_part_of_their_name(client: httpx.Client) -> None:
    """Case does not matter, in any alphabet; wildcards are letters like others."""
    for name in ("Größe 100%", "Grösse", "other"):
        client.post("/v2/projects", json={"name": name})

    def found(text: str) -> list[str]:
        answer = client.get("/v2/projects", params={"nameContains": text})
        return [each["name"] for each in answer.json()["projects"]]

    assert found("GRÖSSE") == ["Größe 100%", "Grösse"]
    assert found("100%") == ["Größe 100%"]
    assert found("r%e") == []


def test_projects_are_paged(client: httpx.Client) -> None:
    """All pages together are all projects, in the order they were made."""
    names = [f"page {n}" for n in range(5)]
    for name in names:
        client.post("/v2/projects", json={"name": name})
    listed, params = [], {"nameContains": "page ", "pageSize": "2"}
    while True:
        page = client.get("/v2/projects", params=params).json()
        listed += [each["name"] for each in page["projects"]]
        if not page["pagination"]["hasMore"]:
            break
        params["pageToken"] = page["pagination"]["nextPageToken"]
    assert listed == names


def test_a_deleted_project_is_gone_with_all_in_it(client: httpx.Client, project: JSON) -> None:
    """Its notebooks and sessions go too."""
    notebook_id = project["notebooks"][0]["id"]
    session = client.post("/v2/sessions", json={"notebookId": notebook_id}).json()["session"]
    answer = client.delete(f"/v2/projects/{project['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path in (
        f"/v2/projects/{project['id']}",
        f"/v2/notebooks/{notebook_id}",
        f"/v2/sessions/{session['id']}",
    ):
        assert client.get(path).status_code == 404


def test_a_project_is_deleted_while_its_sessions_end(
    client: httpx.Client, project: JSON, in_background: Any
) -> None:
    """Whoever ends them, both requests succeed, and the project is gone."""
    body = {"notebookId": project["notebooks"][0]["id"]}
    started = [client.post("/v2/sessions", json=body).json()["session"]["id"] for _ in range(3)]
    deleting = in_background(client.delete, f"/v2/projects/{project['id']}")
    ending = [in_background(client.delete, f"/v2/sessions/{each}") for each in started[1:]]
    assert {answer.result().status_code for answer in ending} <= {204, 404}
    assert deleting.result().status_code == 204
    assert client.get(f"/v2/projects/{project['id']}").status_code == 404


def test_a_detached_run_ends_with_its_project(
    client: httpx.Client, server: Any, tmp_path: Path, until: Callable[..., None]
) -> None:
    """Its kernel has gone by the time the project has."""
    told = tmp_path / "pid"
    code = f"import os, time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    notebook_id = server.new_notebook(code)
    client.post("/v2/runs", json={"notebookId": notebook_id})
    until(lambda: told.exists() and told.read_text())
    project_id = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["projectId"]
    client.delete(f"/v2/projects/{project_id}")
    assert not psutil.pid_exists(int(told.read_text()))


def test_a_notebook_is_created_empty(client: httpx.Client, project: JSON) -> None:
    """It has the name asked for, no blocks and no inputs."""
    body = {"projectId": project["id"], "name": "Second"}
    answer = client.post("/v2/notebooks", json=body)
    assert answer.status_code == 201
    notebook = answer.json()["notebook"]
    assert (notebook["name"], notebook["blocks"], notebook["inputs"]) == ("Second", [], [])
    assert client.get(f"/v2/notebooks/{notebook['id']}").json() == {"notebook": notebook}


def test_a_notebook_without_a_name_gets_a_free_one(client: httpx.Client, project: JSON) -> None:
    """The lowest number that is not taken."""
    body = {"projectId": project["id"]}
    names = [client.post("/v2/notebooks", json=body).json()["notebook"]["name"] for _ in range(2)]
    assert names == ["Notebook 2", "Notebook 3"]


@pytest.mark.parametrize("how", ["create", "rename"])
def test_a_name_taken_in_the_project_is_409(client: httpx.Client, project: JSON, how: str) -> None:
    """Names are unique in a project, and case counts."""
    body = {"projectId": project["id"], "name": "notebook 1"}
    second = client.post("/v2/notebooks", json=body).json()["notebook"]["id"]
    taken = {"name": "Notebook 1"}
    if how == "create":
        answer = client.post("/v2/notebooks", json={"projectId": project["id"], **taken})
    else:
        answer = client.patch(f"/v2/notebooks/{second}", json=taken)
    assert (answer.status_code, answer.json()) == (
        409,
        {"message": 'A notebook named "Notebook 1" already exists in this project'},
    )


def test_a_notebook_is_renamed(client: httpx.Client, project: JSON) -> None:
    """The answer is the notebook without its blocks."""
    notebook_id = project["notebooks"][0]["id"]
    answer = client.patch(f"/v2/notebooks/{notebook_id}", json={"name": "Other"})
    notebook = answer.json()["notebook"]
    assert (notebook["id"], notebook["name"]) == (notebook_id, "Other")
    assert "blocks" not in notebook


def test_the_last_notebook_stays(client: httpx.Client, project: JSON) -> None:
    """A project keeps at least one; another one can be deleted."""
    first = project["notebooks"][0]["id"]
    assert client.delete(f"/v2/notebooks/{first}").status_code == 409
    client.post("/v2/notebooks", json={"projectId": project["id"]})
    assert client.delete(f"/v2/notebooks/{first}").status_code == 204
    answer = client.get(f"/v2/notebooks/{first}")
    assert (answer.status_code, answer.json()) == (404, {"message": "Notebook not found"})


@pytest.mark.parametrize("kind", ["notebook", "agent"])
def test_projects_of_one_notebook_take_no_second(client: httpx.Client, kind: str) -> None:
    """Two project types are closed."""
    body = {"name": "Closed", "projectType": kind}
    project = client.post("/v2/projects", json=body).json()["project"]
    answer = client.post("/v2/notebooks", json={"projectId": project["id"]})
    assert answer.status_code == 409


def test_a_notebook_of_no_project_is_404(client: httpx.Client) -> None:
    """The message is the API's."""
    answer = client.post("/v2/notebooks", json={"projectId": "nonesuch"})
    assert (answer.status_code, answer.json()) == (404, {"message": "Project not found"})


def test_blocks_are_placed(client: httpx.Client, project: JSON) -> None:
    """At the end, or where asked; the others make room, and close ranks when one goes."""
    notebook_id = project["notebooks"][0]["id"]
    add_block(client, notebook_id, content="b")
    add_block(client, notebook_id, content="d")
    add_block(client, notebook_id, content="a", position=0)
    third = add_block(client, notebook_id, content="c", position=2, includeNotebookBlockIds=True)
    assert contents(client, notebook_id) == ["a", "b", "c", "d"]
    assert third["notebookBlockIds"][2] == third["block"]["id"]
    assert client.delete(f"/v2/blocks/{third['block']['id']}").status_code == 204
    add_block(client, notebook_id, content="C", position=2)
    assert contents(client, notebook_id) == ["a", "b", "C", "d"]


def test_a_block_is_changed(client: httpx.Client, project: JSON) -> None:
    """Its version grows; its type and metadata stay."""
    block = add_block(client, project["notebooks"][0]["id"], content="a", metadata={"k": [1]})
    path = f"/v2/blocks/{block['block']['id']}"
    answer = client.patch(path, json={"content": "b"})
    assert answer.json() == {"block": {"id": block["block"]["id"], "version": 2}}
    expected = {**block["block"], "content": "b", "version": 2}
    assert client.get(path).json() == {"block": expected}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"type": "poem"}, '"poem" is not a block type'),
        ({"position": 1}, "position must be an integer from 0 to 0"),
        ({"position": -1}, "position must be an integer from 0 to 0"),
        (
            {"metadata": {"sql_integration_id": "x"}},
            "metadata.sql_integration_id is set through integrationId",
        ),
    ],
)
def test_a_block_that_cannot_be_is_400(
    client: httpx.Client, project: JSON, body: JSON, message: str
) -> None:
    """The message says what is wrong."""
    body = {"notebookId": project["notebooks"][0]["id"], "type": "code", **body}
    answer = client.post("/v2/blocks", json=body)
    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_a_change_of_nothing_is_400(client: httpx.Client, project: JSON) -> None:
    """At least one member must be sent."""
    block = add_block(client, project["notebooks"][0]["id"])
    answer = client.patch(f"/v2/blocks/{block['block']['id']}", json={})
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_block_is_404(client: httpx.Client, method: str) -> None:
    """Whatever is asked of it."""
    answer = client.request(method, "/v2/blocks/nonesuch", json={"content": ""})
    assert (answer.status_code, answer.json()) == (404, {"message": "Block not found"})


def test_inputs_are_described(client: httpx.Client, project: JSON) -> None:
    """Names, values and types are those strict clients take."""
    notebook_id = project["notebooks"][0]["id"]
    slider = {"deepnote_variable_name": "n 1", "deepnote_variable_value": "3"}
    block = add_block(client, notebook_id, type="input-slider", metadata=slider)["block"]
    (described,) = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["inputs"]
    assert described == {
        "name": "n_1",
        "type": "input-slider",
        "value": "3",
        "label": "",
        "options": [],
        "multiple": False,
        "min": 0,
        "max": 100,
        "step": 1,
        "blockId": block["id"],
    }


def test_the_last_run_is_part_of_the_notebook(
    client: httpx.Client, notebook: Callable[..., str], finished: Callable[..., JSON]
) -> None:
    """Its id, time and status."""
    notebook_id = notebook("1")
    run = finished(client.post("/v2/runs", json={"notebookId": notebook_id}).json()["runId"])
    shown = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]
    assert (shown["lastRunId"], shown["lastRunAt"], shown["lastRunStatus"]) == (
        run["runId"],
        run["createdAt"],
        "success",
    )

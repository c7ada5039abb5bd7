"""Blocks of a notebook: where they stand, what they may name; and a notebook's own name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.integration.conftest import Server

JSON = dict[str, Any]

WAREHOUSE = "3e5c8f6e-9d6d-4f5f-8f57-0d7f0a1b2c3d"


@pytest.fixture
def notebook_id(server: Server) -> str:
    """A notebook of four blocks: a, b, c and d."""
    return server.new_notebook("a", "b", "c", "d")


def blocks_of(client: httpx.Client, notebook_id: str) -> dict[str, str]:
    """Return the ids of a notebook's blocks by their source, in order."""
    notebook = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]
    return {block["content"]: block["id"] for block in notebook["blocks"]}


def move(client: httpx.Client, notebook_id: str, moved: str, **placement: str) -> httpx.Response:
    """Move blocks, named by their source; ``blockId`` of the placement too."""
    ids = blocks_of(client, notebook_id)
    if "blockId" in placement:
        placement["blockId"] = ids[placement["blockId"]]
    body = {"blockIds": [ids[each] for each in moved], "placement": placement}
    return client.post(f"/v2/notebooks/{notebook_id}/reorder-blocks", json=body)


@pytest.mark.parametrize(
    ("moved", "placement", "order"),
    [
        ("c", {"type": "start"}, "cabd"),
        ("db", {"type": "start"}, "dbac"),
        ("a", {"type": "end"}, "bcda"),
        ("ba", {"type": "after", "blockId": "c"}, "cbad"),
        ("d", {"type": "after", "blockId": "a"}, "adbc"),
        ("dcba", {"type": "end"}, "dcba"),
    ],
)
def test_blocks_move_together(
    client: httpx.Client, notebook_id: str, moved: str, placement: dict[str, str], order: str
) -> None:
    """In the order in which they were named; the answer tells the order of all."""
    answer = move(client, notebook_id, moved, **placement)
    after = blocks_of(client, notebook_id)
    assert "".join(after) == order
    assert (answer.status_code, answer.json()) == (200, {"blockIds": list(after.values())})


@pytest.mark.parametrize(
    ("moved", "placement"),
    [
        ("", {"type": "start"}),
        ("aa", {"type": "start"}),
        ("a", {"type": "after"}),
        ("ab", {"type": "after", "blockId": "b"}),
        ("a", {"type": "before", "blockId": "b"}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    client: httpx.Client, notebook_id: str, moved: str, placement: dict[str, str]
) -> None:
    """Nothing moves."""
    assert move(client, notebook_id, moved, **placement).status_code == 400
    assert "".join(blocks_of(client, notebook_id)) == "abcd"


def test_a_block_of_another_notebook_cannot_move_here(
    client: httpx.Client, notebook_id: str, server: Server
) -> None:
    """The answer says that it is not found."""
    (stranger,) = blocks_of(client, server.new_notebook("x")).values()
    body = {"blockIds": [stranger], "placement": {"type": "start"}}
    answer = client.post(f"/v2/notebooks/{notebook_id}/reorder-blocks", json=body)
    assert (answer.status_code, answer.json()) == (400, {"message": "Block not found in notebook"})


def test_a_new_block_finds_its_place_after_a_move(client: httpx.Client, notebook_id: str) -> None:
    """Positions are counted in the new order."""
    move(client, notebook_id, "d", type="start")
    body = {"notebookId": notebook_id, "type": "code", "content": "x", "position": 1}
    answer = client.post("/v2/blocks", json={**body, "includeNotebookBlockIds": True}).json()
    after = blocks_of(client, notebook_id)
    assert "".join(after) == "dxabc"
    assert answer["notebookBlockIds"] == list(after.values())
    assert answer["block"]["id"] == after["x"]


def test_an_sql_block_names_its_integration(client: httpx.Client, notebook_id: str) -> None:
    """It is given with the block, changed later, and taken away."""
    body = {"notebookId": notebook_id, "type": "sql", "integrationId": WAREHOUSE}
    block = client.post("/v2/blocks", json=body).json()["block"]
    assert block["integrationId"] == WAREHOUSE
    client.patch(f"/v2/blocks/{block['id']}", json={"integrationId": None})
    shown = client.get(f"/v2/blocks/{block['id']}").json()["block"]
    assert (shown["integrationId"], shown["version"]) == (None, 2)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "code", "integrationId": WAREHOUSE},
        {"type": "sql", "integrationId": "warehouse"},
        {"type": "sql", "metadata": {"sql_integration_id": WAREHOUSE}},
    ],
)
def test_an_integration_is_refused_elsewhere(
    client: httpx.Client, notebook_id: str, body: JSON
) -> None:
    """On other blocks, under a name that is no id, and in the metadata."""
    answer = client.post("/v2/blocks", json={"notebookId": notebook_id, **body})
    assert answer.status_code == 400
    assert "integration" in answer.json()["message"].lower()


def test_a_block_that_is_not_sql_gets_no_integration(
    client: httpx.Client, notebook_id: str
) -> None:
    """Neither when it is made nor later."""
    block_id = blocks_of(client, notebook_id)["a"]
    answer = client.patch(f"/v2/blocks/{block_id}", json={"integrationId": WAREHOUSE})
    assert answer.status_code == 400


def test_a_notebook_gets_another_name(client: httpx.Client, notebook_id: str) -> None:
    """The answer shows it without its blocks; a notebook named Init is the init notebook."""
    answer = client.patch(f"/v2/notebooks/{notebook_id}", json={"name": "Init"})
    assert answer.status_code == 200
    notebook = answer.json()["notebook"]
    assert (notebook["id"], notebook["name"], notebook["isInit"]) == (notebook_id, "Init", True)
    assert client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["name"] == "Init"


@pytest.mark.parametrize(("name", "status"), [("Taken", 409), ("taken", 200), ("", 400)])
def test_a_name_is_one_in_its_project(
    client: httpx.Client, notebook_id: str, name: str, status: int
) -> None:
    """Case makes a difference, and a notebook must have one."""
    notebook = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]
    client.post("/v2/notebooks", json={"projectId": notebook["projectId"], "name": "Taken"})
    answer = client.patch(f"/v2/notebooks/{notebook_id}", json={"name": name})
    assert answer.status_code == status


def test_the_workspace_has_no_integrations(client: httpx.Client) -> None:
    """The list is empty, whatever was asked for."""
    params = {"includeMetadata": "true", "integrationIds": WAREHOUSE}
    answer = client.get("/v2/integrations", params=params)
    assert (answer.status_code, answer.json()) == (200, {"integrations": []})


def test_a_project_has_this_computer_for_a_machine(client: httpx.Client, notebook_id: str) -> None:
    """It is off until a live run needs it, and of the one kind there is."""
    project_id = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["projectId"]
    (kind,) = client.get("/v2/machine-types").json()["machineTypes"]

    def machine() -> JSON:
        content: JSON = client.get(f"/v2/projects/{project_id}/machine").json()["machine"]
        return content

    assert (machine()["status"], machine()["type"]) == ("stopped", kind)
    assert kind["memoryGiB"] > 0
    client.post("/v2/runs", json={"notebookId": notebook_id, "detached": False})
    assert machine()["status"] == "running"

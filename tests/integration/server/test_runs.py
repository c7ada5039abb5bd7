"""Runs: detached and live, what they leave behind, and how it is delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def run(client: httpx.Client, finished: Callable[..., Any]) -> Callable[..., Any]:
    """Run a notebook to its end and return the run: ``run(notebook_id, detached=False)``."""

    def start(notebook_id: str, **body: Any) -> Any:
        answer = client.post("/v2/runs", json={"notebookId": notebook_id, **body})
        assert answer.status_code == 202, answer.text
        return finished(answer.json()["runId"], snapshotDelivery="blocks")

    return start


def blocks_of(client: httpx.Client, notebook_id: str) -> list[str]:
    """Return the ids of a notebook's blocks."""
    blocks = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["blocks"]
    return [block["id"] for block in blocks]


def test_a_started_run_is_flat(client: httpx.Client, notebook: Callable[..., str]) -> None:
    """Official clients read the id at the top of the answer."""
    answer = client.post("/v2/runs", json={"notebookId": notebook()})
    assert answer.status_code == 202
    assert answer.json().keys() == {"runId", "status", "createdAt"}
    assert answer.json()["status"] == "pending"


def test_a_finished_run_has_what_clients_insist_on(
    run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """Status, error, both times and the snapshot's state are there."""
    notebook_id = notebook("print(1)")
    content = run(notebook_id)
    assert content["notebookId"] == notebook_id
    assert (content["status"], content["error"]) == ("success", None)
    assert content["snapshotStatus"] == "available"
    assert content["completedAt"] >= content["createdAt"]
    assert "snapshot" not in content


def test_a_detached_run_has_a_kernel_of_its_own(
    run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """Two runs of one notebook see nothing of each other."""
    notebook_id = notebook("print('a' in dir()); a = 1")
    for _ in range(2):
        (block,) = run(notebook_id)["snapshotBlocks"]
        assert block["outputs"][0]["text"] == "False\n"


def test_live_runs_share_the_projects_kernel(
    run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """What one run defines the next one finds."""
    notebook_id = notebook("print('a' in dir()); a = 1")
    texts = [
        run(notebook_id, detached=False)["snapshotBlocks"][0]["outputs"][0]["text"]
        for _ in range(2)
    ]
    assert texts == ["False\n", "True\n"]


def test_blocks_run_in_the_order_asked(
    client: httpx.Client, run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """Only those named run."""
    notebook_id = notebook("print(1)", "print(2)", "print(3)")
    first, _, third = blocks_of(client, notebook_id)
    content = run(notebook_id, detached=False, blockIds=[third, first])
    outputs = [(block["id"], block["outputs"][0]["text"]) for block in content["snapshotBlocks"]]
    assert outputs == [(third, "3\n"), (first, "1\n")]


def test_a_failing_block_ends_the_run(
    run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """Its error is the run's; what comes after it does not run."""
    content = run(notebook("print(1)", "1/0", "print(3)"))
    assert (content["status"], content["error"]) == ("error", "ZeroDivisionError: division by zero")
    counts = [len(block["outputs"]) for block in content["snapshotBlocks"]]
    assert counts == [1, 1, 0]


def test_a_dying_kernel_fails_the_run(
    run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """The run ends as an internal error without a snapshot."""
    content = run(notebook("import os; os._exit(1)"))
    assert content["status"] == "internal_error"
    assert content["error"] == "Session kernel is unavailable"
    assert content["snapshotStatus"] == "unavailable"


def test_a_block_that_cannot_run_here_fails_the_run(
    client: httpx.Client, run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """Rather than pass over SQL in silence, the run says that it does not run here."""
    notebook_id = notebook()
    client.post(
        "/v2/blocks", json={"notebookId": notebook_id, "type": "sql", "content": "select 1"}
    )
    content = run(notebook_id)
    assert (content["status"], content["error"]) == (
        "error",
        "Blocks of type sql do not run on this server",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"notebookId": "nonesuch"}, "Notebook not found"),
        ({"blockIds": ["x"]}, "blockIds is not supported for detached runs"),
        (
            {"blockIds": ["x"], "detached": False, "runDependentBlocks": True},
            "runDependentBlocks is not supported by this server",
        ),
        ({"blockIds": ["x"], "detached": False}, "Block not found in notebook"),
        (
            {"blockIds": [], "detached": False},
            "blockIds must hold at least one id, and none twice",
        ),
        (
            {"blockIds": ["x", "x"], "detached": False},
            "blockIds must hold at least one id, and none twice",
        ),
        ({"inputs": {"x": "1"}}, 'Input "x" is not defined for this notebook'),
    ],
)
def test_a_run_that_cannot_be_is_400(
    client: httpx.Client, notebook: Callable[..., str], body: dict[str, Any], message: str
) -> None:
    """The messages are the API's, also for a notebook that is not there."""
    answer = client.post("/v2/runs", json={"notebookId": notebook(), **body})
    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_an_unknown_run_is_404(client: httpx.Client) -> None:
    """The message is the API's."""
    answer = client.get("/v2/runs/nonesuch")
    assert (answer.status_code, answer.json()) == (404, {"message": "Run not found"})


def test_an_unknown_delivery_is_400(client: httpx.Client) -> None:
    """The message lists those there are."""
    answer = client.get("/v2/runs/nonesuch", params={"snapshotDelivery": "pigeon"})
    assert answer.json() == {
        "message": "snapshotDelivery must be one of downloadUrl, inline, blocks"
    }


def test_the_inline_snapshot_is_the_executed_notebook(
    client: httpx.Client, run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """It holds the source, the outputs and how the run went."""
    notebook_id = notebook("print('no: yes')\n# <<: &a")
    run_id = run(notebook_id)["runId"]
    content = client.get(f"/v2/runs/{run_id}?snapshotDelivery=inline").json()["run"]
    document = yaml.safe_load(content["snapshotContent"])
    (written,) = document["project"]["notebooks"]
    (block,) = written["blocks"]
    assert written["id"] == notebook_id
    assert block["content"] == "print('no: yes')\n# <<: &a"
    assert block["outputs"] == [{"output_type": "stream", "name": "stdout", "text": "no: yes\n"}]
    assert document["execution"]["summary"] == {
        "blocksExecuted": 1,
        "blocksSucceeded": 1,
        "blocksFailed": 0,
    }


def test_the_download_link_needs_no_token(
    client: httpx.Client, run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """It is signed, on this server, and delivers what the inline form does."""
    run_id = run(notebook("1"))["runId"]
    content = client.get(f"/v2/runs/{run_id}").json()["run"]
    link = content["snapshotDownloadUrl"]
    inline = client.get(f"/v2/runs/{run_id}?snapshotDelivery=inline").json()["run"]
    assert link.startswith(str(client.base_url))
    assert "snapshotContent" not in content
    assert httpx.get(link).text == inline["snapshotContent"]


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda query: query.replace("expires=", "expires=9"),
        lambda query: query[:-1] + ("0" if query[-1] != "0" else "1"),
        lambda _: "expires=x&signature=é",
    ],
    ids=["no signature", "later end", "other signature", "nonsense"],
)
def test_a_changed_link_is_401(
    client: httpx.Client,
    run: Callable[..., Any],
    notebook: Callable[..., str],
    change: Callable[[str], str],
) -> None:
    """Whoever has no link has no snapshot."""
    run_id = run(notebook())["runId"]
    link = urlsplit(client.get(f"/v2/runs/{run_id}").json()["run"]["snapshotDownloadUrl"])
    answer = httpx.get(link._replace(query=change(link.query)).geturl())
    assert (answer.status_code, answer.json()) == (
        401,
        {"message": "The link is not valid any more"},
    )


def test_large_outputs_give_way_to_a_notice(
    run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """In the blocks delivery alone, as on Deepnote."""
    content = run(notebook("print('x' * 600_000)", "print(1)"))
    large, small = content["snapshotBlocks"]
    assert "too large" in large["outputs"][0]["text"]
    assert small["outputs"][0]["text"] == "1\n"


def test_the_history_is_newest_first_and_paged(
    client: httpx.Client, run: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """All pages together are all runs, once each."""
    notebook_id = notebook()
    expected = [run(notebook_id)["runId"] for _ in range(3)][::-1]
    listed, token = [], None
    while True:
        params = {"pageSize": 2, **({"pageToken": token} if token else {})}
        page = client.get(f"/v2/notebooks/{notebook_id}/runs", params=params).json()
        listed += [each["runId"] for each in page["runs"]]
        token = page["pagination"]["nextPageToken"]
        assert page["pagination"]["hasMore"] is (token is not None)
        if token is None:
            break
    assert listed == expected


@pytest.mark.parametrize("params", [{"pageSize": "0"}, {"pageSize": "101"}, {"pageSize": "x"}])
def test_a_page_size_out_of_range_is_400(
    client: httpx.Client, notebook: Callable[..., str], params: dict[str, str]
) -> None:
    """The message says what is allowed."""
    answer = client.get(f"/v2/notebooks/{notebook()}/runs", params=params)
    assert answer.json() == {"message": "pageSize must be an integer from 1 to 100"}


def test_a_page_token_of_ones_own_making_is_400(
    client: httpx.Client, notebook: Callable[..., str]
) -> None:
    """Tokens are what an earlier page gave."""
    answer = client.get(f"/v2/notebooks/{notebook()}/runs", params={"pageToken": "x"})
    assert (answer.status_code, answer.json()) == (400, {"message": "pageToken is not valid"})


INPUTS = [
    ("text", {}, "a'b\n", "a'b\n"),
    ("textarea", {}, "", ""),
    ("checkbox", {}, True, True),
    ("select", {}, "x", "x"),
    ("select", {}, "", None),
    ("select", {"deepnote_allow_multiple_values": True}, ["x", "y"], ["x", "y"]),
    ("slider", {}, "7", 7),
    ("slider", {}, "7.5", 7.5),
    ("file", {}, "", None),
]


@pytest.mark.parametrize(("kind", "metadata", "sent", "expected"), INPUTS)
def test_inputs_become_variables(  # noqa: PLR0913, PLR0917 - one row of the table each
    client: httpx.Client,
    run: Callable[..., Any],
    notebook: Callable[..., str],
    kind: str,
    metadata: dict[str, Any],
    sent: object,
    expected: object,
) -> None:
    """Each type of input takes its own JSON type and sets its own Python type."""
    notebook_id = notebook()
    metadata = {"deepnote_variable_name": "value", **metadata}
    for body in (
        {"type": f"input-{kind}", "metadata": metadata},
        {"type": "code", "content": "print(repr(value))"},
    ):
        client.post("/v2/blocks", json={"notebookId": notebook_id, **body}).raise_for_status()
    content = run(notebook_id, inputs={"value": sent})
    assert content["snapshotBlocks"][1]["outputs"][0]["text"] == f"{expected!r}\n"


def test_the_first_api_starts_a_run(
    client: httpx.Client, notebook: Callable[..., str], until: Callable[..., None]
) -> None:
    """It answers 202 without an id; the run is in the notebook's history."""
    notebook_id = notebook("1")
    project_id = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["projectId"]
    answer = client.post(f"/v1/projects/{project_id}/notebooks/{notebook_id}/execute")
    assert (answer.status_code, answer.json()) == (202, {})
    path = f"/v2/notebooks/{notebook_id}/runs"
    until(lambda: [r["status"] for r in client.get(path).json()["runs"]] == ["success"])


def test_the_first_api_has_no_effect_during_a_run(
    client: httpx.Client, notebook: Callable[..., str]
) -> None:
    """A second call while the notebook runs starts nothing."""
    notebook_id = notebook("import time; time.sleep(600)")
    project_id = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["projectId"]
    for _ in range(2):
        path = f"/v1/projects/{project_id}/notebooks/{notebook_id}/execute"
        assert client.post(path).status_code == 202
    assert len(client.get(f"/v2/notebooks/{notebook_id}/runs").json()["runs"]) == 1
    assert client.delete(f"/v2/projects/{project_id}").status_code == 204

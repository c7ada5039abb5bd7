"""Runs: detached and live, what they leave behind, and how it is delivered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from deepnote_kernel.snapshot import Document, load, to_builtins, validate

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = dict[str, Any]

UUID = "00000000-0000-4000-8000-000000000000"


@dataclass
class Notebook:
    """A notebook on the server, built block by block."""

    client: httpx.Client
    id: str

    def add(self, kind: str, content: str = "", **fields: Any) -> str:
        """Add a block at the end; return its id."""
        body = {"notebookId": self.id, "type": kind, "content": content, **fields}
        answer = self.client.post("/v2/blocks", json=body)
        assert answer.status_code == 201, answer.text
        block_id: str = answer.json()["block"]["id"]
        return block_id

    def add_named(self, kind: str, name: str, content: str = "", **metadata: Any) -> str:
        """Add a block that sets a variable."""
        return self.add(kind, content, metadata={"deepnote_variable_name": name, **metadata})

    def post_run(self, **body: Any) -> httpx.Response:
        """Ask for a run."""
        return self.client.post("/v2/runs", json={"notebookId": self.id, **body})

    def run(self, **body: Any) -> JSON:
        """Run the notebook to its end; return the run with its blocks."""
        answer = self.post_run(**body)
        assert answer.status_code == 202, answer.text
        return finished(self.client, answer.json()["runId"])

    def run_live(self, *block_ids: str, **body: Any) -> JSON:
        """Run some blocks in the project's kernel; return the run with its blocks."""
        return self.run(detached=False, blockIds=list(block_ids), **body)


def finished(client: httpx.Client, run_id: str) -> JSON:
    """Wait for the end of a run; return it with its blocks."""
    deadline = time.monotonic() + 30
    while True:
        params = {"snapshotDelivery": "blocks"}
        run: JSON = client.get(f"/v2/runs/{run_id}", params=params).json()["run"]
        if run["completedAt"]:
            return run
        assert time.monotonic() < deadline, "the run did not end in time"
        time.sleep(0.02)


def ids(run: JSON) -> list[str]:
    """Return the ids of the blocks of a run."""
    return [block["id"] for block in run["snapshotBlocks"]]


def texts(run: JSON) -> list[str]:
    """Return what the blocks of a run printed, of those that did."""
    outputs = [output for block in run["snapshotBlocks"] for output in block["outputs"]]
    return [output["text"] for output in outputs if output["output_type"] == "stream"]


@pytest.fixture
def notebook(client: httpx.Client, server: Any) -> Callable[..., Notebook]:
    """Create a notebook of code blocks in a project of its own."""
    return lambda *cells: Notebook(client, server.new_notebook(*cells))


@pytest.fixture(scope="module")
def live(client: httpx.Client, server: Any) -> Notebook:
    """A notebook whose project has its kernel, shared by tests that run blocks of their own."""
    return Notebook(client, server.new_notebook())


@dataclass
class Example:
    """A run of a notebook that has a block of nearly every kind."""

    run: JSON
    document: Document
    text: str
    before: list[JSON]

    def outputs(self, kind: str) -> list[JSON]:
        """Return the outputs of the first block of that type."""
        blocks = [block for block in self.run["snapshotBlocks"] if block["type"] == kind]
        outputs: list[JSON] = blocks[0]["outputs"]
        return outputs


VALUES: dict[str, tuple[str, JSON, object]] = {
    "t": ("text", {}, "a'b\n"),
    "c": ("checkbox", {}, True),
    "s": ("select", {}, ""),
    "m": ("select", {"deepnote_allow_multiple_values": True}, ["x", "y"]),
    "n": ("slider", {}, "2"),
    "d": ("date", {"deepnote_input_date_version": 2}, "2026-11-20"),
    "r": ("date-range", {}, ["2026-11-20", ""]),
    "f": ("file", {}, "data.csv"),
}


@pytest.fixture(scope="module")
def example(client: httpx.Client, server: Any) -> Example:
    """A detached run of it with inputs, and its snapshot."""
    made = Notebook(client, server.new_notebook())
    made.add("text-cell-h1", "Example")
    for name, (kind, metadata, _) in VALUES.items():
        made.add_named(f"input-{kind}", name, **metadata)
    made.add_named("button", "pressed", deepnote_button_behavior="set_variable")
    made.add("markdown", "no: yes\n# <<: &a")
    made.add("code", f"print([{', '.join(VALUES)}, pressed])")
    made.add("code", "import pandas\nframe = pandas.DataFrame({'a': [1, 2, 3]})\nx = 6 * 7; x")
    made.add_named("sql", "rows", "select a * 10 as b from frame where a >= {{ n }}")
    made.add("code", "print(rows.b.tolist())")
    made.add("big-number", metadata={"deepnote_big_number_value": "x"})
    made.add("image", metadata={"deepnote_img_src": "x.png"})
    made.add("separator")
    path = f"/v2/notebooks/{made.id}"
    before = client.get(path).json()["notebook"]["blocks"]
    run = made.run(inputs={name: value for name, (_, _, value) in VALUES.items()})
    assert client.get(path).json()["notebook"]["blocks"] == before
    params = {"snapshotDelivery": "inline"}
    text = client.get(f"/v2/runs/{run['runId']}", params=params).json()["run"]["snapshotContent"]
    return Example(run, load(text), text, before)


def test_a_started_run_is_flat(live: Notebook) -> None:
    """Official clients read the id at the top of the answer."""
    answer = live.post_run(detached=False)
    assert answer.status_code == 202
    assert answer.json().keys() == {"runId", "status", "createdAt"}
    assert answer.json()["status"] == "pending"


def test_a_finished_run_has_what_clients_insist_on(example: Example) -> None:
    """Status, error, both times and the snapshot's state are there."""
    run = example.run
    assert (run["status"], run["error"], run["snapshotStatus"]) == ("success", None, "available")
    assert run["completedAt"] >= run["createdAt"]
    assert "snapshot" not in run


def test_inputs_become_variables(example: Example) -> None:
    """Each type of input takes its own JSON type and sets its own Python type."""
    (printed, _) = texts(example.run)
    assert printed == (
        "[\"a'b\\n\", True, None, ['x', 'y'], 2, datetime.date(2026, 11, 20), "
        "[datetime.date(2026, 11, 20), None], 'data.csv', False]\n"
    )


def test_a_query_runs_over_dataframes(example: Example) -> None:
    """With values of variables in it; its result is shown and is in its variable."""
    (shown,) = example.outputs("sql")
    assert shown["output_type"] == "execute_result"
    assert "text/html" in shown["data"]
    assert texts(example.run)[1] == "[20, 30]\n"


def test_all_blocks_are_in_the_run_in_order(example: Example) -> None:
    """Those that have nothing to run put out nothing."""
    assert ids(example.run) == [block["id"] for block in example.before]
    for kind in ("text-cell-h1", "markdown", "image", "big-number", "separator", "button"):
        assert example.outputs(kind) == []


def test_the_snapshot_is_a_valid_document(example: Example) -> None:
    """It holds the executed notebook with its sources and outputs."""
    validate(example.document)
    (written,) = example.document.project.notebooks
    assert written.id == example.run["notebookId"]
    assert [block.content for block in written.blocks] == [
        block["content"] for block in example.before
    ]


def test_the_snapshot_says_how_the_run_went(example: Example) -> None:
    """How many blocks ran, for how long, from where, on which inputs."""
    execution = to_builtins(example.document)["execution"]
    assert execution["summary"].pop("totalDurationMs") > 0
    assert execution["summary"] == {
        "blocksExecuted": 13,
        "blocksSucceeded": 13,
        "blocksFailed": 0,
    }
    assert execution["triggeredBy"] == "api"
    assert execution["inputs"] == {name: value for name, (_, _, value) in VALUES.items()}
    assert "error" not in execution


def test_the_snapshot_says_when_each_block_ran(example: Example) -> None:
    """One after the other; only code and queries are counted."""
    (written,) = example.document.project.notebooks
    ran = [block for block in written.blocks if block.execution_started_at]
    times = [(block.execution_started_at, block.execution_finished_at) for block in ran]
    assert times == sorted(times)
    counts = [block.execution_count for block in ran]
    assert counts == [None] * 9 + [1, 2, 3, 4]


def test_the_download_link_needs_no_token(client: httpx.Client, example: Example) -> None:
    """It is signed, on this server, and delivers what the inline form does."""
    content = client.get(f"/v2/runs/{example.run['runId']}").json()["run"]
    link = content["snapshotDownloadUrl"]
    assert link.startswith(str(client.base_url))
    assert "snapshotContent" not in content
    assert httpx.get(link).text == example.text


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
    client: httpx.Client, example: Example, change: Callable[[str], str]
) -> None:
    """Whoever has no link has no snapshot."""
    run = client.get(f"/v2/runs/{example.run['runId']}").json()["run"]
    link = urlsplit(run["snapshotDownloadUrl"])
    answer = httpx.get(link._replace(query=change(link.query)).geturl())
    assert (answer.status_code, answer.json()) == (
        401,
        {"message": "The link is not valid any more"},
    )


def test_a_late_snapshot_is_pending(client: httpx.Client, example: Example) -> None:
    """As long as it was asked to be late; the run has ended all the same."""
    path = f"/v2/runs/{example.run['runId']}"
    body = {"effect": "late_snapshot", "path": path, "seconds": 600, "ordinals": [1]}
    client.post("/faults", json=body).raise_for_status()
    late, there = (client.get(path).json()["run"] for _ in range(2))
    client.delete("/faults")
    assert (late["status"], late["snapshotStatus"]) == ("success", "pending")
    assert "snapshotDownloadUrl" not in late
    assert there["snapshotStatus"] == "available"


def test_a_run_of_nothing_has_no_snapshot(live: Notebook) -> None:
    """There is nothing to keep."""
    run = live.run_live(live.add("markdown", "text"))
    assert (run["status"], run["snapshotStatus"]) == ("success", "unavailable")


def test_a_detached_run_has_a_kernel_of_its_own(notebook: Callable[..., Notebook]) -> None:
    """Two runs of one notebook see nothing of each other, nor of the project's kernel."""
    made = notebook("print('a' in dir()); a = 1")
    assert [texts(made.run(detached=value)) for value in (False, True, True)] == [["False\n"]] * 3


def test_a_detached_run_may_leave_storage_as_it_is(notebook: Callable[..., Notebook]) -> None:
    """What it writes is gone with it."""
    made = notebook("import os; print(os.path.exists('x')); open('x', 'w').close()")
    run = made.run(detachedRunStorageMode="readonly")
    assert [texts(run), texts(made.run())] == [["False\n"], ["False\n"]]


def test_live_runs_share_the_projects_kernel(live: Notebook) -> None:
    """What one run defines the next one finds."""
    block_id = live.add("code", "print('kept' in dir()); kept = 1")
    assert [texts(live.run_live(block_id)) for _ in range(2)] == [["False\n"], ["True\n"]]


def test_blocks_run_in_the_order_asked(live: Notebook) -> None:
    """Only those named run."""
    first, _, third = (live.add("code", f"print({number})") for number in (1, 2, 3))
    run = live.run_live(third, first)
    assert (ids(run), texts(run)) == ([third, first], ["3\n", "1\n"])


def test_dependent_blocks_run_after_those_named(live: Notebook) -> None:
    """Through inputs, queries, functions and magics, in the notebook's order."""
    limit = live.add_named("input-slider", "limit", deepnote_variable_value="2")
    frame = live.add("code", "import pandas as pd\nnumbers = pd.DataFrame({'a': range(4)})")
    query = live.add_named("sql", "some", "select a from numbers where a > {{ limit }}")
    live.add("code", "other = 1")
    shown = live.add("code", "%time print(some.a.tolist())")
    live.run_live(limit, frame)
    run = live.run_live(limit, runDependentBlocks=True, inputs={"limit": "1"})
    assert ids(run) == [limit, query, shown]
    assert texts(run)[0].startswith("[2, 3]\n")


def test_a_button_named_is_pressed(live: Notebook) -> None:
    """Only in the run that names it."""
    button = live.add_named("button", "go", deepnote_button_behavior="set_variable")
    shown = live.add("code", "print(go)")
    assert texts(live.run_live(button, runDependentBlocks=True)) == ["True\n"]
    assert texts(live.run_live(shown)) == ["True\n"]


def test_a_failing_block_ends_the_run(live: Notebook) -> None:
    """Its error is the run's, and the snapshot's; what comes after it does not run."""
    blocks = [live.add("code", content) for content in ("print(1)", "1/0", "print(3)")]
    run = live.run_live(*blocks)
    assert (run["status"], run["error"]) == ("error", "ZeroDivisionError: division by zero")
    assert [len(block["outputs"]) for block in run["snapshotBlocks"]] == [1, 1, 0]
    link = live.client.get(f"/v2/runs/{run['runId']}").json()["run"]["snapshotDownloadUrl"]
    execution = to_builtins(load(httpx.get(link).text))["execution"]
    del execution["summary"]["totalDurationMs"]
    assert execution["summary"] == {"blocksExecuted": 2, "blocksSucceeded": 1, "blocksFailed": 1}
    error = execution["error"]
    assert (error["name"], error["message"]) == ("ZeroDivisionError", "division by zero")
    assert "division by zero" in error["traceback"][-1]


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("agent", {}, "Blocks of type agent do not run on this server"),
        (
            "notebook-function",
            {"metadata": {"function_notebook_id": None}},
            "Blocks of type notebook-function do not run on this server",
        ),
        (
            "sql",
            {"integrationId": UUID},
            (
                f"The SQL block queries integration {UUID}, which this server cannot reach. "
                "Let it query dataframes instead."
            ),
        ),
    ],
)
def test_a_block_that_cannot_run_here_fails_the_run(
    live: Notebook, kind: str, fields: JSON, message: str
) -> None:
    """Rather than pass over it in silence, the run says so, and so does the block."""
    run = live.run_live(live.add(kind, "select 1", **fields))
    assert (run["status"], run["error"]) == ("error", message)
    (output,) = run["snapshotBlocks"][0]["outputs"]
    assert (output["output_type"], output["evalue"]) == ("error", message)


def test_a_query_that_fails_says_why_and_no_more(live: Notebook) -> None:
    """No frame of the server's own is in its traceback."""
    run = live.run_live(live.add("sql", "select * from nonesuch"))
    (output,) = run["snapshotBlocks"][0]["outputs"]
    assert run["error"].startswith("CatalogException: Catalog Error: Table with name nonesuch")
    assert output["traceback"] == [run["error"]]


def test_a_dying_kernel_fails_the_run(notebook: Callable[..., Notebook]) -> None:
    """The run ends as an internal error without a snapshot."""
    run = notebook("import os; os._exit(1)").run()
    assert run["status"] == "internal_error"
    assert run["error"] == "Session kernel is unavailable"
    assert run["snapshotStatus"] == "unavailable"


def test_large_outputs_give_way_to_a_notice(live: Notebook) -> None:
    """In the blocks delivery alone, as on Deepnote: one that is too large, or too many."""
    sizes = [600_000, *[450_000] * 12]
    run = live.run_live(*(live.add("code", f"print('x' * {size})") for size in sizes))
    outputs = [block["outputs"][0]["text"] for block in run["snapshotBlocks"]]
    is_notice = ["too large" in text for text in outputs]
    assert is_notice == [True, *[False] * 11, True]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"notebookId": "nonesuch"}, "Notebook not found"),
        ({"blockIds": ["x"]}, "blockIds is not supported for detached runs"),
        ({"blockIds": ["x"], "detached": False}, "Block not found in notebook"),
        (
            {"blockIds": [], "detached": False},
            "blockIds must hold at least one id, and none twice",
        ),
        (
            {"blockIds": ["x", "x"], "detached": False},
            "blockIds must hold at least one id, and none twice",
        ),
        ({"inputs": {"nonesuch": "1"}}, 'Input "nonesuch" is not defined for this notebook'),
    ],
)
def test_a_run_that_cannot_be_is_400(live: Notebook, body: JSON, message: str) -> None:
    """The messages are the API's, also for a notebook that is not there."""
    answer = live.post_run(**body)
    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_too_many_runs_at_a_time_are_429(start_server: Callable[..., Any]) -> None:
    """Where the server limits them; once one has ended, another may begin."""
    server = start_server("--max-runs", "1")
    with server.client() as client:
        made = Notebook(client, server.new_notebook("import time; time.sleep(600)"))
        first = made.post_run(detached=False)
        assert first.status_code == 202
        answer = made.post_run()
        assert (answer.status_code, answer.json()) == (
            429,
            {"message": "1 runs are in progress, which is the limit. Wait for one to end."},
        )


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


def test_the_history_is_newest_first_and_paged(
    client: httpx.Client, server: Any, notebook: Callable[..., Notebook]
) -> None:
    """All pages together are all runs, once each, whatever started them."""
    made = notebook("1")
    project_id = client.get(f"/v2/notebooks/{made.id}").json()["notebook"]["projectId"]
    expected = [made.run(detached=False)["runId"] for _ in range(2)][::-1]
    client.post(f"/v1/projects/{project_id}/notebooks/{made.id}/execute").raise_for_status()
    session = client.post("/v2/sessions", json={"notebookId": made.id}).json()
    finished(client, session["run"]["runId"])
    client.delete(f"/v2/sessions/{session['session']['id']}")
    listed: list[str] = []
    token = None
    while True:
        params = {"pageSize": 3, **({"pageToken": token} if token else {})}
        page = client.get(f"/v2/notebooks/{made.id}/runs", params=params).json()
        listed += [each["runId"] for each in page["runs"]]
        token = page["pagination"]["nextPageToken"]
        assert page["pagination"]["hasMore"] is (token is not None)
        if token is None:
            break
    assert listed[0] == session["run"]["runId"]
    assert listed[2:] == expected
    assert len(set(listed)) == 4


@pytest.mark.parametrize("params", [{"pageSize": "0"}, {"pageSize": "101"}, {"pageSize": "x"}])
def test_a_page_size_out_of_range_is_400(
    client: httpx.Client, live: Notebook, params: dict[str, str]
) -> None:
    """The message says what is allowed."""
    answer = client.get(f"/v2/notebooks/{live.id}/runs", params=params)
    assert answer.json() == {"message": "pageSize must be an integer from 1 to 100"}


def test_a_page_token_of_ones_own_making_is_400(client: httpx.Client, live: Notebook) -> None:
    """Tokens are what an earlier page gave."""
    answer = client.get(f"/v2/notebooks/{live.id}/runs", params={"pageToken": "x"})
    assert (answer.status_code, answer.json()) == (400, {"message": "pageToken is not valid"})


def test_the_first_api_starts_a_run(
    client: httpx.Client, notebook: Callable[..., Notebook], until: Callable[..., None]
) -> None:
    """It answers 202 without an id; the run is in the notebook's history."""
    notebook_id = notebook("1").id
    project_id = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["projectId"]
    answer = client.post(f"/v1/projects/{project_id}/notebooks/{notebook_id}/execute")
    assert (answer.status_code, answer.json()) == (202, {})
    path = f"/v2/notebooks/{notebook_id}/runs"
    until(lambda: [r["status"] for r in client.get(path).json()["runs"]] == ["success"])


def test_the_first_api_has_no_effect_during_a_run(
    client: httpx.Client, notebook: Callable[..., Notebook]
) -> None:
    """A second call while the notebook runs starts nothing."""
    notebook_id = notebook("import time; time.sleep(600)").id
    project_id = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["projectId"]
    for _ in range(2):
        path = f"/v1/projects/{project_id}/notebooks/{notebook_id}/execute"
        assert client.post(path).status_code == 202
    assert len(client.get(f"/v2/notebooks/{notebook_id}/runs").json()["runs"]) == 1
    assert client.delete(f"/v2/projects/{project_id}").status_code == 204

"""Which request each call sends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deepnote_kernel.api import Call, me, notebooks, projects, runs, sessions, v1
from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from tests.unit.api.conftest import Api

ANSWER = {"id": "x", "runId": "x", "outputs": []}

ROUTES: list[tuple[Call[Any], str, dict[str, Any] | None]] = [
    (
        sessions.create("n"),
        "POST /v2/sessions",
        {"notebookId": "n"},
    ),
    (
        sessions.create(
            "n",
            inputs={"a": "1"},
            storage_mode="readonly",
            idle_shutdown_s=1800,
            machine_type="fjord",
        ),
        "POST /v2/sessions",
        {
            "notebookId": "n",
            "inputs": {"a": "1"},
            "storageMode": "readonly",
            "idleShutdownSeconds": 1800,
            "machineType": "fjord",
        },
    ),
    (
        sessions.execute("s", notebook_id="n", code="'é'", timeout_ms=5),
        "POST /v2/sessions/s/execute",
        {"notebookId": "n", "code": "'é'", "timeoutMs": 5},
    ),
    (
        sessions.interrupt("s", notebook_id="n"),
        "POST /v2/sessions/s/interrupt",
        {"notebookId": "n"},
    ),
    (sessions.status("s", notebook_id="n"), "GET /v2/sessions/s/status?notebookId=n", None),
    (sessions.stop("s"), "DELETE /v2/sessions/s", None),
    (runs.create("n"), "POST /v2/runs", {"notebookId": "n", "detached": True}),
    (
        runs.create(
            "n",
            detached=False,
            storage_mode="read_write",
            inputs={},
            block_ids=["b"],
            run_dependent_blocks=True,
            machine_type="fjord",
        ),
        "POST /v2/runs",
        {
            "notebookId": "n",
            "detached": False,
            "detachedRunStorageMode": "read_write",
            "inputs": {},
            "blockIds": ["b"],
            "runDependentBlocks": True,
            "machineType": "fjord",
        },
    ),
    (runs.get("r"), "GET /v2/runs/r", None),
    (
        runs.get("r", snapshot_delivery="inline"),
        "GET /v2/runs/r?snapshotDelivery=inline",
        None,
    ),
    (notebooks.create("p"), "POST /v2/notebooks", {"projectId": "p"}),
    (notebooks.create("p", name="x"), "POST /v2/notebooks", {"projectId": "p", "name": "x"}),
    (notebooks.get("n"), "GET /v2/notebooks/n", None),
    (notebooks.delete("n"), "DELETE /v2/notebooks/n", None),
    (notebooks.list_runs("n"), "GET /v2/notebooks/n/runs", None),
    (
        notebooks.list_runs("n", page_size=5, page_token="a&b"),
        "GET /v2/notebooks/n/runs?pageSize=5&pageToken=a%26b",
        None,
    ),
    (projects.list_(), "GET /v2/projects", None),
    (
        projects.list_(name_contains="ü", page_size=5, page_token="t"),
        "GET /v2/projects?nameContains=%C3%BC&pageSize=5&pageToken=t",
        None,
    ),
    (projects.create("p"), "POST /v2/projects", {"name": "p"}),
    (
        projects.create("p", folder_id="f", project_type="standard", environment_id="e"),
        "POST /v2/projects",
        {"name": "p", "folderId": "f", "projectType": "standard", "environmentId": "e"},
    ),
    (projects.get("p"), "GET /v2/projects/p", None),
    (projects.delete("p"), "DELETE /v2/projects/p", None),
    (me.get(), "GET /v2/me", None),
    (v1.execute("p", "n"), "POST /v1/projects/p/notebooks/n/execute", None),
]


@pytest.mark.parametrize(("call", "route", "body"), ROUTES, ids=[route for _, route, _ in ROUTES])
def test_a_call_sends_its_route_and_body(
    api: Api, call: Call[Any], route: str, body: dict[str, Any] | None
) -> None:
    """A call sends exactly what was given, under the API's names, and leaves out the rest."""
    api.replies(httpx.Response(200, json=ANSWER)).send(call)
    request = api.request
    assert f"{request.method} {request.url.raw_path.decode()}" == route
    assert (json.loads(request.content) if request.content else None) == body


@pytest.mark.parametrize("call", [call for call, _, _ in ROUTES], ids=lambda call: call.label)
def test_a_call_is_replay_safe_by_its_method(call: Call[Any]) -> None:
    """Asking and deleting may be repeated, everything else may not."""
    assert call.replay_safe == (call.method in {"GET", "DELETE"})


@pytest.mark.parametrize(
    ("session_id", "path"), [("a/b", "/v2/sessions/a%2Fb"), ("..%", "/v2/sessions/..%25")]
)
def test_an_id_cannot_change_the_path(api: Api, session_id: str, path: str) -> None:
    """Whatever an id holds stays one segment of the path."""
    api.send(sessions.stop(session_id))
    assert api.request.url.raw_path.decode() == path


@pytest.mark.parametrize("project_id", ["", ".", ".."])
def test_an_id_that_names_another_path_is_refused(project_id: str) -> None:
    """Deleting the project named by nothing must not address the list of all."""
    with pytest.raises(ConfigError, match=r"The project id is '.*'\. Give the id of a project"):
        projects.delete(project_id)


@pytest.mark.parametrize("timeout_ms", [0, -1, 120_001])
def test_a_time_limit_out_of_range_is_refused_before_sending(timeout_ms: int) -> None:
    """The server would answer 400; the message names the value and the range."""
    with pytest.raises(ConfigError, match=rf"timeout_ms is {timeout_ms}.*between 1 and 120000"):
        sessions.execute("s", notebook_id="n", code="1", timeout_ms=timeout_ms)


@pytest.mark.parametrize(("timeout_ms", "timeout_s"), [(1, 60.001), (120_000, 180.0)])
def test_an_execute_call_waits_longer_than_its_code_may_run(
    timeout_ms: int, timeout_s: float
) -> None:
    """The answer has a minute to come after the code's own limit."""
    call = sessions.execute("s", notebook_id="n", code="1", timeout_ms=timeout_ms)
    assert call.timeout_s == timeout_s


def test_a_call_can_be_changed_before_it_is_sent(api: Api) -> None:
    """A call is a value: one field changed makes another call."""
    api.send(me.get().replace(timeout_s=5.0))
    assert api.request.extensions["timeout"]["read"] == 5.0


def test_a_body_that_json_cannot_carry_is_not_sent(api: Api) -> None:
    """The call is named, and nothing goes out."""
    with pytest.raises(ConfigError, match="POST /v2/sessions was not sent: Encoding objects"):
        api.send(sessions.create("n", inputs={"a": object()}))
    assert api.requests == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://store.example/s", "is not a web address"),
        ("store.example/s", "is not a web address"),
        ("https://store.example:port/s", "is not a web address"),
        ("https:///s", "is not a web address"),
        ("http://store.example/s?signature=abc", "'http://store.example/s' is not encrypted"),
    ],
)
def test_a_download_from_a_doubtful_address_is_refused(api: Api, url: str, message: str) -> None:
    """The address came from a server: it must be one of the web, and encrypted."""
    with pytest.raises(ConfigError, match=message):
        api.send(runs.download_snapshot(url))


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1", "http://a.localhost.:1"],
)
def test_this_computer_needs_no_encryption(api: Api, url: str) -> None:
    """Nothing leaves the machine on a loopback address."""
    api.send(me.get(), base_url=url)
    assert str(api.request.url).startswith(url)


def test_a_request_shows_neither_headers_nor_query() -> None:
    """The repr of what goes over the wire holds no token and no signature."""
    from deepnote_kernel.api import requests  # noqa: PLC0415

    call = runs.download_snapshot("https://api.deepnote.com/s?signature=abc")
    request = requests.build(
        call,
        base_url="https://api.deepnote.com",
        credentials={"Authorization": "Bearer canary"},
        allow_http=False,
    )
    assert repr(request) == "Request(GET https://api.deepnote.com/s)"

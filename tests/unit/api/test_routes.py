"""Which request each call sends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deepnote_kernel.api import (
    Call,
    blocks,
    files,
    integrations,
    machines,
    me,
    notebooks,
    projects,
    runs,
    schedules,
    sessions,
    streamlit_apps,
    v1,
)
from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.api.conftest import Api

ANSWER = {"id": "x", "runId": "x", "outputs": [], "notebookId": "x", "blockIds": []}

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
    (sessions.list_(page_size=5, page_token="t"), "GET /v2/sessions?pageSize=5&pageToken=t", None),
    (sessions.get("s"), "GET /v2/sessions/s", None),
    (
        sessions.run("s", notebook_id="n", block_ids=["b"], inputs={"a": "1"}),
        "POST /v2/sessions/s/runs",
        {"notebookId": "n", "blockIds": ["b"], "inputs": {"a": "1"}},
    ),
    (sessions.run("s", block_id="b"), "POST /v2/sessions/s/runs", {"blockId": "b"}),
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
    (notebooks.rename("n", "x"), "PATCH /v2/notebooks/n", {"name": "x"}),
    (
        notebooks.reorder_blocks("n", ["b", "c"]),
        "POST /v2/notebooks/n/reorder-blocks",
        {"blockIds": ["b", "c"], "placement": {"type": "end"}},
    ),
    (
        notebooks.reorder_blocks("n", ["b"], at="start"),
        "POST /v2/notebooks/n/reorder-blocks",
        {"blockIds": ["b"], "placement": {"type": "start"}},
    ),
    (
        notebooks.reorder_blocks("n", ["b"], after="c"),
        "POST /v2/notebooks/n/reorder-blocks",
        {"blockIds": ["b"], "placement": {"type": "after", "blockId": "c"}},
    ),
    (schedules.create("n", "0 9 * * *"), "POST /v2/notebooks/n/schedule", {"cron": "0 9 * * *"}),
    (
        schedules.create("n", "0 9 * * *", timezone="Europe/Prague"),
        "POST /v2/notebooks/n/schedule",
        {"cron": "0 9 * * *", "timezone": "Europe/Prague"},
    ),
    (schedules.get("n"), "GET /v2/notebooks/n/schedule", None),
    (schedules.delete("n"), "DELETE /v2/notebooks/n/schedule", None),
    (blocks.create("n"), "POST /v2/blocks", {"notebookId": "n", "type": "code"}),
    (
        blocks.create(
            "n",
            type_="sql",
            content="SELECT 1",
            metadata={"deepnote_variable_name": "df"},
            position=0,
            integration_id="i",
            include_notebook_block_ids=True,
        ),
        "POST /v2/blocks",
        {
            "notebookId": "n",
            "type": "sql",
            "content": "SELECT 1",
            "metadata": {"deepnote_variable_name": "df"},
            "position": 0,
            "integrationId": "i",
            "includeNotebookBlockIds": True,
        },
    ),
    (blocks.get("b"), "GET /v2/blocks/b", None),
    (blocks.update("b", content=""), "PATCH /v2/blocks/b", {"content": ""}),
    (blocks.update("b", integration_id="i"), "PATCH /v2/blocks/b", {"integrationId": "i"}),
    (blocks.delete("b"), "DELETE /v2/blocks/b", None),
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
    (
        projects.update("p", sharing_enabled=False),
        "PATCH /v2/projects/p",
        {"staticFiles": {"sharingEnabled": False}},
    ),
    (
        projects.update(
            "p",
            api_access_enabled=True,
            streamlit_app_api_access_enabled=True,
            environment_id="e",
        ),
        "PATCH /v2/projects/p",
        {
            "staticFiles": {"apiAccessEnabled": True},
            "streamlitAppApiAccessEnabled": True,
            "environmentId": "e",
        },
    ),
    (projects.export("p"), "GET /v2/projects/p/export", None),
    (files.list_("p"), "GET /v2/projects/p", None),
    (files.read("p", "a/é.csv"), "GET /v2/files/download?projectId=p&path=a%2F%C3%A9.csv", None),
    (files.delete("p", "a.csv"), "DELETE /v2/files?projectId=p&path=a.csv", None),
    (
        files.copy("p", "a.csv", target_project_id="q"),
        "POST /v2/files/copy",
        {"sourceProjectId": "p", "targetProjectId": "q", "sourceFilePath": "a.csv"},
    ),
    (
        streamlit_apps.create("p", "apps/app.py"),
        "POST /v2/streamlit-apps",
        {"projectId": "p", "entrypoint": "apps/app.py"},
    ),
    (streamlit_apps.list_("p"), "GET /v2/streamlit-apps?projectId=p", None),
    (streamlit_apps.status("a"), "GET /v2/streamlit-apps/a/status", None),
    (machines.list_types(), "GET /v2/machine-types", None),
    (machines.get("p"), "GET /v2/projects/p/machine", None),
    (integrations.list_(), "GET /v2/integrations", None),
    (
        integrations.list_(integration_ids=["a", "b"], include_metadata=True),
        "GET /v2/integrations?includeMetadata=true&integrationIds=a%2Cb",
        None,
    ),
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


@pytest.mark.parametrize("change", [blocks.update, projects.update])
def test_a_change_that_changes_nothing_is_refused(change: Callable[[str], Call[Any]]) -> None:
    """The server would answer 400; the message names what was to be changed."""
    with pytest.raises(ConfigError, match=r"The (block|project) x was given no change"):
        change("x")


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
    "call",
    [
        files.delete("p", "\ud800"),
        files.upload("p", "\ud800", b""),
        schedules.create("n", "\ud800"),
    ],
    ids=lambda call: call.label,
)
def test_text_that_is_no_unicode_is_not_sent(api: Api, call: Call[Any]) -> None:
    """A lone surrogate can be written neither in a query, nor in a form, nor as JSON."""
    with pytest.raises(ConfigError, match=r"was not sent: surrogates not allowed\. Give text"):
        api.send(call)
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

"""Requests that nobody thought of: every operation of the description, fuzzed by schemathesis."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.integration.conftest import run_server
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.integration.conftest import Server

JSON = dict[str, Any]

SEED = "20261120"
EXAMPLES = "10"

# A request that fits the description may still be refused, as for a name that is taken; and what
# was just created need not have everything: a new notebook has no schedule.
NOT_CHECKED = "positive_data_acceptance,ensure_resource_availability"

OPTIONS = (
    *("--seed", SEED, "--max-examples", EXAMPLES, "--generation-database", "none"),
    *("--exclude-checks", NOT_CHECKED, "--exclude-path-regex", "^/faults"),
    *("--suppress-health-check", "all", "--continue-on-failure", "--no-color"),
    *("--report", "ndjson"),
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Iterator[Server]:
    """A server to be left in any state."""
    with run_server(tmp_path_factory.mktemp("fuzzed")) as running:
        yield running


def known_values(client: httpx.Client) -> JSON:
    """Make one thing of each kind; return, by name of parameter, what names it."""
    project = client.post("/v2/projects", json={"name": "Fuzzed"}).json()["project"]
    notebook_id = project["notebooks"][0]["id"]
    block = {"notebookId": notebook_id, "type": "code", "content": "1"}
    block_id = client.post("/v2/blocks", json=block).json()["block"]["id"]
    for path in ("a.txt", "served.py", "to_serve.py"):
        form = {"projectId": project["id"], "path": path}
        client.post("/v2/files", data=form, files={"file": b"a"})
    served = {"projectId": project["id"], "entrypoint": "served.py"}
    app = client.post("/v2/streamlit-apps", json=served).json()["streamlitApp"]
    schedule = {"cron": "0 0 1 1 *", "timezone": "UTC"}
    client.post(f"/v2/notebooks/{notebook_id}/schedule", json=schedule)
    started = new_session(client, notebook_id)
    run_path = f"/v2/runs/{started['run']['runId']}"
    wait_until(lambda: client.get(run_path).json()["run"]["snapshotStatus"] != "pending")
    run = client.get(run_path).json()["run"]
    return {
        "appId": app["id"],
        "blockId": block_id,
        "blockIds": [block_id],
        "entrypoint": "to_serve.py",
        "notebookId": notebook_id,
        "path": "a.txt",
        "placement": {"type": "end"},
        "projectId": project["id"],
        "runId": run["runId"],
        "sessionId": started["session"]["id"],
        "sourceFilePath": "a.txt",
        "sourceProjectId": project["id"],
        "targetProjectId": project["id"],
        "type": "code",
        **schedule,
        **dict(parse_qsl(urlsplit(run["snapshotDownloadUrl"]).query)),
    }


def new_session(client: httpx.Client, notebook_id: str) -> JSON:
    """Start a session; return the answer."""
    answer: JSON = client.post("/v2/sessions", json={"notebookId": notebook_id}).json()
    return answer


def add_examples(document: JSON, values: JSON, doomed: JSON) -> None:
    """Offer values to parameters and members of bodies of their name.

    What deletes gets others, so that these do not end; a schedule can be made anew.
    """
    for path, item in document["paths"].items():
        for method, operation in item.items():
            is_deadly = method == "delete" and not path.endswith("/schedule")
            offered = doomed if is_deadly else values
            body = operation.get("requestBody", {"content": {}})["content"]
            schemas = {each["name"]: each["schema"] for each in operation["parameters"]}
            for content in body.values():
                schemas |= content["schema"].get("properties", {})
            for name in schemas.keys() & offered.keys():
                schemas[name]["examples"] = [offered[name]]


def granted(report: Path) -> set[str]:
    """Return the operations that were granted at least once, by method and path."""
    found = set()
    for line in report.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for case_id, interaction in recorder.get("interactions", {}).items():
            case = recorder["cases"][case_id]["value"]
            if 200 <= ((interaction["response"] or {}).get("status_code", 0)) < 300:
                found.add(f"{case['method']} {case['path']}")
    return found


@pytest.mark.timeout(180)
def test_no_request_breaks_the_server_or_surprises_its_caller(
    programs: Path, fuzzed: Server, tmp_path: Path
) -> None:
    """No 5xx; no status, header or body that is not described; nothing taken that is malformed.

    Every operation must have been granted at least once, as refusals alone would prove little; only
    an archive to import is nothing that comes up by chance.
    """
    program = programs / "schemathesis"
    if not program.exists():
        pytest.skip("schemathesis needs Python 3.11")
    with fuzzed.client() as client:
        document = client.get("/openapi.json").json()
        values = known_values(client)
        doomed = new_session(client, values["notebookId"])["session"]["id"]
        add_examples(document, values, {"sessionId": doomed})
    described = tmp_path / "openapi.json"
    described.write_text(json.dumps(document))
    report = tmp_path / "report.ndjson"
    done = subprocess.run(
        [
            *(program, "run", described, *OPTIONS, "--url", fuzzed.url),
            *("--header", f"Authorization: Bearer {fuzzed.token}"),
            *("--report-ndjson-path", report),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parent),
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        },
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    operations = {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        if not path.startswith("/faults")
        for method in item
    }
    assert operations - granted(report) == {"POST /v2/projects/{projectId}/import"}

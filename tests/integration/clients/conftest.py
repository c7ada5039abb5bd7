"""Programs that nobody here wrote, run unchanged against an embedded server.

They live in an environment of their own, made from ``tests/official-clients.txt``; the environment
variable ``OFFICIAL_CLIENTS_PYTHON`` names its interpreter.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import Server, run_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

JSON = dict[str, Any]

ROOT = Path(__file__).parents[3]
TIMEOUT_S = 60.0


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the clients' programs."""
    python = os.environ.get("OFFICIAL_CLIENTS_PYTHON", str(ROOT / ".venv-clients/bin/python"))
    if not Path(python).exists():
        pytest.skip("no official clients: run `make test`, or set OFFICIAL_CLIENTS_PYTHON")
    return Path(python).parent


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Iterator[Server]:
    """A server of the clients' own: some of them act on every project they find."""
    with run_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[httpx.Client]:
    """A client of ours, to see what theirs have done."""
    with server.client() as shared:
        yield shared


@pytest.fixture
def deepnote(
    programs: Path, server: Server, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run deepnote-cli in the test's folder: ``deepnote("sync", "workspace")``."""
    environ = {"HOME": str(tmp_path), "NO_COLOR": "1", "PATH": os.environ["PATH"], "TZ": "UTC"}

    def run(*arguments: str, token: str = server.token) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [programs / "deepnote", *arguments, "--url", server.url],
            cwd=tmp_path,
            env={**environ, "DEEPNOTE_TOKEN": token},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    return run


@pytest.fixture
def new_project(client: httpx.Client) -> Iterator[Callable[..., JSON]]:
    """Create a project whose notebook holds the given blocks; return it as a document.

    A block is a source of Python, or a mapping with ``type`` and more. The project goes with the
    test.
    """
    created = []

    def create(*blocks: str | JSON, name: str = "Report") -> JSON:
        project = client.post("/v2/projects", json={"name": name}).json()["project"]
        created.append(project["id"])
        notebook = project["notebooks"][0]
        made = []
        for block in blocks:
            body = {"type": "code", "content": block} if isinstance(block, str) else block
            answer = client.post("/v2/blocks", json={"notebookId": notebook["id"], **body})
            made.append(answer.json()["block"])
        return _document(project, notebook, made)

    yield create
    for project_id in created:
        client.delete(f"/v2/projects/{project_id}")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[JSON], Path]:
    """Write a document to ``report.deepnote`` in the test's folder, as JSON, which is YAML too."""

    def to_file(document: JSON) -> Path:
        path = tmp_path / "report.deepnote"
        path.write_text(json.dumps(document))
        return path

    return to_file


def input_block(kind: str, name: str, value: Any, **metadata: Any) -> JSON:
    """Return an input block: ``input_block("text", "who", "world")``."""
    variable = {"deepnote_variable_name": name, "deepnote_variable_value": value}
    return {"type": f"input-{kind}", "metadata": {**variable, **metadata}}


def _document(project: JSON, notebook: JSON, blocks: list[JSON]) -> JSON:
    return {
        "version": "1.0.0",
        "metadata": {"createdAt": project["createdAt"]},
        "project": {
            "id": project["id"],
            "name": project["name"],
            "notebooks": [
                {
                    "id": notebook["id"],
                    "name": notebook["name"],
                    "blocks": [
                        {
                            "id": block["id"],
                            "blockGroup": block["id"],
                            "sortingKey": f"{index:06}",
                            "type": block["type"],
                            "content": block["content"],
                            "metadata": block["metadata"],
                        }
                        for index, block in enumerate(blocks)
                    ],
                }
            ],
        },
    }

"""Commands as a person gives them, against the embedded server."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from deepnote_kernel.cli import main

if TYPE_CHECKING:
    from tests.integration.conftest import Server

JSON = dict[str, Any]


@dataclass
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, read as JSON."""
        return json.loads(self.out)


class Shell(Protocol):
    """Runs a command in this process, as ``jupyter deepnote`` does in one of its own."""

    def __call__(self, *words: str) -> Done:
        """Run it."""
        ...


@dataclass
class Place:
    """A project of a test's own."""

    server: Server
    name: str
    id: str
    notebook_id: str

    def add(self, content: str, type_: str = "code", **metadata: Any) -> str:
        """Add a block to its notebook; return the block's id."""
        body = {"notebookId": self.notebook_id, "type": type_, "content": content}
        with self.server.client() as client:
            answer = client.post("/v2/blocks", json={**body, "metadata": metadata})
            answer.raise_for_status()
        block_id: str = answer.json()["block"]["id"]
        return block_id


@pytest.fixture
def shell(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """Run commands for the shared server."""
    monkeypatch.setenv("DEEPNOTE_BASE_URL", server.url)
    monkeypatch.setenv("DEEPNOTE_TOKEN", server.token)

    def run(*words: str) -> Done:
        capsys.readouterr()
        status = main(list(words))
        out, err = capsys.readouterr()
        assert server.token not in out + err
        return Done(status, out, err)

    return run


def make_place(server: Server, **settings: str) -> Place:
    """Create a project with one notebook, whose names nobody else has."""
    name = f"Sales {uuid.uuid4().hex[:8]}"
    with server.client() as client:
        answer = client.post("/v2/projects", json={"name": name, **settings})
        answer.raise_for_status()
    project = answer.json()["project"]
    return Place(server, name, project["id"], project["notebooks"][0]["id"])


@pytest.fixture
def place(server: Server) -> Place:
    """A project of this test's own."""
    return make_place(server)

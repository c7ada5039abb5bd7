"""Sessions on an embedded server, and a way to wait for what takes a moment."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx


JSON = dict[str, Any]


@dataclass
class LiveSession:
    """A session on a server, addressed by its source notebook."""

    client: httpx.Client
    notebook_id: str
    id: str
    run_id: str
    content: JSON

    @property
    def path(self) -> str:
        """The session's path."""
        return f"/v2/sessions/{self.id}"

    def post(self, action: str, **body: Any) -> httpx.Response:
        """Post to the session, naming its notebook."""
        return self.client.post(
            f"{self.path}/{action}", json={"notebookId": self.notebook_id, **body}
        )

    def execute(self, code: str, **body: Any) -> httpx.Response:
        """Run code in the session's kernel."""
        return self.post("execute", code=code, **{"timeoutMs": 60_000, **body})

    def outputs(self, code: str) -> list[JSON]:
        """Run code that is expected to be answered; return its outputs."""
        answer = self.execute(code)
        assert answer.status_code == 200, answer.text
        outputs: list[JSON] = answer.json()["outputs"]
        return outputs

    def text(self, code: str) -> str:
        """Run code; return what it printed."""
        return "".join(output.get("text", "") for output in self.outputs(code))

    def status(self) -> JSON:
        """Return the answer to a status request."""
        answer = self.client.get(f"{self.path}/status", params={"notebookId": self.notebook_id})
        assert answer.status_code == 200, answer.text
        content: JSON = answer.json()
        return content

    def wait_ready(self) -> None:
        """Wait until the first run is over."""
        wait_until(lambda: run_of(self.client, self.run_id)["completedAt"])


def run_of(client: httpx.Client, run_id: str, **params: str) -> JSON:
    """Return a run."""
    answer = client.get(f"/v2/runs/{run_id}", params=params)
    assert answer.status_code == 200, answer.text
    run: JSON = answer.json()["run"]
    return run


def open_session(client: httpx.Client, notebook_id: str, **body: Any) -> LiveSession:
    """Start a session without waiting for its first run."""
    answer = client.post("/v2/sessions", json={"notebookId": notebook_id, **body})
    assert answer.status_code == 202, answer.text
    content = answer.json()
    return LiveSession(
        client, notebook_id, content["session"]["id"], content["run"]["runId"], content
    )


@pytest.fixture(name="until")
def _until() -> Callable[[Callable[[], object]], None]:
    """Wait until a condition holds."""
    return wait_until


@pytest.fixture(name="finished")
def _finished(client: httpx.Client) -> Callable[..., JSON]:
    """Wait for the end of a run and return it: ``finished(run_id, snapshotDelivery="inline")``."""

    def wait(run_id: str, **params: str) -> JSON:
        wait_until(lambda: run_of(client, run_id)["completedAt"])
        return run_of(client, run_id, **params)

    return wait


@pytest.fixture
def in_background() -> Iterator[Callable[..., Future[Any]]]:
    """Call something in a thread; return the future of its result."""
    with ThreadPoolExecutor(4) as threads:
        yield threads.submit


@pytest.fixture(scope="session")
def client(server: Any) -> Iterator[httpx.Client]:
    """A client of the shared server."""
    with server.client() as shared:
        yield shared


@pytest.fixture
def notebook(server: Any) -> Callable[..., str]:
    """Create a notebook of code cells in a project of its own; return its id."""
    create: Callable[..., str] = server.new_notebook
    return create


@pytest.fixture
def start_session(client: httpx.Client, server: Any) -> Iterator[Callable[..., LiveSession]]:
    """Start a session on a new notebook of the given cells; it ends with the test."""
    started = []

    def start(*cells: str, wait: bool = True, **body: Any) -> LiveSession:
        session = open_session(client, server.new_notebook(*cells), **body)
        started.append(session)
        if wait:
            session.wait_ready()
        return session

    yield start
    for session in started:
        client.delete(session.path)


@pytest.fixture(scope="module")
def session(client: httpx.Client, server: Any) -> Iterator[LiveSession]:
    """One ready session, shared by the tests of a module that leave no trace in it."""
    shared = open_session(client, server.new_notebook())
    shared.wait_ready()
    yield shared
    client.delete(shared.path)


@pytest.fixture
def session_on() -> Iterator[Callable[[Any], LiveSession]]:
    """Start a ready session on a server of the test's own."""
    clients = []

    def start(server: Any, *cells: str, **body: Any) -> LiveSession:
        http = server.client()
        clients.append(http)
        session = open_session(http, server.new_notebook(*cells), **body)
        session.wait_ready()
        return session

    yield start
    for http in clients:
        http.close()

"""Embedded servers for tests: real processes on loopback sockets."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

START_TIMEOUT_S = 30.0


@dataclass
class Server:
    """A running embedded server."""

    url: str
    """Its address without a version suffix, as ``DEEPNOTE_BASE_URL`` takes it."""

    token: str
    process: subprocess.Popen[bytes]

    def client(self, **options: Any) -> httpx.Client:
        """Return an HTTP client that carries the token; relative paths start at ``url``."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, **options)

    def new_notebook(self, *cells: str) -> str:
        """Create a project whose notebook holds code cells; return the notebook's id."""
        with self.client() as client:
            answer = client.post("/v2/projects", json={"name": "Test"})
            notebook_id: str = answer.json()["project"]["notebooks"][0]["id"]
            for content in cells:
                block = {"notebookId": notebook_id, "type": "code", "content": content}
                client.post("/v2/blocks", json=block).raise_for_status()
        return notebook_id


@contextlib.contextmanager
def run_server(
    folder: Path, *arguments: str, environ: dict[str, str] | None = None
) -> Iterator[Server]:
    """Run a server process until the end of the block; it must then stop by itself.

    Args:
        folder: Where its runtime file is put.
        *arguments: Command-line options.
        environ: Environment variables on top of those of the tests.
    """
    path = folder / f"server-{time.monotonic_ns()}.json"
    command = [sys.executable, "-m", "deepnote_kernel.server", "--runtime-file", str(path)]
    process = subprocess.Popen([*command, *arguments], env={**os.environ, **(environ or {})})
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not path.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server did not start: exit status {process.poll()}")
            time.sleep(0.01)
        runtime = json.loads(path.read_text())
        yield Server(runtime["url"], runtime["token"], process)
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An embedded server with default options, shared by all tests."""
    with run_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers of a test's own: ``start_server("--after-timeout", "interrupt")``."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: str, environ: dict[str, str] | None = None) -> Server:
            return stack.enter_context(run_server(tmp_path, *arguments, environ=environ))

        yield start

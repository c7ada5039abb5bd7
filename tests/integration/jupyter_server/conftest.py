"""A Jupyter Server with our extension, and kernels of it to run cells in."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.integration.conftest import START_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.conftest import Server

LIMIT_S = 30.0


@dataclass
class Jupyter:
    """A running Jupyter Server."""

    url: str
    token: str
    runtime: Path
    """Where its kernels' connection files are, and the local server's."""

    records: Path
    """Where sessions are recorded."""

    secrets: list[str] = field(default_factory=list)
    """What must not be in any answer."""

    def client(self, token: str | None = None) -> httpx.Client:
        """Return an HTTP client for what lies below ``/deepnote/``, and for the rest above it."""
        headers = {"Authorization": f"token {self.token if token is None else token}"}
        hooks = {"response": [self._check]}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, event_hooks=hooks)

    def _check(self, response: httpx.Response) -> None:
        response.read()
        assert not [secret for secret in self.secrets if secret in response.text]

    def overview(self) -> Any:
        """Return what the browser is told of sessions."""
        with self.client() as client:
            return client.get("deepnote/sessions").raise_for_status().json()

    def wait_for(self, condition: Callable[[Any], Any]) -> Any:
        """Ask for sessions until a condition holds for what comes; return what it returns."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            overview = self.overview()
            if found := condition(overview):
                return found
            assert time.monotonic() < deadline, overview
            time.sleep(0.05)


@dataclass
class Kernel:
    """A kernel of a Jupyter Server."""

    id: str
    client: BlockingKernelClient

    def run(self, code: str) -> Any:
        """Run a cell and return the content of its reply."""
        return self.client.execute_interactive(
            code, timeout=LIMIT_S, output_hook=lambda _message: None
        )["content"]

    def start(self, code: str) -> str:
        """Run a cell that prints, until it has printed; return the request's id."""
        msg_id: str = self.client.execute(f"print('runs', flush=True)\n{code}")
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            message = self.client.get_iopub_msg(timeout=LIMIT_S)
            if message["msg_type"] == "stream" and "runs" in message["content"]["text"]:
                return msg_id
        pytest.fail("the cell does not run")

    def ended(self, msg_id: str) -> Any:
        """Wait for the end of a cell; return the content of its reply."""
        while True:
            message = self.client.get_shell_msg(timeout=LIMIT_S)
            if message["parent_header"]["msg_id"] == msg_id:
                return message["content"]


@contextlib.contextmanager
def run_jupyter(folder: Path, **environ: str) -> Iterator[Jupyter]:
    """Run a Jupyter Server until the end of the block.

    Args:
        folder: Where its files are put; sessions are recorded there too.
        **environ: Environment variables on top of those of the tests.
    """
    runtime, data, log = folder / "runtime", folder / "data", folder / "jupyter.log"
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"]
    command += ["--ServerApp.jpserver_extensions={'deepnote_kernel.jupyter_server': True}"]
    env = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_DATA_DIR": str(data)}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**env, **environ}, stdout=output, stderr=output)
    path = runtime / f"jpserver-{process.pid}.json"
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not path.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail("Jupyter Server did not start:\n" + log.read_text())
            time.sleep(0.02)
        yield Jupyter(
            json.loads(path.read_text())["url"], token, runtime, data / "deepnote/sessions"
        )
    finally:
        process.terminate()
        process.wait(timeout=30)
        for local in runtime.glob("deepnote-local-*.json"):  # it would wait for more sessions
            with contextlib.suppress(ProcessLookupError):
                os.kill(json.loads(local.read_text())["pid"], signal.SIGTERM)
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def jupyter(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A Jupyter Server that takes the embedded server for Deepnote."""
    environ = {"DEEPNOTE_BASE_URL": server.url, "DEEPNOTE_TOKEN": server.token}
    with run_jupyter(tmp_path_factory.mktemp("jupyter"), **environ) as running:
        running.secrets.append(server.token)
        yield running


@pytest.fixture(scope="module")
def kernel(jupyter: Jupyter, server: Server) -> Iterator[Kernel]:
    """A Deepnote kernel of that Jupyter Server, whose session runs."""
    with jupyter.client() as http:
        answer = http.post("api/kernels", json={"name": "deepnote"})
        kernel_id = answer.raise_for_status().json()["id"]
        client = BlockingKernelClient(
            connection_file=str(jupyter.runtime / f"kernel-{kernel_id}.json")
        )
        client.load_connection_file()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=LIMIT_S)
            running = Kernel(kernel_id, client)
            running.run(f"%deepnote use {server.new_notebook()}")
            assert running.run("1 + 1")["status"] == "ok"
            yield running
        finally:
            client.stop_channels()
            client.context.destroy(linger=0)
            http.delete(f"api/kernels/{kernel_id}")

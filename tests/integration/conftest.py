"""Embedded servers and kernels for tests: real processes, real sockets."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import queue
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jupyter_client.manager import KernelManager

from deepnote_kernel.session import local
from tests.integration.openapi import Description

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from jupyter_client.blocking.client import BlockingKernelClient

START_TIMEOUT_S = 30.0


@dataclass
class Server:
    """A running embedded server."""

    url: str
    """Its address without a version suffix, as ``DEEPNOTE_BASE_URL`` takes it."""

    token: str
    process: subprocess.Popen[bytes]

    @functools.cached_property
    def description(self) -> Description:
        """What the server says about itself."""
        return Description(httpx.get(f"{self.url}/openapi.json").raise_for_status().json())

    def client(self, **options: Any) -> httpx.Client:
        """Return an HTTP client that carries the token; relative paths start at ``url``.

        Every request it makes, and every answer it gets, must fit the server's description.
        """
        headers = {"Authorization": f"Bearer {self.token}"}
        hooks = {"response": [self.description.check]}
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=60, event_hooks=hooks, **options
        )

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
    # ipykernel does not capture file descriptors where it sees that pytest runs.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    process = subprocess.Popen([*command, *arguments], env={**inherited, **(environ or {})})
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


@pytest.fixture
def fault(server: Server) -> Iterator[Callable[..., None]]:
    """Let something fail until the test ends: ``fault(path="/v2/me", effect="status")``."""
    with server.client() as client, contextlib.ExitStack() as stack:

        def add(**settings: Any) -> None:
            answer = client.post("/faults", json=settings)
            answer.raise_for_status()
            stack.callback(client.delete, f"/faults/{answer.json()['fault']['id']}")

        yield add


@pytest.fixture(scope="session")
def _local_server() -> Iterator[None]:
    """End the server that kernels named ``deepnote-local`` have started; it would wait a minute."""
    yield
    running = local.find()
    if running is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGTERM)


@pytest.fixture(scope="module")
def _own_history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the kernels of a module a history that nothing else has written to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        yield


@dataclass
class Ran:
    """What a cell did, as its front end saw it."""

    reply: dict[str, Any]
    """Content of the ``execute_reply``."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    """The cell's messages on iopub, in order, without those that only frame it."""

    @property
    def status(self) -> str:
        """How the cell ended."""
        status: str = self.reply["status"]
        return status

    @property
    def types(self) -> list[str]:
        """The types of the messages."""
        return [message["msg_type"] for message in self.messages]

    def contents(self, msg_type: str) -> list[dict[str, Any]]:
        """Return the contents of the messages of one type."""
        return [m["content"] for m in self.messages if m["msg_type"] == msg_type]

    def text(self, name: str = "stdout") -> str:
        """Return what the cell printed."""
        return "".join(c["text"] for c in self.contents("stream") if c["name"] == name)

    @property
    def traceback(self) -> str:
        """The traceback of the reply, without its colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(self.reply["traceback"]))

    @property
    def result(self) -> str:
        """The plain text of the cell's result."""
        text: str = self.contents("execute_result")[-1]["data"]["text/plain"]
        return text


@dataclass
class Notebook:
    """A front end with one kernel."""

    manager: KernelManager
    client: BlockingKernelClient

    @property
    def pid(self) -> int:
        """The kernel's process."""
        provisioner: Any = self.manager.provisioner
        pid: int = provisioner.pid
        return pid

    def run(
        self,
        code: str,
        *,
        on_message: Callable[[dict[str, Any]], object] = lambda _message: None,
        meanwhile: Callable[[], object] = lambda: None,
        answers: Iterator[str] | None = None,
        timeout_s: float = 30.0,
        **options: Any,
    ) -> Ran:
        """Run a cell to its end.

        Args:
            code: The cell.
            on_message: Is called with each message of the cell as it arrives.
            meanwhile: Is called again and again while the cell runs.
            answers: What to type when the cell asks; ``None`` allows no questions.
            timeout_s: Seconds the cell may take.
            **options: More of an ``execute_request``.
        """
        msg_id = self.client.execute(code, allow_stdin=answers is not None, **options)
        return self.follow(
            msg_id,
            on_message=on_message,
            meanwhile=meanwhile,
            answers=answers,
            timeout_s=timeout_s,
        )

    def follow(
        self,
        msg_id: str,
        *,
        on_message: Callable[[dict[str, Any]], object] = lambda _message: None,
        meanwhile: Callable[[], object] = lambda: None,
        answers: Iterator[str] | None = None,
        timeout_s: float = 30.0,
    ) -> Ran:
        """Wait for the end of a cell that was sent already; arguments as :meth:`run`'s."""
        deadline = time.monotonic() + timeout_s
        ran = Ran({})
        is_idle = False
        while not (is_idle and ran.reply):
            assert time.monotonic() < deadline, f"no end of the cell; so far {ran.messages}"
            meanwhile()
            if answers is not None and self.client.stdin_channel.msg_ready():
                self.client.get_stdin_msg(timeout=1)
                self.client.input(next(answers))
            if not ran.reply and self.client.shell_channel.msg_ready():
                message = self.client.get_shell_msg(timeout=1)
                if message["parent_header"].get("msg_id") == msg_id:
                    ran.reply = message["content"]
            with contextlib.suppress(queue.Empty):
                message = self.client.get_iopub_msg(timeout=0.01)
                if message["parent_header"].get("msg_id") != msg_id:
                    continue
                if message["msg_type"] == "status":
                    is_idle = message["content"]["execution_state"] == "idle"
                elif message["msg_type"] != "execute_input":
                    ran.messages.append(message)
                on_message(message)
        return ran


@contextlib.contextmanager
def run_kernel(name: str, environ: dict[str, str], **options: Any) -> Iterator[Notebook]:
    """Run a kernel until the end of the block.

    Args:
        name: The kernelspec.
        environ: Environment variables on top of those of the tests.
        **options: More of :meth:`KernelManager.start_kernel`.
    """
    manager = KernelManager(kernel_name=name)
    manager.start_kernel(env={**os.environ, **environ}, **options)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=START_TIMEOUT_S)
        yield Notebook(manager, client)
    finally:
        client.stop_channels()
        if manager.has_kernel:
            manager.shutdown_kernel()
        manager.context.destroy(linger=0)


@pytest.fixture
def start_kernel() -> Iterator[Callable[..., Notebook]]:
    """Start kernels of a test's own: ``start_kernel("deepnote", server, DEEPNOTE_MODE="direct")``.

    With a server, their sessions run on it, anchored to an empty notebook of their own.
    """
    with contextlib.ExitStack() as stack:

        def start(
            name: str,
            server: Server | None = None,
            *,
            cwd: Path | None = None,
            arguments: Sequence[str] = (),
            **environ: str,
        ) -> Notebook:
            if server is not None:
                environ = {
                    "DEEPNOTE_BASE_URL": server.url,
                    "DEEPNOTE_TOKEN": server.token,
                    "DEEPNOTE_NOTEBOOK_ID": server.new_notebook(),
                    **environ,
                }
            options = {"cwd": str(cwd) if cwd else None, "extra_arguments": [*arguments]}
            return stack.enter_context(run_kernel(name, environ, **options))

        yield start


@pytest.fixture(scope="module")
def notebook(server: Server) -> Iterator[Notebook]:
    """A Deepnote kernel on the embedded server, shared by the tests of a module."""
    environ = {
        "DEEPNOTE_BASE_URL": server.url,
        "DEEPNOTE_TOKEN": server.token,
        "DEEPNOTE_NOTEBOOK_ID": server.new_notebook(),
    }
    with run_kernel("deepnote", environ) as running:
        yield running

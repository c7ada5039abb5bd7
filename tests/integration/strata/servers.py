"""Real Strata servers for tests, and applications of the tests' own, on this computer's sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import uvicorn
from uv import find_uv_bin

from deepnote_kernel.strata.calls import environment, notebooks
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.models import Notebook

START_TIMEOUT_S = 120.0


@dataclass
class StrataServer:
    """A running Strata server."""

    url: str
    python: Path
    """The interpreter it runs on; its environment has pyiceberg."""

    root: Path
    """Folder of its notebooks."""

    process: subprocess.Popen[bytes]

    def new_notebook(self, client: Client, name: str) -> Notebook:
        """Create a notebook and wait until cells can run in it."""
        notebook = client.send(notebooks.create(name, parent_path=str(self.root)))
        wait_for_job(client, notebook.session_id)
        return notebook


def wait_for_job(client: Client, session_id: str) -> None:
    """Wait until no job works on a notebook's environment."""

    def is_over() -> bool:
        job = client.send(environment.current_job(session_id)).job
        return job is None or not job.is_running

    wait_until(is_over)


@contextlib.contextmanager
def run_strata(python: Path, folder: Path, **environ: str) -> Iterator[StrataServer]:
    """Run a Strata server until the end of the block.

    Args:
        python: The interpreter of an environment that ``tests/make_strata_server.py`` has made.
        folder: A folder for all that it writes, outside of any project: empty, or that of a server
            which has ended.
        **environ: More environment variables.
    """
    root, cwd = folder / "notebooks", folder / "cwd"
    root.mkdir(exist_ok=True)
    cwd.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environ = {
        **_environ(python),
        "HOME": str(folder),
        "STRATA_PORT": str(port),
        "STRATA_NOTEBOOK_STORAGE_DIR": str(root),
        "STRATA_CACHE_DIR": str(folder / "cache"),
        "STRATA_ARTIFACT_DIR": str(folder / "artifacts"),
        "STRATA_RATE_LIMIT_ENABLED": "false",
        "STRATA_NOTEBOOK_WARM_POOL_SIZE": "0",
        **environ,
    }
    command = [python.with_name("strata-notebook")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=cwd, env=environ, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{environ['STRATA_PORT']}"
    try:
        _wait_for(url, process, folder / "log")
        yield StrataServer(url, python, root, process)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _environ(python: Path) -> dict[str, str]:
    """Return variables that let uv find the server's interpreter, and none of pyenv's shims."""
    uv = find_uv_bin()
    cache = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True)
    home = next(
        line.partition("=")[2].strip()
        for line in (python.parents[1] / "pyvenv.cfg").read_text().splitlines()
        if line.startswith("home")
    )
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("STRATA_")},
        "PATH": os.pathsep.join((str(python.parent), home, str(Path(uv).parent), "/usr/bin:/bin")),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_CACHE_DIR": cache.stdout.strip(),
    }


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/health", trust_env=False).is_success:
                return
        is_over = process.poll() is not None or time.monotonic() > deadline
        assert not is_over, f"Strata did not start: {log.read_text()}"
        time.sleep(0.1)


@contextlib.contextmanager
def serve(app: Starlette) -> Iterator[str]:
    """Serve an application in a thread until the end of the block; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()

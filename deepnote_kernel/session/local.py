"""Find the embedded server of this computer, or start it.

One server is shared by all kernels and magics of a Python environment. It is a process of its own,
so it outlives the kernel that started it, and it exits by itself when no session has existed for a
while. Kernels on it import from the environment that started it, so each environment has its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from filelock import FileLock, Timeout
from jupyter_core.paths import jupyter_runtime_dir

from deepnote_kernel.errors import SessionStartError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LocalServer", "find", "find_or_start", "runtime_file"]

_START_LIMIT_S = 30.0
_IDLE_EXIT_S = 60
_POLL_S = 0.02

if sys.platform == "win32":
    _DETACHED = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
else:
    _DETACHED = 0


class LocalServer(msgspec.Struct, frozen=True):
    """Where the embedded server listens and what it wants to see; its runtime file's content."""

    url: str
    token: str
    pid: int

    def __repr__(self) -> str:
        return f"LocalServer(url={self.url!r}, pid={self.pid})"


def runtime_file() -> Path:
    """Return where the server of this Python environment says how to reach it."""
    environment = hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]
    return Path(jupyter_runtime_dir()) / f"deepnote-local-{environment}.json"


def find() -> LocalServer | None:
    """Return the running server; ``None`` where none answers."""
    try:
        server = msgspec.json.decode(runtime_file().read_bytes(), type=LocalServer)
    except (OSError, msgspec.MsgspecError):
        return None
    return server if _is_listening(server) else None


def find_or_start() -> LocalServer:
    """Return the running server, having started one if there was none. Blocks until it answers.

    Raises:
        SessionStartError: It did not start; the message holds the last line it logged.
    """
    server = find()
    if server is not None:
        return server
    path = runtime_file()
    with _locked(path.with_suffix(".lock")):
        # Whoever held the lock before us may have started it.
        return find() or _start(path, path.with_suffix(".log"))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(path, timeout=_START_LIMIT_S):
            yield
    except Timeout:
        raise SessionStartError(
            "Another process has been starting the local server for too long.",
            f"End it, or remove {path}.",
        ) from None
    except OSError as error:
        raise SessionStartError(
            f"The local server cannot be started: {error.strerror}: {error.filename}.",
            "Make that folder writable, or set JUPYTER_RUNTIME_DIR to one that is.",
        ) from error


def _start(path: Path, log: Path) -> LocalServer:
    path.unlink(missing_ok=True)
    process = _spawn(path, log)
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        server = find()
        if server is not None:
            return server
        if process.poll() is not None:
            break
        time.sleep(_POLL_S)
    else:
        process.kill()
    raise SessionStartError(
        f"The local server did not start: {_last_line(log)}", f"Its log is {log}."
    )


def _spawn(path: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "deepnote_kernel.server", "--port", "0"]
    command += ["--runtime-file", str(path), "--exit-when-idle", str(_IDLE_EXIT_S)]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command,
            # Not the notebook's folder: it comes first on the import path, and may hold a json.py.
            cwd=path.parent,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # An interrupt typed into the kernel's terminal stays away from the server.
            start_new_session=True,
            creationflags=_DETACHED,
        )
    # Collects the exit status should the server end first, so that no zombie is left.
    threading.Thread(target=process.wait, name="deepnote-local-server", daemon=True).start()
    return process


def _environment() -> dict[str, str]:
    """Return our environment without the token, and without what ties us to our own parent."""
    return {
        name: value
        for name, value in os.environ.items()
        if name != "DEEPNOTE_TOKEN" and not name.startswith("JPY_")
    }


def _is_listening(server: LocalServer) -> bool:
    address = urlsplit(server.url)
    try:
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=1):
            return True
    except OSError:
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing.")

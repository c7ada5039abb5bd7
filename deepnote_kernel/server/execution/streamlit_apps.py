"""Streamlit apps: a process for each, in the folder of its project."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from deepnote_kernel.server.errors import BadRequestError, ConflictError, NotFoundError
from deepnote_kernel.server.execution import streamlit_run
from deepnote_kernel.server.storage import files
from deepnote_kernel.server.storage.store import StreamlitApp, new_uuid, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deepnote_kernel.server.storage.folders import Folders
    from deepnote_kernel.server.storage.store import Store

__all__ = ["AppStatus", "StreamlitApps"]

AppStatus = Literal["running", "starting", "unavailable"]

HOST = "127.0.0.1"
HEALTH_PATH = "/_stcore/health"

_HEALTH_TIMEOUT_S = 1.0
_END_TIMEOUT_S = 5.0

_OPTIONS = (
    f"--server.address={HOST}",
    "--server.baseUrlPath=",  # a project's own setting would move the health endpoint
    "--server.headless=true",
    "--browser.gatherUsageStats=false",
    "--logger.level=warning",
)


class StreamlitApps:
    """The apps of all projects, and their processes.

    An app's process starts with the app, and again where its status is asked for after the server
    was started anew.

    Args:
        store: Where apps are kept.
        folders: Holds the projects' files.
        environ: The environment that processes inherit.
    """

    def __init__(self, store: Store, folders: Folders, *, environ: Mapping[str, str]) -> None:
        self._store = store
        self._folders = folders
        self._environ = environ
        self._processes: dict[StreamlitApp, subprocess.Popen[bytes]] = {}

    def create(self, project_id: str, entrypoint: str) -> StreamlitApp:
        """Serve a file.

        Raises:
            BadRequestError: It is no Python file, or lies outside of the project.
            NotFoundError: There is no such file.
            ConflictError: It is served already; if its process has ended, by a new one from now on.
        """
        path = self._checked(project_id, entrypoint)
        found = self._store.find(StreamlitApp, project_id=project_id, entrypoint=path)
        if found:
            self._start(found[0])
            raise ConflictError("Streamlit app already exists")
        app = StreamlitApp(
            id=new_uuid(),
            project_id=project_id,
            entrypoint=path,
            port=_free_port(),
            created_at=now(),
        )
        self._store.insert(app)
        self._start(app)
        return app

    async def status(self, app: StreamlitApp) -> AppStatus:
        """Return what an app does; ``unavailable`` if its process has ended."""
        if app not in self._processes:
            self._start(app)
        is_healthy = await asyncio.to_thread(_is_healthy, app.port)
        process = self._processes.get(app)
        if process is None or process.poll() is not None:
            return "unavailable"
        return "running" if is_healthy else "starting"

    async def stop_project(self, project_id: str) -> None:
        """End the apps of a project."""
        await self._stop(*(app for app in self._processes if app.project_id == project_id))

    async def close(self) -> None:
        """End all apps."""
        await self._stop(*self._processes)

    def _checked(self, project_id: str, entrypoint: str) -> str:
        folder = self._folders.of(project_id)
        try:
            place = files.find(folder, entrypoint)
        except NotFoundError:
            raise NotFoundError("Entrypoint file not found") from None
        if place.suffix != ".py":
            raise BadRequestError("entrypoint must be a .py file")
        return PurePosixPath(entrypoint).as_posix()

    def _start(self, app: StreamlitApp) -> None:
        process = self._processes.get(app)
        if process is not None and process.poll() is None:
            return
        folder = self._folders.of(app.project_id)
        self._processes[app] = subprocess.Popen(  # noqa: S603 - the person's own file, as asked for
            [
                *(sys.executable, streamlit_run.__file__),
                *("run", str(folder / app.entrypoint), f"--server.port={app.port}", *_OPTIONS),
            ],
            cwd=folder,
            env={**self._environ, "DEEPNOTE_PROJECT_ID": app.project_id},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def _stop(self, *apps: StreamlitApp) -> None:
        processes = [self._processes.pop(app) for app in apps]
        await asyncio.gather(*(asyncio.to_thread(_end, process) for process in processes))


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101 - it was asked for
    process.stdin.close()
    try:
        process.wait(_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:  # it never came to look at its input
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def _is_healthy(port: int) -> bool:
    with contextlib.closing(HTTPConnection(HOST, port, timeout=_HEALTH_TIMEOUT_S)) as connection:
        try:
            connection.request("GET", HEALTH_PATH)
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False

"""The server as a process: its folder, its socket, its token, its start and its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import msgspec
import uvicorn
from jupyter_client.kernelspec import NoSuchKernel
from uvicorn.protocols.http.h11_impl import H11Protocol

from deepnote_kernel.errors import ConfigError
from deepnote_kernel.server.app import create_app, host_names
from deepnote_kernel.server.documents.loading import load_projects
from deepnote_kernel.server.execution.kernels import AfterTimeout, KernelFactory
from deepnote_kernel.server.execution.machines import MachineFactory
from deepnote_kernel.server.execution.runner import Runner
from deepnote_kernel.server.execution.schedules import Schedules
from deepnote_kernel.server.execution.sessions import Sessions
from deepnote_kernel.server.execution.streamlit_apps import StreamlitApps
from deepnote_kernel.server.faults import TRANSPORT, Faults
from deepnote_kernel.server.runtime_file import runtime_file
from deepnote_kernel.server.services import Limits, Services
from deepnote_kernel.server.signing import Signer
from deepnote_kernel.server.storage.folders import Folders
from deepnote_kernel.server.storage.store import DATABASE_NAME, Notebook, Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from starlette.applications import Starlette

    from deepnote_kernel.server.storage.store import Project

__all__ = ["ServerOptions", "serve"]

KEEP_ALIVE_S = 300  # a client that pauses between cells finds its connection still open
GRACE_S = 3.0  # for callers who send a request, or take its answer, slowly while the server stops

_NEXT = (
    "To use it, set DEEPNOTE_BASE_URL to that address and DEEPNOTE_TOKEN to its token. "
    "Ctrl-C stops it."
)


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line may ask for; see its help for the meaning of each."""

    host: str
    port: int
    token: str
    state: Path | None
    kernel_name: str
    execute_limit_ms: float
    after_timeout: AfterTimeout
    idle_shutdown_s: float
    max_runs: int | None
    runtime_file: Path | None
    exit_when_idle_s: float | None
    sources: list[Path]


def serve(options: ServerOptions) -> int:
    """Serve until a signal or idleness ends it; return the exit status.

    Raises:
        ConfigError: The address, the state folder, the kernelspec or a path to load cannot be used.
    """
    with contextlib.ExitStack() as stack:
        state = stack.enter_context(_state_folder(options.state))
        listener = stack.enter_context(_listener(options.host, options.port))
        asyncio.run(_serve(options, state, listener))
    return 0


async def _serve(options: ServerOptions, state: Path, listener: socket.socket) -> None:
    token = options.token or secrets.token_urlsafe(32)
    environ = _environ(token)
    kernels = _kernel_factory(options, state, environ)
    folders = Folders(state / "projects", copies=_emptied(state / "copies"))
    machines = MachineFactory(kernels, folders)
    with (
        contextlib.closing(Store(state / DATABASE_NAME)) as store,
        contextlib.ExitStack() as started,
    ):
        store.abandon()
        loaded = [p for path in options.sources for p in load_projects(store, folders, path)]
        sessions = Sessions(store, machines, idle_shutdown_s=options.idle_shutdown_s)
        runner = Runner(
            store, machines, idle_shutdown_s=options.idle_shutdown_s, max_runs=options.max_runs
        )
        schedules = Schedules(store, runner.run_scheduled)
        streamlit_apps = StreamlitApps(store, folders, environ=environ)
        services = Services(
            store=store,
            folders=folders,
            sessions=sessions,
            runner=runner,
            schedules=schedules,
            streamlit_apps=streamlit_apps,
            faults=Faults(sessions),
            signer=Signer(),
            limits=Limits(int(options.execute_limit_ms), options.after_timeout),
        )
        app = create_app(services, token=token, hosts=host_names(options.host))

        async def stop() -> None:
            await sessions.close()
            await machines.close()

        server = _Server(
            _config(app),
            on_start=lambda: started.enter_context(
                _announced(options, _url(listener), token, _listing(store, loaded))
            ),
            on_stop=stop,
        )
        tasks = [
            asyncio.create_task(_exit_when_idle(server, machines, options.exit_when_idle_s)),
            asyncio.create_task(schedules.keep()),
        ]
        try:
            await server.serve(sockets=[listener])
        finally:
            for task in tasks:
                task.cancel()
            await streamlit_apps.close()


class _Server(uvicorn.Server):
    """Ends its kernels before it waits for open requests, so that these end too."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        on_start: Callable[[], None],
        on_stop: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # No request comes in from here on, so none can start what would not be stopped.
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._on_stop()
        asyncio.get_running_loop().call_later(GRACE_S, self._hang_up)
        await super().shutdown(sockets)

    def _hang_up(self) -> None:
        for connection in self.server_state.connections:
            connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal. The base class would raise it again and so skip all that cleans up."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self.handle_exit) for number in signals]
        try:
            yield
        finally:
            for number, handler in zip(signals, before, strict=True):
                signal.signal(number, handler)


class _Protocol(H11Protocol):
    """Leaves its connection where faults can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )


def _environ(token: str) -> dict[str, str]:
    # Nothing that speaks of this server or of a Deepnote account is for user code to find.
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DEEPNOTE_", "JPY_")) and token not in value
    }


def _kernel_factory(
    options: ServerOptions, state: Path, environ: Mapping[str, str]
) -> KernelFactory:
    folder = _emptied(state / "connections")
    kernels = KernelFactory(options.kernel_name, environ=environ, connection_folder=folder)
    try:
        kernels.check()
    except NoSuchKernel:
        raise ConfigError(
            f"There is no kernel named {options.kernel_name}.",
            "`jupyter kernelspec list` shows those there are.",
        ) from None
    return kernels


@contextlib.contextmanager
def _state_folder(path: Path | None) -> Iterator[Path]:
    if path is None:
        with tempfile.TemporaryDirectory(prefix="deepnote-server-") as folder:
            yield Path(folder)
        return
    lock = filelock.FileLock(path / "server.lock", timeout=0)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise ConfigError(
            f"The state folder {path} is used by another server.", "Choose another --state."
        ) from None
    except OSError as error:
        raise ConfigError(
            f"The state folder {path} cannot be used: {error.strerror}.", "Choose another --state."
        ) from None
    try:
        yield path.resolve()
    finally:
        lock.release()


def _emptied(folder: Path) -> Path:
    """Return a folder without what a server that was killed has left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextlib.contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )[0]
        # The protocol is named because asyncio switches Nagle's algorithm off only where it is.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"Cannot listen on {host}:{port}: {reason}.", "Choose another --port or --host."
        ) from None
    with listener:
        yield listener


@contextlib.contextmanager
def _announced(options: ServerOptions, url: str, token: str, listing: list[str]) -> Iterator[None]:
    if options.runtime_file is None:
        print(f"Deepnote's API on {url}", flush=True)  # noqa: T201 - a command speaks to a person
        if not options.token:
            print(f"Token: {token}", flush=True)  # noqa: T201 - as above; printed this once
        for line in (_NEXT, *listing):
            print(line, flush=True)  # noqa: T201 - as above
        yield
        return
    with runtime_file(options.runtime_file, url=url, token=token):
        yield


def _listing(store: Store, projects: list[Project]) -> list[str]:
    """Return a line for each notebook of the projects: its id and its names."""
    return [
        f"{notebook.id}  {project.name} / {notebook.name}"
        for project in {project.id: project for project in projects}.values()
        for notebook in store.find(Notebook, project_id=project.id, source_id=None)
    ]


async def _exit_when_idle(
    server: uvicorn.Server, machines: MachineFactory, timeout_s: float | None
) -> None:
    if timeout_s is None:
        return
    while (left := timeout_s - machines.unused_s) > 0:  # noqa: ASYNC110 - a deadline that moves
        await asyncio.sleep(left)
    server.should_exit = True


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

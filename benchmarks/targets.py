"""What is measured: places to run a cell, each started when it is first needed."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

import zmq

from benchmarks.frontend import Cell, FrontEnd
from deepnote_kernel.api import Client, runs, sessions
from deepnote_kernel.config import Secret
from tests.integration.notebook import kernel_manager, open_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_client.manager import KernelManager

    from tests.integration.conftest import Server

__all__ = ["DIRECT", "IPYKERNEL", "LIVE", "POST", "ExecuteCall", "Kernel", "Target"]

IPYKERNEL, POST, LIVE, DIRECT = "ipykernel", "execute POST", "live", "direct"

SETUP = """
import os, time
from IPython.display import Image, display

def _echo(comm, message):
    comm.on_msg(lambda answer: comm.send(answer["content"]["data"]))

get_ipython().kernel.comm_manager.register_target("echo", _echo)
picture = b"\\x89PNG\\r\\n\\x1a\\n" + os.urandom(8_400_000)
"""

_COMM = "benchmark"
_RECONNECT_MS = 2
_START_TIMEOUT_MS = 60_000
_POLL_S = 0.01


class Target:
    """A place where cells run."""

    name: str

    def run(self, code: str) -> Cell:
        """Run a cell to its end."""
        raise NotImplementedError

    def run_first(self) -> float:
        """Start a new session and run a cell; return the seconds until it has ended."""
        raise NotImplementedError


class Kernel(Target):
    """A kernel in a process of its own, spoken to as a front end does.

    Args:
        name: What the table calls it.
        argv: How it is started, without the connection file.
        new_environ: Gives the environment variables for one more of its kind.
        stack: Ends what was started.
        **spec: More of its kernelspec.
    """

    def __init__(
        self,
        name: str,
        argv: list[str],
        *,
        stack: contextlib.ExitStack,
        new_environ: Callable[[], dict[str, str]] = dict,
        **spec: Any,
    ) -> None:
        self.name = name
        self._argv = argv
        self._new_environ = new_environ
        self._spec = spec
        self._stack = stack
        self._front_ends: list[FrontEnd] = []

    @property
    def front_end(self) -> FrontEnd:
        """The kernel that all measures share which do not ask for more."""
        return self.front_ends(1)[0]

    def front_ends(self, count: int) -> list[FrontEnd]:
        """Return some kernels of this kind, ready for cells."""
        while len(self._front_ends) < count:
            front_end = self._stack.enter_context(self.fresh())
            front_end.run(SETUP)
            comm = {"comm_id": _COMM, "target_name": "echo", "data": {}}
            front_end.send("comm_open", comm)
            # The first completion of a process imports jedi, and may come too late to be shown.
            while not front_end.ask("complete", {"code": "os.pa", "cursor_pos": 5})["matches"]:
                pass
            self._front_ends.append(front_end)
        return self._front_ends[:count]

    def run(self, code: str) -> Cell:
        """Run a cell on the shared kernel."""
        return self.front_end.run(code)

    def run_first(self) -> float:
        """Run the first cell of a fresh kernel."""
        with self.fresh() as front_end:
            return front_end.run("1").elapsed_s

    def echo(self, data: dict[str, Any]) -> float:
        """Send a comm message there and back; return the seconds it took."""
        return self.front_end.echo(_COMM, data)

    def start(self) -> float:
        """Start a process, end it again; return the seconds until its first reply."""
        manager = kernel_manager(self._argv, **self._spec)
        environ = {**os.environ, **self._new_environ()}
        begin = time.monotonic()
        manager.start_kernel(env=environ)
        try:
            _await_reply(manager)
            return time.monotonic() - begin
        finally:
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()

    @contextlib.contextmanager
    def fresh(self) -> Iterator[FrontEnd]:
        """Run one more kernel, which has run nothing yet, until the end of the block."""
        with open_notebook(self._argv, self._new_environ(), **self._spec) as notebook:
            yield FrontEnd(notebook)


class ExecuteCall(Target):
    """Nothing but the API client: a cell is one ``POST …/execute``.

    Args:
        name: What the table calls it.
        server: Where a notebook can be made.
        url: The address at which the client talks to that server.
        stack: Ends what was started.
    """

    def __init__(self, name: str, server: Server, url: str, stack: contextlib.ExitStack) -> None:
        self.name = name
        self._server = server
        self._client = stack.enter_context(Client(token=Secret(server.token), base_url=url))
        self._session: tuple[str, str] | None = None

    def run(self, code: str) -> Cell:
        """Run code in the one session all measures share."""
        if self._session is None:
            self._session = self._new_session()
            self._execute(self._session, SETUP)
        return self._execute(self._session, code)

    def run_first(self) -> float:
        """Start a session, await its first run and run a cell."""
        begin = time.monotonic()
        session = self._new_session()
        self._execute(session, "1")
        elapsed_s = time.monotonic() - begin
        self._client.send(sessions.stop(session[0]))
        return elapsed_s

    def _execute(self, session: tuple[str, str], code: str) -> Cell:
        session_id, notebook_id = session
        call = sessions.execute(session_id, notebook_id=notebook_id, code=code)
        begin = time.monotonic()
        outputs = self._client.send(call)
        end = time.monotonic()
        failures = [o for o in outputs if o["output_type"] == "error"]
        if failures:
            raise RuntimeError(f"the cell failed: {failures}")
        prints = [(end, "".join(o["text"])) for o in outputs if o["output_type"] == "stream"]
        return Cell("", begin, end, prints)

    def _new_session(self) -> tuple[str, str]:
        notebook_id = self._server.new_notebook()
        created = self._client.send(sessions.create(notebook_id))
        run = created.run
        while run and not run.is_finished:
            time.sleep(_POLL_S)
            run = self._client.send(runs.get(run.id))
        return created.session.id, notebook_id


def _await_reply(manager: KernelManager) -> None:
    """Ask a kernel that starts for its info until it answers."""
    # A socket of jupyter_client looks for the kernel every 100 ms, which would be what we time.
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.reconnect_ivl, socket.linger = _RECONNECT_MS, 0
        socket.connect(f"tcp://{manager.ip}:{manager.shell_port}")
        manager.session.send(socket, "kernel_info_request", {})
        if not socket.poll(_START_TIMEOUT_MS):
            raise TimeoutError("the kernel did not start")

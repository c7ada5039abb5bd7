"""A front end that sees every message the moment it comes, where one that polls would be late."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import zmq

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.notebook import Notebook

__all__ = ["JSON", "Cell", "FrontEnd", "run_together"]

JSON = dict[str, Any]

_TIMEOUT_MS = 120_000


@dataclass
class Cell:
    """A cell under way."""

    msg_id: str
    sent_at: float
    ended_at: float = 0.0
    prints: list[tuple[float, str]] = field(default_factory=list)
    """Printed text and when it came."""

    reply: JSON = field(default_factory=dict)
    is_idle: bool = False

    @property
    def elapsed_s(self) -> float:
        """Seconds from the request until reply and idle status were here."""
        return self.ended_at - self.sent_at

    @property
    def text(self) -> str:
        """All that was printed."""
        return "".join(text for _, text in self.prints)


class FrontEnd:
    """A client of one kernel.

    Args:
        notebook: The running kernel.
    """

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._session = notebook.client.session
        self.shell: Any = notebook.client.shell_channel.socket
        self.iopub: Any = notebook.client.iopub_channel.socket
        self._poller = zmq.Poller()
        for socket in (self.shell, self.iopub):
            self._poller.register(socket, zmq.POLLIN)

    @property
    def pid(self) -> int:
        """The kernel's process."""
        provisioner: Any = self._notebook.manager.provisioner
        return int(provisioner.pid)

    def send(self, msg_type: str, content: JSON) -> str:
        """Send a message on the shell channel and return its id."""
        message = self._session.send(self.shell, msg_type, content)
        return str(message["header"]["msg_id"])

    def receive(self, socket: Any = None) -> JSON:
        """Return the next message: of one socket that has one, or of the first that gets one."""
        if socket is None:
            ready = self._poller.poll(_TIMEOUT_MS)
            if not ready:
                raise TimeoutError("the kernel has fallen silent")
            socket = ready[0][0]
        _, message = self._session.recv(socket)
        return dict(message)

    def interrupt(self) -> None:
        """Press the interrupt button."""
        self._notebook.interrupt()

    # Cells

    def begin(self, code: str) -> Cell:
        """Send a cell."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        sent_at = time.monotonic()
        return Cell(self.send("execute_request", content), sent_at)

    def take(self, cell: Cell, message: JSON) -> bool:
        """Note a message that may be the cell's; return whether the cell has ended."""
        now = time.monotonic()
        if message["parent_header"].get("msg_id") != cell.msg_id:
            return False
        kind, content = message["msg_type"], message["content"]
        if kind == "execute_reply":
            cell.reply = content
        elif kind == "status":
            cell.is_idle = content["execution_state"] == "idle"
        elif kind == "stream":
            cell.prints.append((now, content["text"]))
        has_ended = bool(cell.reply) and cell.is_idle
        if has_ended:
            cell.ended_at = now
        return has_ended

    def finish(self, cell: Cell) -> Cell:
        """Wait for a cell's end."""
        while not self.take(cell, self.receive()):
            pass
        return cell

    def run(self, code: str) -> Cell:
        """Run a cell to its end, which must be a good one."""
        cell = self.finish(self.begin(code))
        if cell.reply["status"] != "ok":
            raise RuntimeError(f"the cell failed: {cell.reply}")
        return cell

    # Everything else

    def ask(self, kind: str, content: JSON) -> JSON:
        """Send a request and return its reply's content."""
        msg_id = self.send(f"{kind}_request", content)
        while True:
            message = self.receive()
            if message["parent_header"].get("msg_id") == msg_id and message["msg_type"] != "status":
                return dict(message["content"])

    def echo(self, comm_id: str, data: JSON) -> float:
        """Send a comm message; return the seconds until the far end's own came."""
        begin = time.monotonic()
        self.send("comm_msg", {"comm_id": comm_id, "data": data})
        while True:
            message = self.receive()
            if message["msg_type"] == "comm_msg" and message["content"]["data"] == data:
                return time.monotonic() - begin


def run_together(front_ends: Sequence[FrontEnd], code: str, count: int) -> float:
    """Let each kernel run a cell again and again, all at once; return the seconds it took."""
    poller = zmq.Poller()
    owners = {socket: end for end in front_ends for socket in (end.shell, end.iopub)}
    for socket in owners:
        poller.register(socket, zmq.POLLIN)
    begin = time.monotonic()
    cells = {end: end.begin(code) for end in front_ends}
    left = dict.fromkeys(front_ends, count)
    while any(left.values()):
        ready = poller.poll(_TIMEOUT_MS)
        if not ready:
            raise TimeoutError("the kernels have fallen silent")
        for socket, _ in ready:
            end = owners[socket]
            if end.take(cells[end], end.receive(socket)):
                left[end] -= 1
                if left[end]:
                    cells[end] = end.begin(code)
    return time.monotonic() - begin

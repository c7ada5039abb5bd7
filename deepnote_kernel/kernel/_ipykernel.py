"""The one place that touches what ipykernel does not offer for overriding.

Everything below :class:`KernelBase` speaks in terms of this class. ipykernel is typed in name only,
so this is also the only module that silences the type checker about it. Checked against ipykernel
7.0 and 7.4 (November 2026).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import zmq
from ipykernel.ipkernel import IPythonKernel

if TYPE_CHECKING:
    from types import FrameType

    from deepnote_kernel.outputs import JSON

__all__ = ["COMM_MESSAGES", "KernelBase", "Request"]

_STDIN_POLL_S = 0.02

_BESIDE_A_CELL = frozenset(
    {
        "comm_info_request",
        "complete_request",
        "history_request",
        "inspect_request",
        "is_complete_request",
        "kernel_info_request",
    }
)
COMM_MESSAGES = frozenset({"comm_open", "comm_msg", "comm_close"})


class Request(NamedTuple):
    """The message a cell came with: outputs name it as their parent, prompts go back to it."""

    message: JSON
    ident: bytes

    @property
    def id(self) -> str:
        """The ``msg_id`` of the request."""
        msg_id: str = self.message["header"]["msg_id"]
        return msg_id


class KernelBase(IPythonKernel):
    """An IPython kernel that serves other requests while a cell runs elsewhere."""

    # ipykernel sleeps before each reply, lest output that was just flushed come after it. What we
    # publish is not buffered, so the wait is dropped.
    _execute_sleep = 0.0

    greeting = ""
    """What a console shows first; ipykernel's ``banner`` is now an attribute, now a property."""

    if TYPE_CHECKING:
        # Optional in ipykernel, for kernels that have none; this one always has them.
        session: Any
        shell: Any
        # ipykernel calls it an object; it is a comm manager.
        comm_manager: Any

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._handled_message: JSON = {}
        # It warns of every comm that it does not know, and those of the far side it never does.
        logging.getLogger("Comm").setLevel(logging.ERROR)
        # Subshells would run cells in threads, of which a session has no notion: not offered.
        for verb in ("create", "delete", "list"):
            self.control_handlers.pop(f"{verb}_subshell_request", None)

    @property
    def kernel_info(self) -> JSON:
        """The content of a ``kernel_info_reply``, without features that this kernel has not got."""
        info: JSON = super().kernel_info
        absent = {"kernel subshells", "debugger"}
        info["supported_features"] = [x for x in info["supported_features"] if x not in absent]
        return info

    @property
    def banner(self) -> str:  # type: ignore[override]
        """What a console shows first."""
        return self.greeting

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that serves the shell channel."""
        loop: asyncio.AbstractEventLoop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        return loop

    # Life cycle

    def start(self) -> None:
        """Begin to serve; called by the kernel application after everything is set up."""
        super().start()  # type: ignore[no-untyped-call]
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._on_sigint)
            signal.signal(signal.SIGTERM, self._on_sigterm)

    # ipykernel lets SIGINT raise anywhere while a message is handled, the event loop included, and
    # ignores it otherwise. One handler that knows what runs does for both.
    def pre_handler_hook(self) -> None:
        """Leave the signal handler alone before a message is handled."""

    def post_handler_hook(self) -> None:
        """Leave the signal handler alone after a message was handled."""

    def _on_sigint(self, signum: int, frame: FrameType | None) -> None:
        if self.runs_local_code():
            signal.default_int_handler(signum, frame)
        # In a thread: the code the signal came between may hold a lock.
        threading.Thread(target=self.interrupt, name="deepnote-interrupt", daemon=True).start()

    def _on_sigterm(self, signum: int, _frame: FrameType | None) -> None:
        # In a thread as well, and bounded.
        closer = threading.Thread(target=self.close_session, name="deepnote-close", daemon=True)
        closer.start()
        closer.join(timeout=2.2)
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)

    def close_session(self) -> None:
        """Stop the session before the process ends; called once, in any thread."""

    # Running code

    def runs_local_code(self) -> bool:
        """Whether the main thread runs code of the person's, which SIGINT should reach."""
        return False

    def interrupt(self) -> None:
        """Interrupt what runs elsewhere; called in any thread, and not to block."""

    async def interrupt_request(self, stream: Any, ident: Any, parent: JSON) -> None:
        """Interrupt what runs, here or elsewhere, on every system, and do not wait for its end.

        ipykernel's own handler does nothing on Windows and knows of no code but its own.
        """
        if not self.runs_local_code():
            self.interrupt()
        elif os.name == "nt":
            signal.raise_signal(signal.SIGINT)
        else:
            self._send_interrupt_children()  # type: ignore[no-untyped-call]
            # A cell that awaits is cancelled from the loop, which the signal does not wake.
            self.loop.call_soon_threadsafe(bool)
        self.session.send(stream, "interrupt_reply", {"status": "ok"}, parent, ident=ident)

    # VS Code calls these two from a thread and expects an answer, not an awaitable.
    def do_complete(self, code: str, cursor_pos: int | None) -> JSON:  # type: ignore[override]
        """Complete a name; called in any thread."""
        return self.complete(code, len(code) if cursor_pos is None else cursor_pos)

    def do_inspect(  # type: ignore[override]
        self, code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Any = ()
    ) -> JSON:
        """Describe a name; called in any thread."""
        return self.inspect(code, cursor_pos, detail_level, omit_sections)

    def complete(self, code: str, cursor_pos: int) -> JSON:
        """Return the content of a ``complete_reply``; called in any thread."""
        raise NotImplementedError

    def inspect(self, code: str, cursor_pos: int, detail_level: int, omit_sections: Any) -> JSON:
        """Return the content of an ``inspect_reply``; called in any thread."""
        raise NotImplementedError

    async def execute_locally(self, code: str, **options: Any) -> JSON:
        """Run code in this process, as ipykernel runs a cell."""
        reply: JSON = await super().do_execute(code, **options)  # type: ignore[no-untyped-call]
        return reply

    def complete_locally(self, code: str, cursor_pos: int | None) -> JSON:
        """Complete names of this process."""
        reply: JSON = super().do_complete(code, cursor_pos)  # type: ignore[no-untyped-call]
        return reply

    def inspect_locally(
        self, code: str, cursor_pos: int, detail_level: int, omit_sections: Any
    ) -> JSON:
        """Describe a name of this process."""
        reply: JSON = super().do_inspect(  # type: ignore[no-untyped-call]
            code, cursor_pos, detail_level, omit_sections
        )
        return reply

    # Messages

    def set_parent(self, ident: Any, parent: JSON, channel: str = "shell") -> None:
        """Note which message is handled; ipykernel keeps that where other tasks may not see it."""
        super().set_parent(ident, parent, channel)  # type: ignore[no-untyped-call]
        if channel == "shell":
            self._handled_message = parent

    def request(self) -> Request:
        """Return the message now being handled."""
        message = self.get_parent("shell")  # type: ignore[no-untyped-call]
        return Request(message, self._parent_ident["shell"])

    def publish(
        self,
        msg_type: str,
        content: JSON,
        *,
        parent: JSON,
        metadata: JSON | None = None,
        buffers: list[bytes] | None = None,
    ) -> None:
        """Send a message on iopub.

        Args:
            msg_type: Its type.
            content: Its content.
            parent: The message, or header, that caused it.
            metadata: Its metadata.
            buffers: Its binary parts.
        """
        self.session.send(
            self.iopub_socket,
            msg_type,
            content,
            parent=parent,
            ident=self._topic(msg_type),  # type: ignore[no-untyped-call]
            metadata=metadata,
            buffers=buffers,
        )

    async def ask(self, prompt: str, *, password: bool, request: Request) -> str:
        """Ask the person for a line, and wait for it without blocking the loop.

        ``raw_input`` of ipykernel blocks: no output and no message would get through meanwhile.

        Args:
            prompt: What to show before the line.
            password: Whether the line must not be shown.
            request: The request of the cell that asks.
        """
        while self.stdin_socket.poll(0):  # answers to questions that were given up
            self.stdin_socket.recv_multipart(zmq.NOBLOCK)
        content = {"prompt": prompt, "password": password}
        self.session.send(
            self.stdin_socket, "input_request", content, request.message, ident=request.ident
        )
        while True:
            if self.stdin_socket.poll(0):
                _, reply = self.session.recv(self.stdin_socket)
                if reply is not None:
                    return str(reply["content"].get("value", ""))
            await asyncio.sleep(_STDIN_POLL_S)

    # ipykernel hands one shell message after the other to its handler, so a completion would wait
    # for the cell to end. (7.4 lets comm messages pass, but tells nobody when they are done, which
    # ipywidgets waits for.)
    async def shell_main(self, subshell_id: str | None, msg: Any) -> None:
        """Handle a shell message; beside a running cell those that do not disturb it."""
        if not (self._main_asyncio_lock.locked() and await self._handle_beside_cell(msg)):
            await super().shell_main(subshell_id, msg)

    async def _handle_beside_cell(self, msg: Any) -> bool:
        if len(msg) == 1:  # ipykernel's own "stop aborting"
            return False
        ident, frames = self.session.feed_identities(msg, copy=False)
        try:
            peek = self.session.deserialize(frames, content=False, copy=False)
            if peek["msg_type"] in COMM_MESSAGES:
                peek["content"] = self.session.unpack(peek["content"])
            elif peek["msg_type"] not in _BESIDE_A_CELL:
                return False
            if peek["msg_type"] in COMM_MESSAGES and not self.has_remote_comm(peek):
                return False
            message = self.session.deserialize(frames, copy=False)
        except (TypeError, ValueError):
            return False  # not a message: ipykernel says so in the log
        await self._handle(ident, message)
        return True

    async def _handle(self, ident: Any, message: JSON) -> None:
        """Handle a message without becoming its child: the cell's output stays the cell's."""
        cell = self._handled_message
        stream = self.shell_stream
        if self.shell_channel_thread is not None:
            manager = self.shell_channel_thread.manager
            stream = manager.get_subshell_to_shell_channel_socket(None)
        self.publish("status", {"execution_state": "busy"}, parent=message)
        try:
            await self.shell_handlers[message["msg_type"]](stream, ident, message)
        except Exception:
            self.log.exception("A %s could not be handled", message["msg_type"])
        self.publish("status", {"execution_state": "idle"}, parent=message)
        # A front end shows the latest status, whosever it is.
        if self._main_asyncio_lock.locked():
            self.publish("status", {"execution_state": "busy"}, parent=cell)

    def has_remote_comm(self, message: JSON) -> bool:
        """Whether a comm message is for the far side."""
        raise NotImplementedError

    # ipykernel's handlers of these two would block the loop.
    async def complete_request(self, stream: Any, ident: Any, parent: JSON) -> None:
        """Answer a completion request without blocking the loop."""
        content = parent["content"]
        reply = await asyncio.to_thread(self.do_complete, content["code"], content["cursor_pos"])
        self._reply(stream, "complete_reply", reply, parent, ident)

    async def inspect_request(self, stream: Any, ident: Any, parent: JSON) -> None:
        """Answer an inspection request without blocking the loop."""
        content = parent["content"]
        reply = await asyncio.to_thread(
            self.do_inspect,
            content["code"],
            content["cursor_pos"],
            content.get("detail_level", 0),
            set(content.get("omit_sections", [])),
        )
        self._reply(stream, "inspect_reply", reply, parent, ident)

    async def comm_info_request(self, stream: Any, ident: Any, parent: JSON) -> None:
        """Answer a request for the open comms with those of both sides."""
        comms = await self.do_comm_info(parent["content"].get("target_name") or "")
        self._reply(stream, "comm_info_reply", {"status": "ok", "comms": comms}, parent, ident)

    async def do_comm_info(self, target_name: str) -> JSON:
        """Return the open comms by id; ipykernel has no such method to override."""
        return {
            comm_id: {"target_name": comm.target_name}
            for comm_id, comm in self.comm_manager.comms.items()
            if target_name in {"", comm.target_name}
        }

    def _reply(self, stream: Any, msg_type: str, content: JSON, parent: JSON, ident: Any) -> None:
        self.session.send(stream, msg_type, content, parent, ident)

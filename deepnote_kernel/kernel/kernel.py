"""The kernel: what each request of a front end comes to."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Bool, Enum, Float, Integer, List, Unicode

from deepnote_kernel._version import __version__
from deepnote_kernel.errors import ConfigError, UnsupportedError
from deepnote_kernel.kernel import completion
from deepnote_kernel.kernel._ipykernel import COMM_MESSAGES, KernelBase
from deepnote_kernel.kernel.cells import LocalPart, split
from deepnote_kernel.kernel.comms import Comms
from deepnote_kernel.kernel.failures import error_content, error_reply
from deepnote_kernel.kernel.housekeeping import Kind, classify, without_thread
from deepnote_kernel.kernel.parents import Parents

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deepnote_kernel.kernel.remote_cell import RemoteCell
    from deepnote_kernel.outputs import JSON, Message
    from deepnote_kernel.session.remote import Remote

__all__ = ["DeepnoteKernel"]

_ANSWER_S = 0.8
"""JupyterLab drops a completion that takes a second."""

_WARM_UP_AFTER_S = 1.0


class DeepnoteKernel(KernelBase):
    """Runs the person's cells in a remote session; everything else is answered here.

    The session starts with the first cell. ``%deepnote`` lines, ``%%local`` cells and an editor's
    own code run in this process and start nothing.
    """

    system: ClassVar[str] = "Deepnote"
    """Where cells run, for people to read."""

    magic: ClassVar[str] = "deepnote"
    """The magic whose session this kernel's is."""

    warm_up: ClassVar[tuple[str, ...]] = (
        "deepnote_kernel.session.keeper",
        "deepnote_kernel.session.lifecycle",
    )
    """Modules that the first cell needs."""

    implementation = "deepnote-kernel"
    implementation_version = __version__
    greeting = f"Deepnote kernel {__version__}. Cells run remotely; %deepnote help tells more."
    help_links = List(
        [
            {"text": "Deepnote", "url": "https://deepnote.com/docs"},
            {"text": "Python", "url": "https://docs.python.org/3"},
            {"text": "IPython", "url": "https://ipython.readthedocs.io/en/stable/"},
            {"text": "pandas", "url": "https://pandas.pydata.org/docs/"},
        ]
    ).tag(config=True)

    base_url = Unicode(
        None, allow_none=True, help="The API's address, or 'local' for a server on this computer."
    ).tag(config=True)
    notebook_id = Unicode(
        None, allow_none=True, help="The Deepnote notebook a session is anchored to."
    ).tag(config=True)
    project_id = Unicode(
        None, allow_none=True, help="The project a scratch notebook is made in."
    ).tag(config=True)
    mode = Enum(
        ["live", "direct"], None, allow_none=True, help="How cells run: 'live' or 'direct'."
    ).tag(config=True)
    storage_mode = Enum(
        ["read_write", "readonly"],
        None,
        allow_none=True,
        help="Whether cells may write to project storage.",
    ).tag(config=True)
    idle_shutdown_s = Integer(
        None, allow_none=True, help="Seconds of idleness after which Deepnote ends the session."
    ).tag(config=True)
    share_session = Bool(
        None,
        allow_none=True,
        help="Whether to join the session of another notebook of the project.",
    ).tag(config=True)
    calls_per_minute = Integer(
        None, allow_none=True, help="Calls a minute a running cell may use, on average."
    ).tag(config=True)
    start_timeout_s = Float(
        None, allow_none=True, help="Seconds a session may take to become ready."
    ).tag(config=True)
    stream_rate = Integer(
        800_000,
        help="Bytes of printed text passed on a second, on average over three; 0 for no limit.",
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parents = Parents()
        self._remote: Remote | None = None
        self._remote_guard = threading.Lock()
        self._remote_cell: RemoteCell | None = None
        self._is_local_code_running = False
        self._comms = Comms(self, {name: self.shell_handlers[name] for name in COMM_MESSAGES})
        self.shell_handlers.update(dict.fromkeys(COMM_MESSAGES, self._comms.handle))
        # Jedi reads %deepnote as Python, and offers keywords after it.
        self.shell.Completer.use_jedi = False
        self.shell.input_transformers_cleanup.append(LocalPart(self.magic))
        self.shell.extension_manager.load_extension("deepnote_magics")

    def start(self) -> None:
        """Begin to serve, and once that is under way import what the first cell will need."""
        super().start()
        self.loop.call_later(_WARM_UP_AFTER_S, _warm_up, self.warm_up)

    # The session

    @property
    def remote(self) -> Remote:
        """The session's façade, shared with the magics; nothing starts by asking for it.

        Raises:
            ConfigError: An environment variable or an option of the kernel cannot be read.
        """
        with self._remote_guard:
            if self._remote is None:
                self._remote = self.new_remote()
                self._remote.on_message = self._on_message
            return self._remote

    @property
    def is_running(self) -> bool:
        """Whether a session runs."""
        return self._remote is not None and self._remote.session is not None

    def new_remote(self) -> Remote:
        """Return the façade of a session; called once, when it is first asked for."""
        from deepnote_kernel.config import Settings  # noqa: PLC0415 - not needed to start
        from deepnote_kernel.session.remote import Remote  # noqa: PLC0415 - as above

        options = self.options(Settings.__struct_fields__)
        settings = Settings.from_env(os.environ, document=self.document or None, **options)
        return Remote(settings, owner=self.owner)

    def options(self, names: Iterable[str]) -> JSON:
        """Return the values of those of this kernel's options that have one of these names."""
        return {name: getattr(self, name) for name in {*names} & {*self.trait_names(config=True)}}

    @property
    def document(self) -> str:
        """The path of the notebook, as Jupyter's server or VS Code tells it; or empty."""
        told = os.environ.get("JPY_SESSION_NAME") or self.shell.user_ns.get("__vsc_ipynb_file__")
        return str(told or "")

    @property
    def owner(self) -> str:
        """What this kernel's sessions are recorded under: the name of its connection file."""
        return Path(getattr(self.parent, "connection_file", "") or "").name

    def _on_message(self, message: Message) -> None:
        """Take what arrives while no cell runs; called in the session's thread."""
        self.loop.call_soon_threadsafe(self.show, message, message.content, message.parent)

    def show(self, message: Message, content: JSON, parent_id: str) -> None:
        """Publish a message of the far side.

        Args:
            message: The message.
            content: The content to publish in place of its own.
            parent_id: Id of the cell or comm message that caused it.
        """
        self.publish(
            message.msg_type,
            content,
            parent=self.parents.header(parent_id),
            metadata=message.metadata,
            buffers=message.buffers,
        )

    def close_session(self) -> None:
        """Stop the session before the process ends."""
        with suppress(ConfigError):
            self.remote.close()

    async def do_shutdown(self, restart: bool) -> JSON:  # noqa: FBT001 - ipykernel's signature
        """Stop the session, or leave it to the next process, which finds an empty namespace."""
        self.shell.exit_now = True
        with suppress(ConfigError):
            remote = self.remote
            await remote.wait(partial(remote.close, will_restart=restart))
        return {"status": "ok", "restart": restart}

    # Cells

    async def do_execute(  # noqa: PLR0913 - ipykernel's signature
        self,
        code: str,
        silent: bool,  # noqa: FBT001 - as above
        store_history: bool = True,  # noqa: FBT001, FBT002 - as above
        user_expressions: dict[str, str] | None = None,
        allow_stdin: bool = False,  # noqa: FBT001, FBT002 - as above
        *,
        cell_meta: JSON | None = None,
        cell_id: str | None = None,
    ) -> JSON:
        """Run a cell where it belongs and return the content of its ``execute_reply``."""
        options = {
            "silent": silent,
            "store_history": store_history,
            "user_expressions": user_expressions,
            "allow_stdin": allow_stdin,
            "cell_meta": cell_meta,
            "cell_id": cell_id,
        }
        self.parents.remember(self.request().message)
        kind = self._kind(code, silent=silent, store_history=store_history)
        if kind is Kind.REFUSED:
            return self._refuse()
        if kind is Kind.LOCAL or (kind is Kind.REMOTE_IF_RUNNING and not self.is_running):
            return await self._run_here(code, options)
        return await self._run_cell(code if kind is Kind.CELL else without_thread(code), options)

    async def _run_cell(self, code: str, options: JSON) -> JSON:
        """Run the parts of a cell where they belong, under one number."""
        here, there = split(code, self.magic)
        count = self.shell.execution_count
        reply: JSON = {"status": "ok"}
        if here:
            unasked = {"user_expressions": None} if there else {}
            reply = await self._run_here(code, {**options, **unasked})
            # What it printed is buffered; what comes next from the far side is not.
            sys.stdout.flush()
            sys.stderr.flush()
        elif options["store_history"] and not options["silent"]:
            self.shell.history_manager.store_inputs(count, code)
            self.shell.execution_count = count + 1
        if there and reply["status"] == "ok":
            reply = await self._run_there(there, options, execution_count=count, is_alone=not here)
        if _asks_to_exit(reply):
            self.close_session()
            self.shell.exit_now = True
        # As ipykernel has it: a cell that leaves no trace in the history names the one before.
        return {**reply, "execution_count": self.shell.execution_count - 1}

    def _kind(self, code: str, *, silent: bool, store_history: bool) -> Kind:
        content = self.request().message.get("content", {})
        stop_on_error = content.get("stop_on_error", True)
        return classify(
            code, silent=silent, store_history=store_history, stop_on_error=stop_on_error
        )

    async def _run_here(self, code: str, options: JSON) -> JSON:
        self._is_local_code_running = True
        try:
            return await self.execute_locally(code, **options)
        finally:
            self._is_local_code_running = False

    async def _run_there(
        self, code: str, options: JSON, *, execution_count: int, is_alone: bool
    ) -> JSON:
        from deepnote_kernel.kernel.remote_cell import RemoteCell  # noqa: PLC0415 - with msgspec
        from deepnote_kernel.session.protocol import Cell  # noqa: PLC0415 - as above

        request = self.request()
        try:
            remote = self.remote
        except ConfigError as error:
            return self._fail(error, execution_count=execution_count)
        cell = Cell(
            id=request.id,
            code=code,
            execution_count=execution_count,
            silent=options["silent"],
            store_history=options["store_history"],
            allow_stdin=options["allow_stdin"],
            user_expressions=options["user_expressions"] or {},
            metadata=options["cell_meta"] or {},
        )
        self._remote_cell = RemoteCell(self, remote, cell, request, is_alone=is_alone)
        try:
            return await self._remote_cell.run()
        finally:
            self._remote_cell = None

    def _refuse(self) -> JSON:
        error = UnsupportedError(f"The {self.system} kernel has no debugger.", "Use print.")
        content = error_content(error)
        return error_reply(content, execution_count=self.shell.execution_count)

    def _fail(self, error: Exception, *, execution_count: int) -> JSON:
        content = error_content(error)
        self.publish("error", content, parent=self.request().message)
        return error_reply(content, execution_count=execution_count)

    def runs_local_code(self) -> bool:
        """Whether the main thread runs code of the person's."""
        return self._is_local_code_running

    def interrupt(self) -> None:
        """Interrupt the remote cell, or a widget's callback, if one runs."""
        running = self._remote_cell
        if running is not None:
            running.interrupt()
        elif self._remote is not None and self.is_running:
            self._remote.interrupt_soon()

    # Questions

    def complete(self, code: str, cursor_pos: int) -> JSON:
        """Complete a name: with the session's names if one runs, else with those that are sure."""
        if completion.is_local(code, cursor_pos):
            return self.complete_locally(code, cursor_pos)
        ours = completion.offline(code, cursor_pos, self._magics())
        if self._remote is None or not self.is_running:
            return ours
        theirs = self._remote.complete(code, cursor_pos, timeout_s=_ANSWER_S)
        return completion.merge(theirs, ours)

    def inspect(self, code: str, cursor_pos: int, detail_level: int, omit_sections: Any) -> JSON:
        """Describe a name: from the session if one runs, else if it is the same everywhere."""
        here = completion.is_local(code, cursor_pos)
        if self._remote is not None and self.is_running and not here:
            return self._remote.inspect(code, cursor_pos, detail_level, timeout_s=_ANSWER_S)
        if here or completion.is_known(code, cursor_pos):
            return self.inspect_locally(code, cursor_pos, detail_level, omit_sections)
        return {"status": "ok", "found": False, "data": {}, "metadata": {}}

    def _magics(self) -> list[str]:
        magics = self.shell.magics_manager.lsmagic()
        return [*(f"%{name}" for name in magics["line"]), *(f"%%{name}" for name in magics["cell"])]

    async def do_debug_request(self, msg: JSON) -> JSON:
        """Say that there is no debugger."""
        return {
            "type": "response",
            "seq": msg.get("seq", 0),
            "request_seq": msg.get("seq", 0),
            "command": msg.get("command", ""),
            "success": False,
            "message": f"The {self.system} kernel has no debugger.",
        }

    # Comms

    @property
    def local_comms(self) -> JSON:
        """Comms that code in this process has opened or answers, by id."""
        comms: JSON = self.comm_manager.comms
        return comms

    def has_remote_comm(self, message: JSON) -> bool:
        """Whether a comm message is for the far side."""
        return self._comms.is_remote(message)

    async def do_comm_info(self, target_name: str) -> JSON:
        """Return the open comms of both sides by id."""
        return {
            **await self._comms.open_comms(target_name),
            **await super().do_comm_info(target_name),
        }


def _asks_to_exit(reply: JSON) -> bool:
    """Tell whether a cell has called ``exit``, here or on the far side."""
    payload = reply.get("payload") or []
    return any(p["source"] == "ask_exit" and not p.get("keepkernel") for p in payload)


def _warm_up(modules: Iterable[str]) -> None:
    """Import modules in a thread; the person is still reading their notebook."""
    threading.Thread(
        target=lambda: [*map(import_module, modules)], name="deepnote-warm-up", daemon=True
    ).start()

"""``%deepnote`` and ``%%deepnote``."""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import uuid
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from deepnote_kernel.errors import ConfigError, SessionError
from deepnote_magics import _grammar
from deepnote_magics._showing import Progress, remote_error, show
from deepnote_magics._views import SessionsView, StatusView

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Generator, Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from deepnote_kernel.session.protocol import Event, InputRequest
    from deepnote_kernel.session.remote import Remote

__all__ = ["DeepnoteMagics"]


@magics_class
class DeepnoteMagics(Magics):
    """The magics; in a Deepnote kernel they share its session, elsewhere they have their own."""

    shell: Any

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._own_remote: Remote | None = None

    @property
    def is_in_deepnote_kernel(self) -> bool:
        """Whether cells run remotely without being asked to."""
        return hasattr(type(getattr(self.shell, "kernel", None)), "remote")

    @property
    def remote(self) -> Remote:
        """The session's façade; made from the environment where no kernel of ours has one."""
        if self.is_in_deepnote_kernel:
            remote: Remote = self.shell.kernel.remote
            return remote
        if self._own_remote is None:
            from deepnote_kernel.config import Settings  # noqa: PLC0415 - heavy, and maybe unused
            from deepnote_kernel.session.remote import Remote  # noqa: PLC0415 - as above

            self._own_remote = Remote(Settings.from_env(os.environ))
        return self._own_remote

    def close(self) -> None:
        """Stop a session that was started here."""
        if self._own_remote is not None:
            self._own_remote.close()
            self._own_remote = None

    @no_var_expand
    @line_cell_magic
    def deepnote(self, line: str, cell: str | None = None) -> object:
        """Run cells on Deepnote.

        ::

            %deepnote start NOTEBOOK   start a session; this runs the notebook
            %deepnote start --scratch  start one with an empty notebook
            %deepnote status           where cells run, and what that place is doing
            %deepnote interrupt        interrupt the cell that runs
            %deepnote restart          give the session an empty namespace
            %deepnote stop             end the session and its machine
            %deepnote sessions         sessions started from this computer that still run
            %deepnote attach SESSION   take one of those over
            %deepnote use NOTEBOOK     choose where the next session runs
            %deepnote help [VERB]      more about these

            %%deepnote                 run this cell remotely

        ``DEEPNOTE_TOKEN`` must hold an API key of your workspace.
        """
        if cell is not None:
            self._run_cell(line, cell)
            return None
        try:
            arguments = _grammar.parse(_words(line))
        except _grammar.HelpShown:
            return None
        shown: object = getattr(self, f"_{arguments.verb}")(arguments)
        return shown

    def add_completer(self) -> None:
        """Let IPython's completer ask us about lines that begin with ``%deepnote``."""
        self.shell.set_hook("complete_command", self.complete, str_key="%deepnote")

    def complete(self, _shell: InteractiveShell, event: Any) -> list[str]:
        """Complete what follows ``%deepnote``; called by IPython's completer."""
        words = event.text_until_cursor.split()[1:]
        if event.text_until_cursor[-1:].strip():
            words = words[:-1]
        return _grammar.complete(words)

    # Cells

    def _run_cell(self, line: str, code: str) -> None:
        from deepnote_kernel.session.protocol import Cell  # noqa: PLC0415 - needs msgspec

        if line.strip():
            raise ConfigError("%%deepnote takes no options.", "Set them with %deepnote use.")
        progress = Progress(self.shell)
        cell = Cell(id=uuid.uuid4().hex, code=code, allow_stdin=True)
        self._show_all(self.remote.events(cell, progress), progress)

    def _show_all(self, events: Generator[Event, None, None], progress: Progress) -> None:
        # Closed at once, come what may: that is what interrupts a cell nobody waits for.
        with contextlib.closing(events):
            for event in events:
                progress.settle()
                try:
                    self._show(event)
                except KeyboardInterrupt:
                    # Meant for the cell, but came while one of its outputs was shown.
                    self.remote.interrupt()

    def _show(self, event: Event) -> None:
        from deepnote_kernel.session.protocol import InputRequest, Reply  # noqa: PLC0415 - msgspec

        if isinstance(event, Reply):
            if event.content["status"] == "error":
                raise remote_error(event.content)
        elif isinstance(event, InputRequest):
            self._answer(event)
        else:
            show(self.shell, event)

    def _answer(self, question: InputRequest) -> None:
        ask = getpass.getpass if question.password else input
        self.remote.answer(ask(question.prompt))

    @contextlib.contextmanager
    def _progress(self) -> Iterator[Progress]:
        """Show how far a start is, and settle that when it is over."""
        progress = Progress(self.shell)
        try:
            yield progress
        finally:
            progress.settle(is_ready=self.remote.session is not None)

    # Verbs

    def _start(self, arguments: Namespace) -> None:
        changes = _changes(arguments)
        if self.remote.session is not None and changes:
            raise SessionError(
                f"The session {self.remote.session.session_id} runs already.",
                "End it with %deepnote stop, then start the other.",
            )
        self.remote.use(**changes)
        with self._progress() as progress:
            session = self.remote.start(progress)
        print(f"Session {session.session_id} is ready.")

    def _use(self, arguments: Namespace) -> None:
        settings = self.remote.use(**_changes(arguments))
        notebook = settings.notebook_id or "not chosen yet"
        print(f"Next session: notebook {notebook}, {settings.mode}, {settings.base_url}.")

    def _attach(self, arguments: Namespace) -> None:
        session_id = arguments.session_id or self._only_session()
        with self._progress() as progress:
            session = self.remote.attach(session_id, progress)
        print(f"Attached to session {session.session_id}.")
        if session.has_left_cell:
            self._show_all(self.remote.follow(), progress)

    def _only_session(self) -> str:
        """Return the session that can only be meant."""
        records = [record for record in self.remote.sessions() if not record.is_pending]
        if len(records) != 1:
            raise ConfigError(
                f"{len(records) or 'No'} sessions started from this computer are running.",
                "See %deepnote sessions, and name one." if records else "Run %deepnote start.",
            )
        return records[0].id

    def _status(self, _arguments: Namespace) -> StatusView:
        return StatusView(self.remote.status())

    def _interrupt(self, _arguments: Namespace) -> None:
        self.remote.interrupt()

    def _restart(self, _arguments: Namespace) -> None:
        if self.remote.session is None:
            raise SessionError("No session runs.", "Start one with %deepnote start.")
        with self._progress() as progress:
            self.remote.restart(progress)
        print("The session has restarted; its variables are gone.")

    def _stop(self, arguments: Namespace) -> None:
        if arguments.all:
            stopped = self.remote.stop_all()
            print(f"Stopped {len(stopped)} session{'' if len(stopped) == 1 else 's'}.")
        elif arguments.session_id:
            self.remote.stop_recorded(arguments.session_id)
            print(f"Stopped session {arguments.session_id}.")
        elif self.remote.session is None:
            print("No session runs.")
        else:
            self.remote.stop()
            print("The session has been stopped; its variables are gone.")

    def _sessions(self, _arguments: Namespace) -> SessionsView | None:
        records = self.remote.sessions()
        if not records:
            print("No session started from this computer is running.")
            return None
        return SessionsView(records)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise ConfigError(f"{error}.", "Close the quotation marks.") from None


def _changes(arguments: Namespace) -> dict[str, Any]:
    changes = vars(arguments).copy()
    del changes["verb"]
    if changes.pop("scratch"):
        from deepnote_kernel.config import SCRATCH  # noqa: PLC0415 - needs msgspec

        changes["notebook_id"] = SCRATCH
    return {name: value for name, value in changes.items() if value is not None}

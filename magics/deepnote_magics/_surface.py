"""Where the person of a magic sits: IPython, in a notebook or a terminal."""

from __future__ import annotations

import contextlib
import getpass
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.core.error import StdinNotImplementedError

from deepnote_kernel.commands.context import SESSION, START
from deepnote_kernel.commands.watching import watch_in_terminal
from deepnote_kernel.errors import ConfigError
from deepnote_magics._progress import SessionTask, TerminalTask, WorkTask
from deepnote_magics._watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from deepnote_kernel.commands.context import Task
    from deepnote_kernel.outputs import JSON, Message
    from deepnote_kernel.session.protocol import Event, InputRequest
    from deepnote_kernel.session.remote import Remote

__all__ = ["IPythonSurface", "RemoteError", "remote_error"]


class RemoteError(Exception):
    """An exception raised on the far side, shown with the traceback it has there."""

    def __init__(self, evalue: str, traceback: list[str]) -> None:
        super().__init__(evalue)
        self.traceback = traceback

    def _render_traceback_(self) -> list[str]:
        return self.traceback


def remote_error(reply: JSON) -> RemoteError:
    """Return the exception a failed reply describes, under the name it has on the far side."""
    kind = type(reply["ename"], (RemoteError,), {})
    error: RemoteError = kind(reply["evalue"], reply["traceback"])
    return error


class IPythonSurface:
    """Shows what commands and remote cells do through an IPython shell.

    Args:
        shell: The shell.
        remote: The session, for what the person answers and interrupts.
    """

    is_shell = False

    def __init__(self, shell: InteractiveShell, remote: Remote) -> None:
        self._shell = shell
        self._remote = remote
        self._watch: Watch | None = None

    def say(self, line: str) -> None:
        """Print a line."""
        print(line)

    def ask(self, prompt: str, *, secret: bool = False) -> str:
        """Ask for a line of text; a notebook shows a box for it.

        Raises:
            ConfigError: Nobody sits there, as where a notebook is executed as a whole.
        """
        try:
            return (getpass.getpass if secret else input)(prompt)
        except (EOFError, StdinNotImplementedError):
            raise ConfigError(
                f"Nobody can be asked here: {prompt.strip()}", "Run this in an editor."
            ) from None

    @contextlib.contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """Show that something takes a while."""
        task = self._task(title)
        try:
            yield task
        except BaseException:
            task.settle(is_ready=False)
            raise
        task.settle()

    def _task(self, title: str) -> Task:
        is_session, is_told = title in {SESSION, START}, title == START
        system = self._remote.settings.system
        if not hasattr(self._shell, "kernel"):
            return TerminalTask("" if is_session else title, system=system, is_told=is_told)
        publish = partial(_display, self._shell)
        if is_session:
            return SessionTask(publish, system=system, is_told=is_told)
        return WorkTask(title, publish, system=system)

    def play(self, events: Generator[Event, None, None], task: Task | None = None) -> None:
        """Show what a cell does until it ends, and raise what it raises."""
        # Closed at once, come what may: that is what interrupts a cell nobody waits for.
        with contextlib.closing(events):
            for event in events:
                if task is not None:
                    task.settle()
                try:
                    self._show_event(event)
                except KeyboardInterrupt:
                    # Meant for the cell, but came while one of its outputs was shown.
                    self._remote.interrupt()

    def show(self, message: Message) -> None:
        """Show one output."""
        _show(self._shell, message)

    def watch(self, look: Callable[[], object | None], *, every_s: float) -> None:
        """Show something that changes in place: in a notebook while other cells run."""
        if not hasattr(self._shell, "kernel"):
            watch_in_terminal(look, every_s=every_s)
            return
        self.close()
        self._watch = Watch(self._shell, look, every_s=every_s)
        self._watch.start()

    def close(self) -> None:
        """Leave what is watched as it is."""
        if self._watch is not None:
            self._watch.stop()

    def _show_event(self, event: Event) -> None:
        from deepnote_kernel.session.protocol import InputRequest, Reply  # noqa: PLC0415 - msgspec

        if isinstance(event, Reply):
            if event.content["status"] == "error":
                raise remote_error(event.content)
        elif isinstance(event, InputRequest):
            self._answer(event)
        else:
            self.show(event)

    def _answer(self, question: InputRequest) -> None:
        self._remote.answer(self.ask(question.prompt, secret=question.password))


def _show(shell: InteractiveShell, message: Message) -> None:
    # Errors are not shown here: the cell raises them when it ends. Comm messages are left out, for
    # the notebook's own kernel would not know what to answer.
    content = message.content
    if message.msg_type == "stream":
        stream = sys.stderr if content["name"] == "stderr" else sys.stdout
        stream.write(content["text"])
        stream.flush()
    elif message.msg_type == "clear_output":
        publisher: Any = shell.display_pub
        publisher.clear_output(wait=content.get("wait", False))
    elif message.msg_type in {"display_data", "execute_result", "update_display_data"}:
        _display(shell, message.msg_type, content)


def _display(shell: InteractiveShell, msg_type: str, content: JSON) -> None:
    publisher: Any = shell.display_pub
    publisher.publish(
        data=content["data"],
        metadata=content.get("metadata", {}),
        transient=content.get("transient", {}),
        update=msg_type == "update_display_data",
    )

"""Where the person of a command sits: a shell."""

from __future__ import annotations

import contextlib
import getpass
import sys
from typing import TYPE_CHECKING

from deepnote_kernel.errors import ConfigError, RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from deepnote_kernel.commands.context import Task
    from deepnote_kernel.outputs import Message
    from deepnote_kernel.session.protocol import Event, InputRequest
    from deepnote_kernel.session.remote import Remote

__all__ = ["CellFailedError", "ShellSurface"]


class CellFailedError(RunFailedError):
    """Remote code raised an exception, which has been shown."""


class ShellSurface:
    """Shows results on stdout, and everything else on stderr.

    Args:
        remote: The session, for what the person answers.
        as_json: Whether stdout is for JSON alone; what remote code puts out then goes to stderr.
    """

    is_shell = True

    def __init__(self, remote: Remote, *, as_json: bool = False) -> None:
        self._remote = remote
        self._results = sys.stderr if as_json else sys.stdout

    def say(self, line: str) -> None:
        """Print a line where it does not mix with results."""
        sys.stderr.write(f"{line}\n")

    def ask(self, prompt: str, *, secret: bool = False) -> str:
        """Ask for a line of text at the terminal; the end of input is an empty one.

        Raises:
            ConfigError: There is no terminal.
        """
        if not sys.stdin.isatty():
            raise ConfigError(f"Nobody can be asked here: {prompt.strip()}", "Use a terminal.")
        try:
            if secret:
                return getpass.getpass(prompt)
            sys.stderr.write(prompt)
            sys.stderr.flush()
            return input()
        except EOFError:
            sys.stderr.write("\n")
            return ""
        except KeyboardInterrupt:
            sys.stderr.write("\n")
            raise

    @contextlib.contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """Show that something takes a while: a line that moves, or nothing outside a terminal."""
        from deepnote_kernel.cli.progress import ShellTask  # noqa: PLC0415 - rich takes 50 ms

        with ShellTask(title) as task:
            yield task

    def play(self, events: Generator[Event, None, None], task: Task | None = None) -> None:
        """Print what a cell does until it ends, and raise what it raises."""
        from deepnote_kernel.session.protocol import InputRequest, Reply  # noqa: PLC0415 - msgspec

        with contextlib.closing(events):
            for event in events:
                if task is not None:
                    task.settle()
                if isinstance(event, Reply):
                    _raise_failure(event)
                elif isinstance(event, InputRequest):
                    self._answer(event)
                else:
                    self.show(event)

    def show(self, message: Message) -> None:
        """Print one output as text."""
        content = message.content
        if message.msg_type == "stream":
            stream = sys.stderr if content["name"] == "stderr" else self._results
            stream.write(content["text"])
            stream.flush()
        elif message.msg_type == "error":
            _print_traceback("\n".join(content["traceback"]))
        elif message.msg_type in {"display_data", "execute_result"}:
            self._results.write(str(content["data"].get("text/plain", "")) + "\n")

    def watch(self, look: Callable[[], object | None], *, every_s: float) -> None:
        """Show something that changes in place, until Ctrl-C."""
        from deepnote_kernel.commands.watching import watch_in_terminal  # noqa: PLC0415 - rich

        watch_in_terminal(look, every_s=every_s)

    def _answer(self, question: InputRequest) -> None:
        self._remote.answer(self.ask(question.prompt, secret=question.password))


def _print_traceback(traceback: str) -> None:
    """Print it in IPython's colours, as far as they are wanted here: a file gets plain text."""
    from rich.console import Console  # noqa: PLC0415 - rich takes 50 ms
    from rich.text import Text  # noqa: PLC0415 - as above

    Console(stderr=True).print(Text.from_ansi(traceback), soft_wrap=True)


def _raise_failure(reply: object) -> None:
    content = getattr(reply, "content", {})
    if content.get("status") == "error":
        raise CellFailedError(f"{content['ename']}: {content['evalue']}")

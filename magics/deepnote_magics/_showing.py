"""Show what a remote cell does through IPython, in a notebook or a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from deepnote_kernel.kernel.progress import StartLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from deepnote_kernel.outputs import JSON, Message

__all__ = ["Progress", "RemoteError", "remote_error", "show"]


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


def show(shell: InteractiveShell, message: Message) -> None:
    """Show one output.

    Errors are not shown here: the cell raises them when it ends. Comm messages are left out, for
    the notebook's own kernel would not know what to answer.
    """
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


class Progress:
    """Shows how far the start of a session is: one line that changes, or lines in a terminal."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._line: StartLine | None = None
        if hasattr(shell, "kernel"):
            self._line = StartLine(self._publisher(shell), is_alone=False)

    def __call__(self, line: str) -> None:
        """Show a stage."""
        if self._line is None:
            sys.stdout.write(f"Deepnote: {line}\n")
        else:
            self._line.show(line)

    def settle(self, *, is_ready: bool = True) -> None:
        """Leave a quiet line, now that the start is over.

        Args:
            is_ready: Whether the session became ready.
        """
        if self._line is not None:
            self._line.settle(is_ready=is_ready)

    @staticmethod
    def _publisher(shell: InteractiveShell) -> Callable[[str, JSON], None]:
        return lambda msg_type, content: _display(shell, msg_type, content)

"""A line of progress on stderr, with a bar where it is known how much there is to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Task
    from typing_extensions import Self

__all__ = ["ShellTask"]


class _SizeColumn(ProgressColumn):
    """How much has been moved; nothing for work that is not counted."""

    def render(self, task: Task) -> Text:
        """Return what to show."""
        return Text(decimal(int(task.completed)) if task.completed else "")


class ShellTask:
    """Work that takes a while; its line vanishes when it is over. Nothing outside a terminal.

    Args:
        title: What is being done.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            _SizeColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(title, total=None)

    def __enter__(self) -> Self:
        if self._progress.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.settle()

    def __call__(self, line: str) -> None:
        """Show a stage."""
        self._progress.update(self._task, description=f"{self._title}: {line}")

    def advance(self, done: int, total: int | None = None) -> None:
        """Show how far it is."""
        self._progress.update(self._task, completed=done, total=total)

    def settle(self, *, is_ready: bool = True) -> None:  # noqa: ARG002 - the command says the rest
        """Take the line away."""
        if self._progress.live.is_started:  # else it would print an empty line
            self._progress.stop()

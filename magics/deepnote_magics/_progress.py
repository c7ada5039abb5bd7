"""Show in a cell, or in a terminal, how far something is."""

from __future__ import annotations

import sys
import time
import uuid
from typing import TYPE_CHECKING

from deepnote_kernel._quiet import quiet
from deepnote_kernel.kernel.progress import READY, StartLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.outputs import JSON

__all__ = ["SessionTask", "TerminalTask", "WorkTask"]

_EVERY_S = 0.1


class TerminalTask:
    """Lines in a terminal: one for each stage.

    Args:
        title: What is being done; empty where the stages say it themselves.
        system: Where.
        is_told: Whether the command says itself that a session is ready.
    """

    def __init__(self, title: str = "", *, system: str = "Deepnote", is_told: bool = False) -> None:
        self._is_told = is_told
        self._lead = f"{system}: {title}: " if title else f"{system}: "
        self._stage = ""

    def __call__(self, line: str) -> None:
        """Print a stage, once."""
        if line != self._stage and not (self._is_told and line == READY):
            self._stage = line
            sys.stdout.write(f"{self._lead}{line}\n")

    def advance(self, done: int, total: int | None = None) -> None:
        """Print nothing: numbers that change would fill the screen."""

    def settle(self, *, is_ready: bool = True) -> None:
        """Print nothing: the command says what came of it."""


class SessionTask:
    """The start of a session: one line that changes.

    Args:
        publish: Sends a message, given its type and content.
        system: Where the session starts.
        is_told: Whether the command says itself that the session is ready; else the line does.
    """

    def __init__(
        self,
        publish: Callable[[str, JSON], None],
        *,
        system: str = "Deepnote",
        is_told: bool = False,
    ) -> None:
        self._line = StartLine(publish, system=system, is_alone=False, is_told=is_told)

    def __call__(self, line: str) -> None:
        """Show a stage."""
        self._line.show(line)

    def advance(self, done: int, total: int | None = None) -> None:
        """Show nothing: a start is not counted."""

    def settle(self, *, is_ready: bool = True) -> None:
        """Leave a quiet line, now that the start is over.

        Args:
            is_ready: Whether the session became ready.
        """
        self._line.settle(is_ready=is_ready)


class WorkTask:
    """Other work: one line that changes, and stays as it was at the end.

    Args:
        title: What is being done.
        publish: Sends a message, given its type and content.
        system: Where.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        title: str,
        publish: Callable[[str, JSON], None],
        *,
        system: str = "Deepnote",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = title
        self._publish = publish
        self._system = system
        self._clock = clock
        self._started_at = clock()
        self._shown_at = float("-inf")
        self._display_id = ""

    def __call__(self, line: str) -> None:
        """Show a stage and for how long the work has gone on."""
        self._show(f"{line}, {self._clock() - self._started_at:.0f} s …")

    def advance(self, done: int, total: int | None = None) -> None:
        """Show how far it is, in per cent where that can be known; not more often than is seen."""
        if self._clock() - self._shown_at >= _EVERY_S:
            self._show(f"{100 * done // total} % …" if total else f"{done:,} bytes …")

    def settle(self, *, is_ready: bool = True) -> None:
        """Leave a quiet line, where one was shown.

        Args:
            is_ready: Whether the work was done.
        """
        if self._display_id:
            took_s = self._clock() - self._started_at
            self._show(f"{'done' if is_ready else 'not done'} after {took_s:.0f} s")
            self._display_id = ""

    def _show(self, line: str) -> None:
        msg_type = "update_display_data" if self._display_id else "display_data"
        self._display_id = self._display_id or uuid.uuid4().hex
        self._shown_at = self._clock()
        text = f"{self._system}: {self._title}: {line}"
        self._publish(
            msg_type,
            {
                "data": quiet(text),
                "metadata": {},
                "transient": {"display_id": self._display_id},
            },
        )

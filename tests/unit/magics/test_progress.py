"""How far something is, as a cell shows it."""

from __future__ import annotations

from typing import Any

import pytest

from deepnote_magics._progress import SessionTask, TerminalTask, WorkTask


class Cell:
    """What a notebook shows, and the clock on its wall."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.now_s = 0.0

    def task(self) -> WorkTask:
        """Begin some work."""
        return WorkTask("run <x>", lambda *m: self.messages.append(m), clock=lambda: self.now_s)

    @property
    def texts(self) -> list[str]:
        """The lines, in the order they were shown."""
        return [content["data"]["text/plain"] for _, content in self.messages]


def test_one_line_changes() -> None:
    """The first message makes the line, the others change it; the last says how long it took."""
    cell = Cell()
    task = cell.task()
    task("pending")
    cell.now_s = 3.0
    task("running")
    task.settle()
    assert cell.texts == [
        "Deepnote: run <x>: pending, 0 s …",
        "Deepnote: run <x>: running, 3 s …",
        "Deepnote: run <x>: done after 3 s",
    ]
    assert [kind for kind, _ in cell.messages] == ["display_data", *["update_display_data"] * 2]
    assert len({content["transient"]["display_id"] for _, content in cell.messages}) == 1
    assert "&lt;x&gt;" in cell.messages[0][1]["data"]["text/html"]


def test_bytes_are_shown_as_often_as_can_be_read() -> None:
    """A file of many pieces does not flood the front end."""
    cell = Cell()
    task = cell.task()
    for done in range(100):
        task.advance(done, 100)
    cell.now_s = 1.0
    task.advance(50, 100)
    assert cell.texts == ["Deepnote: run <x>: 0 % …", "Deepnote: run <x>: 50 % …"]


def test_bytes_without_an_end() -> None:
    """Where the size is not known, what has come is told."""
    cell = Cell()
    cell.task().advance(12345)
    assert cell.texts == ["Deepnote: run <x>: 12,345 bytes …"]


def test_a_failure_is_not_called_done() -> None:
    """The line stays, and says so."""
    cell = Cell()
    task = cell.task()
    task("running")
    task.settle(is_ready=False)
    assert cell.texts[-1] == "Deepnote: run <x>: not done after 0 s"


def test_quick_work_shows_nothing() -> None:
    """Where no stage was told, no line is left."""
    cell = Cell()
    cell.task().settle()
    assert cell.messages == []


@pytest.mark.parametrize(
    ("is_ready", "left"), [(True, ""), (False, "Deepnote: session not ready after 0 s")]
)
def test_a_start_that_the_command_tells_of(*, is_ready: bool, left: str) -> None:
    """No line says again that the session is ready; that it is not, one does."""
    cell = Cell()
    task = SessionTask(lambda *message: cell.messages.append(message), is_told=True)
    task("machine starting")
    task.settle(is_ready=is_ready)
    assert cell.texts == ["Deepnote: machine starting …", left]


def test_a_terminal_does_not_say_twice_that_a_session_is_ready(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command does so."""
    task = TerminalTask(is_told=True)
    for stage in ("machine starting", "ready"):
        task(stage)
    assert capsys.readouterr().out == "Deepnote: machine starting\n"


def test_a_terminal_gets_a_line_for_each_stage(capsys: pytest.CaptureFixture[str]) -> None:
    """And none for numbers that change."""
    task = TerminalTask("run x")
    for stage in ("pending", "running", "running"):
        task(stage)
    task.advance(1, 2)
    task.settle()
    assert capsys.readouterr().out == "Deepnote: run x: pending\nDeepnote: run x: running\n"

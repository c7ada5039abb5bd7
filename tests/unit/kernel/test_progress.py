"""The line that shows how far the start of a session is."""

from __future__ import annotations

from typing import Any

from deepnote_kernel.kernel.progress import StartLine


class Cell:
    """What a cell shows, and a clock."""

    def __init__(self, *, is_alone: bool = True) -> None:
        self.now = 0.0
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.line = StartLine(self._publish, is_alone=is_alone, clock=lambda: self.now)

    def _publish(self, msg_type: str, content: dict[str, Any]) -> None:
        self.messages.append((msg_type, content))

    def types(self) -> list[str]:
        """The types of what was published."""
        return [msg_type for msg_type, _ in self.messages]

    def text(self) -> str:
        """The latest text."""
        text: str = self.messages[-1][1]["data"]["text/plain"]
        return text


def test_stages_change_one_line() -> None:
    """Each stage replaces the one before it."""
    cell = Cell()
    cell.line.show("machine starting")
    cell.line.show("running the notebook")
    assert cell.types() == ["display_data", "update_display_data"]
    ids = {content["transient"]["display_id"] for _, content in cell.messages}
    assert len(ids) == 1
    assert cell.text() == "Deepnote: running the notebook …"


def test_a_quick_start_leaves_nothing() -> None:
    """An executed notebook does not show how its session started."""
    cell = Cell()
    cell.line.show("machine starting")
    cell.line.show("ready")
    assert cell.types() == ["display_data", "clear_output"]


def test_a_long_start_leaves_its_length() -> None:
    """Whoever waited for a machine sees how long it took."""
    cell = Cell()
    cell.line.show("machine starting")
    cell.now = 34.4
    cell.line.show("ready")
    assert cell.text() == "Deepnote: session ready after 34 s"


def test_a_failed_start_does_not_say_ready() -> None:
    """The line does not contradict the error below it."""
    cell = Cell()
    cell.line.show("machine starting")
    cell.now = 60.0
    cell.line.settle(is_ready=False)
    assert cell.text() == "Deepnote: session not ready after 60 s"


def test_a_remark_stays() -> None:
    """That the notebook's first run failed is worth knowing later, too."""
    cell = Cell()
    cell.line.show("running the notebook")
    cell.line.show("the notebook's first run ended with status error")
    cell.line.show("ready")
    assert cell.text() == "Deepnote: the notebook's first run ended with status error"


def test_other_output_is_not_cleared() -> None:
    """Where the cell has shown something already, the line is changed, not cleared with it."""
    cell = Cell(is_alone=False)
    cell.line.show("machine starting")
    cell.line.settle()
    assert cell.types() == ["display_data", "update_display_data"]


def test_without_a_start_nothing_is_shown() -> None:
    """A cell of a running session shows nothing of ours."""
    cell = Cell()
    cell.line.settle()
    assert cell.messages == []


def test_html_is_escaped() -> None:
    """What a server says is text."""
    cell = Cell()
    cell.line.show("<b>")
    assert "<b>" not in cell.messages[-1][1]["data"]["text/html"]

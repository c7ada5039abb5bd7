"""A front end without a kernel: cells go to a Strata server, what they show comes back."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

from deepnote_kernel.session.protocol import Cell, Message, Reply
from deepnote_kernel.session.remote import Remote
from deepnote_kernel.strata.place import connect
from deepnote_kernel.strata.settings import StrataSettings
from tests.integration.notebook import Result

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers = itertools.count(1)


class FrontEnd:
    """Runs cells as an editor does, each with the id it has in the notebook."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote

    def run(self, code: str, cell_id: str = "", **options: Any) -> Result:
        """Run a cell to its end.

        Args:
            code: The cell.
            cell_id: Its id; without one it is known by its text.
            **options: Of an ``execute_request``.
        """
        metadata = {"cellId": cell_id or None, **options.pop("metadata", {})}
        cell = Cell(id=str(next(_numbers)), code=code, metadata=metadata, **options)
        result = Result()
        for event in self.remote.events(cell):
            if isinstance(event, Reply):
                result.reply = event.content
            elif isinstance(event, Message):
                result.messages.append((event.msg_type, event.content))
        return result

    def value(self, code: str, cell_id: str = "") -> str:
        """Run a cell and return the text of its value."""
        result = self.run(code, cell_id)
        assert result.reply["status"] == "ok", result
        return result.value


@contextlib.contextmanager
def open_front_end(url: str, **settings: Any) -> Iterator[FrontEnd]:
    """Give a front end for a notebook of its own; the notebook goes at the end."""
    remote = Remote(StrataSettings.from_env({"STRATA_URL": url}, **settings), connect=connect)
    try:
        yield FrontEnd(remote)
    finally:
        remote.close(30)


def errors(result: Result) -> str:
    """Return what a cell wrote to standard error."""
    return "".join(
        content["text"]
        for kind, content in result.messages
        if kind == "stream" and content["name"] == "stderr"
    )


def printed(result: Result) -> str:
    """Return what a cell wrote to standard output."""
    return "".join(
        content["text"]
        for kind, content in result.messages
        if kind == "stream" and content["name"] == "stdout"
    )


def notes(result: Result) -> list[str]:
    """Return the quiet lines of ours below a cell."""
    texts = [content["data"]["text/plain"] for _, content in result.messages if "data" in content]
    return [text for text in texts if text.startswith("Strata: ")]

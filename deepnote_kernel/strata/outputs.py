"""Turn what a Strata cell has shown into the messages that a Jupyter front end shows.

Strata stores a value in one of a few forms. Each becomes what IPython would show of the value, as
far as the form still tells. Pure functions: pages and blobs are fetched elsewhere.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import msgspec

from deepnote_kernel._quiet import quiet
from deepnote_kernel.outputs import JSON, Message
from deepnote_kernel.strata.objects import shown_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.strata.models import Display

__all__ = ["ENDS", "MAX_ROWS", "Table", "bundle", "note", "shown", "stream"]

MAX_ROWS: Final = 60
"""A table of no more rows is shown whole, as pandas does."""

ENDS: Final = 5
"""How many rows a longer one shows from either end."""

_INDEX: Final = "__index_level_"
_PNG_PREFIX: Final = "data:image/png;base64,"
_ELLIPSIS: Final = "..."


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of a table: all its rows, or those at its ends."""

    columns: list[str]
    rows: list[list[Any]]
    total: int
    """How many rows it has."""

    labels: list[str] = []
    """The columns that name rows, besides those that Strata calls so."""

    @property
    def is_whole(self) -> bool:
        """Whether no row is left out."""
        return len(self.rows) == self.total

    def lines(self) -> list[list[str]]:
        """Return the texts of header and rows, each with its label first."""
        labels = [i for i, name in enumerate(self.columns) if self._is_label(name)]
        values = [i for i in range(len(self.columns)) if i not in labels]
        named = [self.columns[i] for i in labels if not self.columns[i].startswith(_INDEX)]
        lines = [[" ".join(named), *(self.columns[i] for i in values)]]
        for number, row in enumerate(self.rows):
            place = number if self.is_whole or number < ENDS else self.total - 2 * ENDS + number
            label = " ".join(str(row[i]) for i in labels) if labels else str(place)
            lines.append([label, *(str(row[i]) for i in values)])
        if not self.is_whole:
            lines.insert(ENDS + 1, [_ELLIPSIS] * len(lines[0]))
        return lines

    def _is_label(self, name: str) -> bool:
        return name.startswith(_INDEX) or name in self.labels

    @property
    def size(self) -> str:
        """How large it is, in words."""
        columns = sum(not self._is_label(name) for name in self.columns)
        return f"{self.total} rows × {columns} columns"


def bundle(item: Display, *, table: Table | None = None, text: str | None = None) -> JSON:
    """Return the mime bundle of one thing that a cell has shown.

    Args:
        item: What the cell's result says of it.
        table: Its rows, where it is a table.
        text: What is known of it from its stored form, if that was read.
    """
    if table is not None:
        return {"text/html": _html(table), "text/plain": _plain(table)}
    match item.content_type:
        case "json/object":
            return {"text/plain": shown_value(item.preview)}
        case "text/markdown":
            return {"text/markdown": item.markdown_text, "text/plain": item.markdown_text}
        case "image/png":
            png = item.inline_data_url.removeprefix(_PNG_PREFIX)
            return {"image/png": png, "text/plain": f"<Figure of {item.width} x {item.height}>"}
    return {"text/plain": text or str(item.preview)}


def shown(data: JSON, *, execution_count: int | None = None) -> Message:
    """Return the message that shows a mime bundle; with a count, it is the cell's result."""
    content: JSON = {"data": data, "metadata": {}}
    if execution_count is None:
        return Message(msg_type="display_data", content={**content, "transient": {}})
    content["execution_count"] = execution_count
    return Message(msg_type="execute_result", content=content)


def stream(name: str, text: str) -> list[Message]:
    """Return the message of printed text; none where nothing was printed."""
    return [Message(msg_type="stream", content={"name": name, "text": text})] if text else []


def note(text: str) -> Message:
    """Return a quiet line that tells what Strata did."""
    return shown(quiet(text))


def _html(table: Table) -> str:
    header, *rows = table.lines()
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(f"<tr><th>{escape(row[0])}</th>{_cells(row[1:])}</tr>" for row in rows)
    return (
        f'<table border="1" class="dataframe"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table><p>{table.size}</p>"
    )


def _cells(texts: Sequence[str]) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in texts)


def _plain(table: Table) -> str:
    lines = table.lines()
    first, *others = (max(map(len, column)) for column in zip(*lines, strict=True))
    text = "\n".join(
        "  ".join(
            [row[0].ljust(first), *(c.rjust(w) for c, w in zip(row[1:], others, strict=True))]
        )
        for row in lines
    )
    return text if table.is_whole else f"{text}\n\n[{table.size}]"

"""What ``%deepnote`` shows: a small table in a notebook, lines of text in a terminal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deepnote_kernel.session.protocol import Status
    from deepnote_kernel.session.record import Record

__all__ = ["SessionsView", "StatusView", "Table"]

_CELL = 'style="text-align: left; padding: 0.2em 1em 0.2em 0"'  # no colour: themes have their own


class Table:
    """Rows of text under optional headings, for a notebook and for a terminal."""

    def __init__(self, rows: Iterable[Sequence[str]], headings: Sequence[str] = ()) -> None:
        self.rows = [tuple(row) for row in rows]
        self.headings = tuple(headings)

    def __repr__(self) -> str:
        lines = [self.headings, *self.rows] if self.headings else self.rows
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = (
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
            for line in lines
        )
        return "\n".join(line.rstrip() for line in padded)

    def _repr_html_(self) -> str:
        head = "".join(f"<th {_CELL}>{escape(text)}</th>" for text in self.headings)
        body = "".join(f"<tr>{''.join(map(self._html, row))}</tr>" for row in self.rows)
        return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"

    @staticmethod
    def _html(text: str) -> str:
        shown = escape(text)
        if text.startswith(("https://", "http://")):
            shown = f'<a href="{shown}" target="_blank" rel="noopener">{shown}</a>'
        return f"<td {_CELL}>{shown}</td>"


class StatusView(Table):
    """Where cells run and what that place is doing.

    Args:
        status: The facts; kept as :attr:`status` for code that wants one of them.
    """

    def __init__(self, status: Status) -> None:
        self.status = status
        facts = {
            "Session": status.session_id or "none",
            "Notebook": status.notebook_id or "not chosen",
            "State": status.state,
            "Mode": status.mode,
            "Server": status.where,
            "Running for": _age(status.age_s) if status.age_s else "",
            "Page": status.url,
            **{label: str(value) for label, value in status.details.items()},
        }
        super().__init__((label, value) for label, value in facts.items() if value)


class SessionsView(Table):
    """The sessions started from this computer.

    Args:
        records: What is known of each; kept as :attr:`records`.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = list(records)
        super().__init__(
            (
                (
                    record.id,
                    record.notebook_id,
                    record.state,
                    record.created_at.astimezone().strftime("%Y-%m-%d %H:%M"),
                    record.base_url,
                )
                for record in records
            ),
            ["Session", "Notebook", "State", "Started", "Server"],
        )


def _age(seconds: float) -> str:
    minutes = int(seconds // 60)
    if not minutes:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004

"""What a command shows: HTML in a notebook, aligned text in a terminal, and the objects behind it.

No colours but those of states, which are mid-tones that can be read on light and on dark.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
    from datetime import datetime

    from typing_extensions import Self

__all__ = [
    "Card",
    "Line",
    "Link",
    "Listing",
    "State",
    "age",
    "counted",
    "moment",
    "size",
    "to_builtins",
]

T = TypeVar("T")

_CELL = 'style="text-align: left; padding: 0.2em 1em 0.2em 0"'
_MINUTE_S = 60

# Names are other people's: what moves a terminal's cursor in them stands there as an escape.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_COLOURS = {
    "#2f9e62": {"success", "ready", "idle", "running", "available", "ok"},
    "#c98300": {"pending", "starting", "busy", "stopping", "warning", "stale"},
    "#d9534f": {"error", "internal_error", "gone", "failed", "stopped", "unavailable", "missing"},
}


class Link(str):
    """Text that leads to a page; in a terminal it is the text alone."""

    __slots__ = ("url",)

    url: str

    def __new__(cls, text: str, url: str) -> Self:
        """Make one.

        Args:
            text: What to show.
            url: Where it leads; empty for nowhere.
        """
        link = super().__new__(cls, text)
        link.url = url
        return link


class State(str):
    """A state in the server's words; a notebook shows its kind by a coloured dot before it."""

    __slots__ = ()

    @property
    def colour(self) -> str:
        """The colour of the dot: good, in between, bad, or grey for words not known here."""
        return next((colour for colour, words in _COLOURS.items() if self in words), "#8a8a8a")


class Listing(list[T]):
    """Objects of one kind, which show themselves as a table.

    Args:
        items: The objects; the listing is a list of them.
        headings: The columns.
        row: Gives an object's values, one for each column.
        empty: What to show where there are none.
    """

    def __init__(
        self,
        items: Iterable[T],
        headings: Sequence[str],
        row: Callable[[T], Sequence[str]],
        *,
        empty: str = "None.",
    ) -> None:
        super().__init__(items)
        self.headings = tuple(headings)
        self.rows = [tuple(row(item)) for item in self]
        self._empty = empty

    def __repr__(self) -> str:
        return _aligned([self.headings, *self.rows]) if self.rows else self._empty

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<i>{escape(self._empty)}</i>"
        head = "".join(f"<th {_CELL}>{escape(text)}</th>" for text in self.headings)
        return _table(self.rows, head=f"<tr>{head}</tr>")


class Card(Generic[T]):
    """One object, which shows itself as a list of facts and otherwise stands for the object.

    Args:
        value: The object; its attributes are the card's too.
        facts: Values by their label, in the order to show them; empty ones are left out. A list
            is shown line by line.
    """

    def __init__(self, value: T, facts: Mapping[str, str | Sequence[str]]) -> None:
        self.value = value
        self.rows = [row for label, given in facts.items() for row in _fact_rows(label, given)]

    def __getattr__(self, name: str) -> Any:
        # Unpickling asks before there is a value.
        if name.startswith("__") or name == "value":
            raise AttributeError(name)
        return getattr(self.value, name)

    def __repr__(self) -> str:
        return _aligned(self.rows)

    def _repr_html_(self) -> str:
        return _table(self.rows)


class Line(Card[T]):
    """One object, of which a sentence is shown: what has become of it.

    Args:
        value: The object; its attributes are the line's too.
        text: The sentence.
    """

    def __init__(self, value: T, text: str) -> None:
        super().__init__(value, {})
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return escape(self._text)


def to_builtins(shown: object) -> Any:
    """Return what a view shows as lists, dictionaries and strings, for JSON."""
    if isinstance(shown, Listing):
        return [to_builtins(item) for item in shown]
    # What is no JSON, such as a secret, is shown as it shows itself.
    return msgspec.to_builtins(shown.value if isinstance(shown, Card) else shown, enc_hook=str)


def age(seconds: float) -> str:
    """Return a length of time in words: ``40 s``, ``12 min``, ``3 h 5 min``."""
    minutes = int(seconds // _MINUTE_S)
    if not minutes:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < _MINUTE_S else f"{minutes // 60} h {minutes % 60} min"


def counted(things: Sized, name: str) -> str:
    """Return how many there are of what: ``1 block``, ``3 blocks``."""
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def size(size_bytes: int) -> str:
    """Return a size in words: ``512 bytes``, ``1.5 MB``."""
    from rich.filesize import decimal  # noqa: PLC0415 - only where files are shown

    return decimal(size_bytes)


def moment(at: datetime | None) -> str:
    """Return a time as the clock on the wall here shows it; empty for ``None``."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


def _fact_rows(label: str, given: str | Sequence[str]) -> list[tuple[str, str]]:
    lines = [given] if isinstance(given, str) else given
    return [("" if number else label, line) for number, line in enumerate(lines) if line]


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    shown = [[_CONTROL.sub(_escaped, text) for text in line] for line in lines]
    widths = [max(map(_width, column)) for column in zip(*shown, strict=True)]
    padded = (
        "  ".join(
            text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True)
        )
        for line in shown
    )
    return "\n".join(line.rstrip() for line in padded)


def _escaped(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]


def _width(text: str) -> int:
    """Return how many columns a terminal gives it: Chinese characters and emoji take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - only where there are such names

    return cell_len(text)


def _table(rows: Iterable[Sequence[str]], *, head: str = "") -> str:
    body = "".join(f"<tr>{''.join(map(_html, row))}</tr>" for row in rows)
    return f"<table>{head}{body}</table>"


def _html(text: str) -> str:
    shown = escape(text)
    if isinstance(text, State):
        shown = f'<span style="color: {text.colour}">●</span> {shown}'
    url = text.url if isinstance(text, Link) else text
    if url.startswith(("https://", "http://")):
        shown = f'<a href="{escape(url)}" target="_blank" rel="noopener">{shown}</a>'
    return f"<td {_CELL}>{shown}</td>"

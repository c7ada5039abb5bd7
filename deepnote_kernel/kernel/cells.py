"""Tell which lines of a cell run here and which on the far side."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Split", "split"]

_LOCAL_CELL = re.compile(r"\s*%%(?:local\b|deepnote(?:\?|[ \t]+\S))")
"""``%%local``, and ``%%deepnote`` where the magic itself has something to say: help, a mistake."""

_REMOTE_CELL = re.compile(r"\s*%%deepnote[ \t]*(?:\n|$)")

_LOCAL_LINE = re.compile(
    r"""
    \s*
    (?:[\w.]+\s*=\s*)?              # name = %deepnote status
    \?{0,2}                         # ?%deepnote
    %(?:
        deepnote\b
      | (?:re|un)?load_ext\s+deepnote_magics\b
    )
    """,
    re.VERBOSE,
)

_BLANK_LINE = re.compile(r"\s*(?:#.*)?$")


class Split(NamedTuple):
    """The two parts of a cell; either may be empty."""

    local: str
    remote: str


def split(code: str) -> Split:
    """Split a cell into what runs in this process and, after it, on the far side.

    Here run: a ``%%local`` cell, and the ``%deepnote`` lines a cell begins with. The remote part
    keeps its line numbers, so that a traceback points at the line the person sees.
    """
    if _LOCAL_CELL.match(code):
        return Split(code, "")
    if _REMOTE_CELL.match(code):
        head, _, body = code.partition("%%deepnote")
        return Split("", f"{head}#{body}" if not body.lstrip().startswith("%%") else body)
    lines = code.splitlines(keepends=True)
    end = _local_lines(lines)
    if all(map(_BLANK_LINE.match, lines[end:])):
        return Split(code, "") if end else Split("", code)
    return Split("".join(lines[:end]), _pad(end, "".join(lines[end:])))


def _local_lines(lines: list[str]) -> int:
    """Return how many lines at the top run here; comments between them count, later ones do not."""
    end = 0
    continued = False
    for number, line in enumerate(lines, start=1):
        if continued or _LOCAL_LINE.match(line):
            end = number
            continued = line.rstrip().endswith("\\")
        elif not _BLANK_LINE.match(line):
            break
    return end


def _pad(lines: int, code: str) -> str:
    """Put comments where lines ran here, but nothing before a cell magic, which must be first."""
    return code if code.lstrip().startswith("%%") else "#\n" * lines + code

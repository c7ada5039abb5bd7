"""Tell which lines of a cell run here and which on the far side."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["LocalPart", "Split", "split"]

_CELL_MAGIC = re.compile(r"\s*%%(?P<name>local|deepnote|strata)\b(?P<rest>.*)")

_LOCAL_LINE = re.compile(
    r"""
    \s*
    (?:[\w.]+\s*=\s*)?              # name = %deepnote status
    \?{0,2}                         # ?%deepnote
    %(?:
        (?:deepnote|strata)\b
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


def split(code: str, ours: str = "deepnote") -> Split:
    """Split a cell into what runs in this process and, after it, on the far side.

    Here run: a ``%%local`` cell, a cell for another system, and the ``%deepnote`` and ``%strata``
    lines a cell begins with. The remote part keeps its line numbers, so that a traceback points at
    the line the person sees.

    Args:
        code: The cell.
        ours: The magic of the system that the far side is.
    """
    if magic := _CELL_MAGIC.match(code):
        if magic["name"] not in {"local", ours}:
            return Split(code, "")
        if ours == "strata" and magic["name"] == ours:
            return Split("", code)  # the rest of its line is a language
        if magic["rest"].strip():  # %%local?, or a mistake: the magic itself has the answer
            return Split(code, "")
        body = _pad(code[: magic.start("name")], code[magic.end() + 1 :])
        return Split(body, "") if magic["name"] == "local" else Split("", body)
    lines = code.splitlines(keepends=True)
    end = _local_lines(lines)
    if all(map(_BLANK_LINE.match, lines[end:])):
        return Split(code, "") if end else Split("", code)
    head = "".join(lines[:end])
    return Split(head, _pad(head, "".join(lines[end:])))


class LocalPart:
    """Leaves of a cell what runs in this process: an input transformer for IPython.

    IPython is given whole cells, so that its history has what the person wrote. Code with no such
    part is an editor's, and is left as it is.

    Args:
        ours: The magic of the system that the far side is.
    """

    def __init__(self, ours: str = "deepnote") -> None:
        self._ours = ours

    # IPython then leaves it out when it is asked whether a cell is complete: all of it matters.
    has_side_effects = True

    def __call__(self, lines: list[str]) -> list[str]:
        """Return the lines that run here."""
        here = split("".join(lines), self._ours).local
        return here.splitlines(keepends=True) if here else lines


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


def _pad(head: str, code: str) -> str:
    """Put comments where lines ran here, but nothing before a cell magic, which must be first."""
    return code if code.lstrip().startswith("%%") else "#\n" * len(head.splitlines()) + code

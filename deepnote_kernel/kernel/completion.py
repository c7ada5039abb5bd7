"""Complete and inspect what is known without a session; join it to what the session says."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deepnote_kernel.outputs import JSON

__all__ = ["is_known", "is_local", "merge", "offline"]

_NAMES = sorted({*keyword.kwlist, *(name for name in dir(builtins) if not name.startswith("_"))})

_TYPES = "_jupyter_types_experimental"

_LOCAL_LINE = re.compile(r"\s*(?:[\w.]+\s*=\s*)?%{1,2}(?:deepnote|local|strata)\b")
_LOCAL_CELL = re.compile(r"\s*%%local\b")
_WORD = re.compile(r"(?P<magic>(?:(?<=\s)|^)%{1,2}\w*)$|(?<![\w.%])(?P<name>[^\W\d]\w*)$")
_NAME_AT_CURSOR = re.compile(r"[\w.]*$")


def is_local(code: str, cursor_pos: int) -> bool:
    """Whether the cursor is in code that runs here: a ``%deepnote`` line, a ``%%local`` cell."""
    line = code[:cursor_pos].rpartition("\n")[2]
    return bool(_LOCAL_CELL.match(code) or _LOCAL_LINE.match(line))


def offline(code: str, cursor_pos: int, magics: Iterable[str]) -> JSON:
    """Return the content of a ``complete_reply`` that holds wherever the cell will run.

    Keywords, builtins and magics: which modules and variables there are, only the far side knows.

    Args:
        code: The cell's text.
        cursor_pos: Where the cursor stands in it, in characters.
        magics: Names of magics, with their percent signs.
    """
    match = _WORD.search(code[:cursor_pos])
    word = match[0] if match else ""
    known = sorted(magics) if match and match["magic"] else _NAMES
    matches = [name for name in known if name.startswith(word)] if word else []
    return {
        "status": "ok",
        "matches": matches,
        "cursor_start": cursor_pos - len(word),
        "cursor_end": cursor_pos,
        "metadata": {},
    }


def merge(reply: JSON, ours: JSON) -> JSON:
    """Add matches of ours to a remote reply, where both complete the same piece of text."""
    if not reply["matches"]:
        return ours
    span = ("cursor_start", "cursor_end")
    if [reply[end] for end in span] != [ours[end] for end in span]:
        return reply
    new = [match for match in ours["matches"] if match not in reply["matches"]]
    metadata = reply.get("metadata", {})
    if _TYPES in metadata:  # JupyterLab then looks at these alone
        start, end = (reply[name] for name in span)
        typed = [{"start": start, "end": end, "text": text, "type": "magic"} for text in new]
        metadata = {**metadata, _TYPES: [*metadata[_TYPES], *typed]}
    return {**reply, "matches": [*reply["matches"], *new], "metadata": metadata}


def is_known(code: str, cursor_pos: int) -> bool:
    """Whether the name at the cursor means the same wherever the cell will run: a builtin."""
    before = _NAME_AT_CURSOR.search(code[:cursor_pos])
    after = re.match(r"\w*", code[cursor_pos:])
    name = (before[0] if before else "") + (after[0] if after else "")
    return hasattr(builtins, name.partition(".")[0])

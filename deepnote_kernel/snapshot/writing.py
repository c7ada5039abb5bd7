"""Write YAML that YAML 1.1 and 1.2 readers agree on.

Text of several lines is a literal block where nothing in it can be misread. Every other string is a
double-quoted scalar on one line, so that none is taken for a date, a number or a boolean, and none
trips Deepnote's check for anchors, aliases, tags and merge keys, which searches the raw text: a
cell with ``*args`` below ``else:`` would do. Words that mean nothing else stand as they are.

Source: deepnote/deepnote, ``packages/blocks`` (``parse-yaml.ts``), read 2026-11-20.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["write"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}  # values, to some reader
# JSON lets these stand as they are; YAML readers break lines at them, refuse or drop them.
_NOT_PRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")

# No literal block: what Deepnote's check takes for YAML, what only quotes or an indentation
# indicator could keep, and blanks at the ends of lines, which editors strip.
_NOT_LITERAL = re.compile(
    r"(^|\n)\s*(-\s+|[\w-]+:\s*)[&*!]|<<:|^[\s]|[^\S\n]\n|\n\t|\s\n$|[^\S\n]$"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)


def write(data: dict[str, Any]) -> str:
    """Return dictionaries, lists and JSON scalars as YAML, ending in a newline."""
    return "".join(f"{line}\n" for line in _lines(data))


def _lines(value: dict[str, Any] | list[Any]) -> Iterator[str]:
    """Yield the lines of a collection, each without the indentation of its parent."""
    entries = (
        ((f"{_text(key)}:", item) for key, item in value.items())
        if isinstance(value, dict)
        else (("-", item) for item in value)
    )
    for lead, item in entries:
        if isinstance(item, str) and "\n" in item and not _NOT_LITERAL.search(item):
            yield f"{lead} {'|' if item.endswith(chr(10)) else '|-'}"
            yield from map(_indented, item.removesuffix("\n").split("\n"))
        elif not isinstance(item, (dict, list)) or not item:
            yield f"{lead} {_scalar(item)}"
        elif lead == "-":
            first, *others = _lines(item)
            yield f"- {first}"
            yield from map(_indented, others)
        else:
            yield lead
            yield from map(_indented, _lines(item))


def _indented(line: str) -> str:
    return f"  {line}" if line else ""


def _scalar(value: Any) -> str:
    """Return what fits on one line: a scalar or an empty collection."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    text = json.dumps(value)
    if isinstance(value, float) and "." not in text:
        # A YAML 1.1 reader wants a point in it: 1e-05 is a text to it.
        text = text.replace("e", ".0e")
    return text


def _text(text: str) -> str:
    """Return a string as a word or in double quotes: JSON, which is YAML."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _NOT_PRINTABLE.sub(_escape, quoted).replace("<<:", r"\x3c<:")


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    is_surrogate = 0xD800 <= code <= 0xDFFF  # noqa: PLR2004 - Unicode's own bounds
    return r"\uFFFD" if is_surrogate else f"\\u{code:04X}"

"""Write YAML that YAML 1.1 and 1.2 readers agree on.

Every string is a double-quoted scalar on one line, so that none is taken for a date, a number or a
boolean, and none trips Deepnote's check for anchors, aliases, tags and merge keys, which searches
the raw text (source: deepnote/deepnote, ``packages/blocks``, read 2026-11-20).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["dump"]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}  # values, to some reader
# JSON lets these stand as they are; YAML readers break lines at them, refuse or drop them.
_NOT_PRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def dump(document: dict[str, Any]) -> str:
    """Return a document of dictionaries, lists and JSON scalars as YAML, ending in a newline."""
    return "".join(f"{line}\n" for line in _lines(document))


def _lines(value: dict[str, Any] | list[Any]) -> Iterator[str]:
    """Yield the lines of a collection, each without the indentation of its parent."""
    entries = (
        ((f"{_key(key)}:", item) for key, item in value.items())
        if isinstance(value, dict)
        else (("-", item) for item in value)
    )
    for lead, item in entries:
        if not isinstance(item, (dict, list)) or not item:
            yield f"{lead} {_scalar(item)}"
        elif lead == "-":
            first, *others = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in others)
        else:
            yield lead
            yield from (f"  {line}" for line in _lines(item))


def _key(key: str) -> str:
    if _PLAIN_KEY.fullmatch(key) and key.lower() not in _WORDS:
        return key
    return _scalar(key)


def _scalar(value: Any) -> str:
    """Return a scalar as JSON, which is YAML; an empty collection too."""
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "." not in text:
        # A YAML 1.1 reader wants a point in it: 1e-05 is a text to it.
        text = text.replace("e", ".0e")
    if isinstance(value, str):
        text = _NOT_PRINTABLE.sub(_escape, text).replace("<<:", r"\x3c<:")
    return text


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    is_surrogate = 0xD800 <= code <= 0xDFFF  # noqa: PLR2004 - Unicode's own bounds
    return r"\uFFFD" if is_surrogate else f"\\u{code:04X}"

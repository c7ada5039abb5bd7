"""Read YAML 1.2 with the rules of ``.deepnote`` documents.

libyaml splits the text into events; what they mean is decided here, by the core schema: ``no``,
``12:30``, ``2026-11-20`` and ``007`` are texts. Keys must be unique, and there are no anchors,
aliases, merge keys or tags. Deepnote's own reader looks for those in the raw text, and so refuses
some of the documents its own writer makes (a line ``- *args`` in a block of code); here only real
ones count.

Source: YAML 1.2.2, core schema; deepnote/deepnote, ``packages/blocks`` (``parse-yaml.ts``), and
deepnote-toolkit 2.9.0 (``yaml_loader.py``) for leading zeros; read 2026-11-20.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from deepnote_kernel.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["parse"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where PyYAML was built with it

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,999})")
_BASED_INT = re.compile(r"0o[0-7]{1,999}|0x[0-9a-fA-F]{1,999}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

# YAML 1.2 allows these; libyaml knows 1.1, breaks lines at some and refuses the others. While it
# reads, characters for private use, which no text has a use for, stand in for them.
_ODD = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_STAND_IN = re.compile("[\U000f007f-\U000f009f\U000f2028\U000f2029\U000ffeff\U000ffffe\U000fffff]")
_OFFSET = 0xF0000

Event: TypeAlias = Any  # each kind of PyYAML's events has attributes of its own

_DEPTH = 200

_CHECK = "Check its indentation and quotes."
_WRITE_OUT = "Write the value out where it is used."


def parse(text: str | bytes) -> Any:
    """Return what a YAML text holds: dictionaries, lists, texts, numbers, booleans, ``None``.

    Raises:
        DocumentError: It is not UTF-8, not YAML, or uses what the format does not allow. The line
            is named.
    """
    text = _decode(text)
    has_odd = _ODD.search(text) is not None
    if has_odd:
        text = _ODD.sub(lambda match: chr(ord(match[0]) + _OFFSET), text)
    try:
        return _Builder(yaml.parse(text, Loader=_LOADER), has_odd=has_odd).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _refused(mark, f"cannot be read: {error.problem}", _CHECK) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DocumentError(
            f"Line {line} holds a control character.", "Write it as an escape, in double quotes."
        ) from None


def _decode(text: str | bytes) -> str:
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise DocumentError(f"Line {line} is not UTF-8.", "Save the file as UTF-8.") from None
    if text.startswith("\ufeff"):
        raise DocumentError(
            "Line 1 begins with a byte order mark.", "Save the file as UTF-8 without one."
        )
    return text


class _Builder:
    """Turns the events of one document into values.

    Args:
        events: What libyaml yields.
        has_odd: Whether characters were replaced by stand-ins.
    """

    def __init__(self, events: Iterator[Event], *, has_odd: bool) -> None:
        self._events = events
        self._has_odd = has_odd

    def document(self) -> Any:
        """Return the value of the only document."""
        next(self._events)  # the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        value = self._value(next(self._events), 0)
        next(self._events)  # the document's end
        end = next(self._events)
        if not isinstance(end, yaml.StreamEndEvent):
            raise _refused(end.start_mark, "begins a second document", "Keep one document a file.")
        return value

    def _value(self, event: Event, depth: int) -> Any:
        _check(event)
        if depth > _DEPTH:
            raise _refused(event.start_mark, f"is nested more than {_DEPTH} deep", "Flatten it.")
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(item, depth + 1) for item in self._until(yaml.SequenceEndEvent)]
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(depth)
        return self._scalar(event) if event.implicit[0] else self._text(event)

    def _mapping(self, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            _check(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _refused(event.start_mark, "has a collection as a key", "Use a text.")
            key = self._text(event)
            if key == "<<" and event.implicit[0]:
                raise _refused(event.start_mark, "holds a merge key (<<)", _WRITE_OUT)
            if key in mapping:
                raise _refused(
                    event.start_mark, f"repeats the key {key!r}", "Remove one of the two."
                )
            mapping[key] = self._value(next(self._events), depth + 1)
        return mapping

    def _until(self, end: type) -> Iterator[Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _scalar(self, event: Event) -> Any:
        """Return what a plain scalar means in the core schema."""
        text = event.value
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INT.fullmatch(text):
            return int(text)
        if _BASED_INT.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _SPECIAL_FLOAT.fullmatch(text):
            return float(text.replace(".", ""))
        return self._text(event)

    def _text(self, event: Event) -> str:
        text: str = event.value
        if self._has_odd:
            return _STAND_IN.sub(lambda match: chr(ord(match[0]) - _OFFSET), text)
        return text


def _check(event: Event) -> None:
    """Refuse what the format does not allow anywhere."""
    if isinstance(event, yaml.AliasEvent):
        raise _refused(event.start_mark, f"holds an alias (*{event.anchor})", _WRITE_OUT)
    if event.anchor is not None:
        raise _refused(event.start_mark, f"holds an anchor (&{event.anchor})", "Remove it.")
    if event.tag is not None:
        raise _refused(event.start_mark, f"holds a tag ({event.tag})", "Remove it.")


def _refused(mark: Any, what: str, remedy: str) -> DocumentError:
    place = f"Line {mark.line + 1}" if mark else "The document"
    return DocumentError(f"{place} {what}.", remedy)

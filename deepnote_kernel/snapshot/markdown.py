"""Text blocks, images and separators as Markdown, and edited Markdown as text blocks.

Source: deepnote/deepnote, ``packages/blocks`` (``text-blocks.ts``, ``image-blocks.ts``), read
2026-11-20.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepnote_kernel.snapshot.models import Block

__all__ = ["MARKDOWN_TYPES", "edited_text", "markdown_source", "text_content"]

JSON = dict[str, Any]

_PATTERNS = {
    "text-cell-h1": re.compile(r"# (.+)"),
    "text-cell-h2": re.compile(r"## (.+)"),
    "text-cell-h3": re.compile(r"### (.+)"),
    "text-cell-p": re.compile(r"(.+)"),
    "text-cell-bullet": re.compile(r" *- (.+)"),
    "text-cell-todo": re.compile(r"- \[[ x]\] (.+)"),
    "text-cell-callout": re.compile(r"> (.+)"),
}

MARKDOWN_TYPES = frozenset({"markdown", "image", "separator", *_PATTERNS})
"""Types of blocks that are Markdown cells in Jupyter."""

# What would be markup inside a line; an underscore inside a word is none. Jupyter sets formulas
# between dollars.
_MARKUP = re.compile(r"[\\`*\[\]<$~]|(?<!\w)_|_(?!\w)")
_LEADING = re.compile(r"^(\s*)([#>+-]|\d+(?=[.)]))", re.MULTILINE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def markdown_source(block: Block) -> str:
    """Return the Markdown a block reads as."""
    if block.type == "markdown":
        return block.content
    if block.type == "image":
        return _image(block.metadata)
    if block.type == "separator":
        return "---"
    text = _formatted(block.content, block.metadata.get("formattedRanges"))
    if block.type == "text-cell-p":
        return _LEADING.sub(r"\1\\\2", text)
    first, following = _signs(block)
    return first + text.replace("\n", f"\n{following}")


def _signs(block: Block) -> tuple[str, str]:
    """Return what begins the first line of a text block, and what begins those after it."""
    if block.type == "text-cell-callout":
        return "> ", "> "
    if block.type == "text-cell-bullet":
        depth = block.metadata.get("indent_level")
        indent = "  " * min(depth, 9) if isinstance(depth, int) else ""
        return f"{indent}- ", f"{indent}  "
    if block.type == "text-cell-todo":
        return ("- [x] " if block.metadata.get("checked") is True else "- [ ] "), "  "
    level = "#" * int(block.type[-1])
    return f"{level} ", f"{level} "


def text_content(block_type: str, source: str) -> str:
    """Return the content of a text block that reads as one line of Markdown, else nothing."""
    match = _PATTERNS[block_type].fullmatch(source) if block_type in _PATTERNS else None
    return _ESCAPED.sub(r"\1", match[1]) if match else ""


def edited_text(block: Block, source: str) -> Block | None:
    """Return a text block with its cell's new text, or ``None`` where it could not hold it.

    It can hold one line without markup.
    """
    metadata = {k: v for k, v in block.metadata.items() if k != "formattedRanges"}
    if block.type == "text-cell-todo":
        metadata["checked"] = source.startswith("- [x]")
    content = text_content(block.type, source)
    edited = msgspec.structs.replace(block, content=content, metadata=metadata)
    return edited if markdown_source(edited) == source else None


def _image(metadata: JSON) -> str:
    attributes = {"src": metadata.get("deepnote_img_src")}
    if metadata.get("deepnote_img_width") != "actual":
        attributes["width"] = metadata.get("deepnote_img_width")
    attributes["align"] = metadata.get("deepnote_img_alignment")
    shown = "".join(f' {k}="{escape(str(v))}"' for k, v in attributes.items() if v)
    return f"<img{shown}>"


def _formatted(text: str, ranges: Any) -> str:
    """Return a text with its links and marks as Markdown, all else escaped."""
    pieces = []
    at = 0
    for start, end, one in _ranges(ranges):
        if not at <= start < end <= len(text):
            continue  # they follow one another in documents of Deepnote's
        pieces += [_escape(text[at:start]), _marked(text[start:end], one)]
        at = end
    return "".join([*pieces, _escape(text[at:])])


def _ranges(ranges: Any) -> Iterator[tuple[int, int, JSON]]:
    """Yield first and last code point of each range, and the range."""
    for one in ranges if isinstance(ranges, list) else []:
        start, end = (
            (one.get("fromCodePoint"), one.get("toCodePoint"))
            if isinstance(one, dict)
            else (None, None)
        )
        if isinstance(start, int) and isinstance(end, int):
            yield start, end, one


def _marked(text: str, one: JSON) -> str:
    if one.get("type") == "link":
        return f"[{_formatted(text, one.get('ranges'))}](<{one.get('url', '')}>)"
    inner = text.strip()  # a mark beside a blank would not be one
    marks = one.get("marks")
    if not inner or not isinstance(marks, dict):
        return _escape(text)
    shown = f"`{inner}`" if marks.get("code") else _escape(inner)
    for name, sign in (("strike", "~~"), ("italic", "*"), ("bold", "**")):
        if marks.get(name):
            shown = f"{sign}{shown}{sign}"
    before, _, after = text.partition(inner)
    return f"{before}{shown}{after}"


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text)

"""Text blocks as Markdown."""

from __future__ import annotations

from typing import Any

import pytest

from deepnote_kernel.snapshot import Block
from deepnote_kernel.snapshot.markdown import markdown_source

JSON = dict[str, Any]


def source(block_type: str, content: str = "", **metadata: Any) -> str:
    """Return the Markdown of a block."""
    return markdown_source(Block(id="b", type=block_type, content=content, metadata=metadata))


def marks(start: int, end: int, **names: bool) -> JSON:
    """Return a range of marked text, in code points."""
    return {"fromCodePoint": start, "toCodePoint": end, "marks": names, "type": "marks"}


@pytest.mark.parametrize(
    ("block_type", "metadata", "expected"),
    [
        ("markdown", {}, "a\nb"),
        ("text-cell-h1", {}, "# a\n# b"),
        ("text-cell-h3", {}, "### a\n### b"),
        ("text-cell-p", {}, "a\nb"),
        ("text-cell-bullet", {}, "- a\n  b"),
        ("text-cell-bullet", {"indent_level": 2}, "    - a\n      b"),
        ("text-cell-todo", {}, "- [ ] a\n  b"),
        ("text-cell-todo", {"checked": True}, "- [x] a\n  b"),
        ("text-cell-callout", {"color": "red"}, "> a\n> b"),
        ("separator", {}, "---"),
    ],
)
def test_a_text_block_reads_as_markdown(block_type: str, metadata: JSON, expected: str) -> None:
    """Of its kind, whatever the number of lines."""
    assert source(block_type, "a\nb", **metadata) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("2 * 3 * 4", r"2 \* 3 \* 4"),
        ("a_name, _b_", r"a_name, \_b\_"),
        ("$5 and <b>", r"\$5 and \<b>"),
        ("[x](y) `c` \\", r"\[x\](y) \`c\` \\"),
        ("# no title", r"\# no title"),
        ("1. no list", r"\1. no list"),
        ("Hello, world!", "Hello, world!"),
    ],
)
def test_a_text_is_no_markup(content: str, expected: str) -> None:
    """What looks like it is escaped, and nothing else."""
    assert source("text-cell-p", content) == expected


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([marks(0, 3, bold=True)], "**one** two \\*"),
        ([marks(3, 8, italic=True)], "one *two* \\*"),
        ([marks(4, 7, code=True, strike=True)], "one ~~`two`~~ \\*"),
        ([marks(0, 1, bold=True), marks(1, 3, italic=True)], "**o***ne* two \\*"),
        ([marks(3, 4, bold=True)], "one two \\*"),
        ([marks(0, 99, bold=True), marks(5, 2, bold=True), {"x": 1}, None], "one two \\*"),
        (
            [{"fromCodePoint": 4, "toCodePoint": 7, "type": "link", "url": "https://x.y/(z)"}],
            "one [two](<https://x.y/(z)>) \\*",
        ),
        (
            [
                {
                    "fromCodePoint": 0,
                    "toCodePoint": 7,
                    "type": "link",
                    "url": "u",
                    "ranges": [marks(4, 7, bold=True)],
                }
            ],
            "[one **two**](<u>) \\*",
        ),
        ("nothing", "one two \\*"),
    ],
)
def test_marks_and_links_are_markup(ranges: Any, expected: str) -> None:
    """Those that make sense."""
    assert source("text-cell-p", "one two *", formattedRanges=ranges) == expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, "<img>"),
        (
            {"deepnote_img_src": 'a"b.png', "deepnote_img_width": "actual"},
            '<img src="a&quot;b.png">',
        ),
        (
            {
                "deepnote_img_src": "a.png",
                "deepnote_img_width": "50%",
                "deepnote_img_alignment": "left",
            },
            '<img src="a.png" width="50%" align="left">',
        ),
    ],
)
def test_an_image_is_an_element(metadata: JSON, expected: str) -> None:
    """Markdown's own has no width."""
    assert source("image", **metadata) == expected

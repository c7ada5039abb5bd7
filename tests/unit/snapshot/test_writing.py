"""YAML that all readers agree on."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deepnote_kernel.snapshot.reading import parse
from deepnote_kernel.snapshot.writing import write
from tests.unit.snapshot.strategies import quick

# Deepnote's own check for what a document may not hold.
FORBIDDEN = re.compile(r"(^|\n)\s*(-\s+|[\w-]+:\s*)([&*]\w|![\w/-])|<<:")

CHARACTERS = st.characters(exclude_categories=["Cs"])
LINES = [
    "x = 1", "else:", "    *args, b = c", "  !pip install x", "- *a", "- ", "a: &b", "<<: *b", "",
    " ", "\t", "# c", "---", "...", "'\"", "é\u2028", "key:", "|", ">-", "\r", "%time", "\x1b[0m",
]  # fmt: skip
TEXTS = st.text(CHARACTERS) | st.lists(st.sampled_from(LINES)).map("\n".join)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)
DOCUMENTS = st.dictionaries(TEXTS, VALUES, min_size=1)


@given(DOCUMENTS)
@quick
def test_what_is_written_is_read_back(document: dict[str, Any]) -> None:
    """By our reader, by one of YAML 1.1, which has the most to misread, and by Deepnote's.

    Its check for anchors, aliases, tags and merge keys searches the raw text.
    """
    written = write(document)
    assert parse(written) == document
    assert yaml.safe_load(written) == document
    assert not FORBIDDEN.search(written)


@pytest.mark.parametrize(
    "text",
    [
        "yes", "null", "~", "12:30", "2026-11-20", "0o17", "1e5", "000000", "- *args", "a: &b",
        "<<: *base", "x: !tag", "#", "'", '"', "\\", "\t", " ", "", "a\r\nb",
        "\x7f", "\u2028", "é", "😀",
    ],
)  # fmt: skip
def test_a_text_stays_a_text(text: str) -> None:
    """Nothing in a text is taken for syntax, a date, a number or a boolean."""
    assert yaml.safe_load(write({"key": text, text: [text]})) == {"key": text, text: [text]}


@pytest.mark.parametrize("code", ["a = 1\nb = 2", "for x in y:\n\n    print(x)\n", "a\n\tb"])
def test_code_reads_as_code(code: str) -> None:
    """Several lines are a block where every reader takes them for one, quoted otherwise."""
    written = write({"content": code})
    assert parse(written) == {"content": code}
    assert written.startswith('content: "' if "\t" in code else "content: |")


def test_a_lone_surrogate_is_replaced() -> None:
    """Half a character cannot be written in UTF-8."""
    assert yaml.safe_load(write({"key": "a\udc80b"})) == {"key": "a\ufffdb"}


def test_numbers_without_end_are_written() -> None:
    """As YAML spells them, not JSON."""
    written = write({"a": math.inf, "b": -math.inf, "c": math.nan})
    assert written == "a: .inf\nb: -.inf\nc: .nan\n"
    assert str(parse(written)) == "{'a': inf, 'b': -inf, 'c': nan}"


def test_the_layout_is_that_of_a_person() -> None:
    """Collections are indented; words are plain, and so are lines."""
    document = {"a": {"b": [1, {"c": "x\n\ny", "d": []}], "e": {}}, "f": [[1, None], True, "on"]}
    assert write(document) == (
        "a:\n  b:\n    - 1\n    - c: |-\n        x\n\n        y\n      d: []\n  e: {}\n"
        'f:\n  - - 1\n    - null\n  - true\n  - "on"\n'
    )

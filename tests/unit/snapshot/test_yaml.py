"""YAML that all readers agree on."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deepnote_kernel.snapshot import dump

# Deepnote's own check for what a document may not hold, as far as it is known.
FORBIDDEN = re.compile(r"^\s*(- |\w+: )[&*!]\w|<<:", re.MULTILINE)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), DOCUMENTS, min_size=1))
def test_what_is_written_is_read_back(document: dict[str, Any]) -> None:
    """Any document of JSON values survives a YAML 1.1 reader, which has the most to misread."""
    assert yaml.safe_load(dump(document)) == document


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
    written = dump({"key": text, text: [text]})
    assert yaml.safe_load(written) == {"key": text, text: [text]}
    assert not FORBIDDEN.search(written)


def test_a_lone_surrogate_is_replaced() -> None:
    """Half a character cannot be written in UTF-8."""
    assert yaml.safe_load(dump({"key": "a\udc80b"})) == {"key": "a\ufffdb"}


def test_the_layout_is_that_of_a_person() -> None:
    """Collections are indented, keys are plain."""
    document = {"a": {"b": [1, {"c": None, "d": []}], "e": {}}, "f": [[1, 2], True]}
    assert dump(document) == (
        "a:\n  b:\n    - 1\n    - c: null\n      d: []\n  e: {}\nf:\n  - - 1\n    - 2\n  - true\n"
    )

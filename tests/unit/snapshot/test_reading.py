"""YAML as ``.deepnote`` documents have it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnote_kernel.errors import DocumentError
from deepnote_kernel.snapshot.reading import parse
from tests.unit.snapshot.strategies import quick


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("yes", "yes"), ("on", "on"), ("12:30", "12:30"), ("2026-11-20", "2026-11-20"),
        ("1.0.0", "1.0.0"), ("000000", "000000"), ("1_000", "1_000"), ("0b1", "0b1"), ("=", "="),
        ("True", True), ("false", False), ("~", None), ("", None), ("NULL", None),
        ("+5", 5), ("-0", 0), ("0o17", 15), ("0x1F", 31), ("9" * 30, int("9" * 30)),
        ("1e5", 1e5), (".5", 0.5), ("1.", 1.0), ("-.inf", -math.inf), ("'1'", "1"), ('""', ""),
        ("a\tb", "a\tb"), ('"\\x3c\\u00e9\\U0001F600"', "<é😀"), (">-\n  a\n  b", "a b"),
        ("|+\n  a\n", "a\n"), ("[a, {b: c}]", ["a", {"b": "c"}]), ("x\u2028y", "x\u2028y"),
        ("|\n  x\u2028y\n  z\n", "x\u2028y\nz\n"), ("'\x7f\x85'", "\x7f\x85"),
        ("|\n  - *args\n  a: &b\n  <<: !c\n", "- *args\na: &b\n<<: !c\n"),
    ],
)  # fmt: skip
def test_a_scalar_means_what_the_core_schema_says(written: str, expected: object) -> None:
    """Dates, times of day and the words of YAML 1.1 are texts."""
    read = parse(f"key: {written}")
    assert read == {"key": expected}
    assert type(read["key"]) is type(expected)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("", None), ("# nothing\n", None), ("1: a\nnull: b", {"1": "a", "null": "b"})],
)
def test_keys_are_texts(written: str, expected: object) -> None:
    """Whatever they would be as values."""
    assert parse(written) == expected


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2", r"Line 4 repeats the key 'c'\. Remove one"),
        ("a: 1\nb: &x 1", r"Line 2 holds an anchor \(&x\)\. Remove it"),
        ("a: [1,\n *x]", r"Line 2 holds an alias \(\*x\)\. Write the value out"),
        ("a:\n  <<: {b: c}", r"Line 2 holds a merge key \(<<\)\. Write the value out"),
        ("a: !!python/none 1", r"Line 1 holds a tag .*\. Remove it"),
        ("? [a]\n: b", r"Line 1 has a collection as a key\. Use a text"),
        ("a: 1\n---\nb: 1", r"Line 2 begins a second document\. Keep one"),
        ("\ufeffa: 1", r"Line 1 begins with a byte order mark\. Save"),
        (b"a: 1\nb: \xff", r"Line 2 is not UTF-8\. Save"),
        ("a: 1\nb: [1", r"Line \d cannot be read: .*\. Check its indentation"),
        ("a: 1\nb: '\x01'", r"Line 2 holds a control character\. Write it as an escape"),
        ("a: " + "[" * 300 + "]" * 300, r"Line 1 is nested more than 200 deep\. Flatten it"),
    ],
)
def test_what_the_format_does_not_allow_is_refused(written: str | bytes, message: str) -> None:
    """In one line that names the place and the remedy."""
    with pytest.raises(DocumentError, match=message) as caught:
        parse(written)
    assert "\n" not in str(caught.value)


@given(
    st.text() | st.binary() | st.lists(st.sampled_from("-:?[]{},&*!|>'\"%@`# \n\ta0")).map("".join)
)
@quick
def test_any_text_is_read_or_refused(text: Any) -> None:
    """There is no other error, whatever the text."""
    try:
        parse(text)
    except DocumentError as error:
        assert str(error)  # noqa: PT017 - most texts are refused, some are not

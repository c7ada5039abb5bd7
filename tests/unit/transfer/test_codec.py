"""Values as bytes and back."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnote_kernel.transfer import codec

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)

ARRAYS = [
    np.arange(6).reshape(2, 3),
    np.array(1.5),
    np.array(["a", "bc"]),
    np.array([1 + 2j]),
    np.zeros((0, 4), dtype="datetime64[s]"),
]

FRAMES = [
    pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, float("nan")]}),
    pd.DataFrame({"t": pd.date_range("2020", periods=2, tz="Europe/Prague")}, index=["p", "q"]),
    pd.DataFrame({"c": pd.Categorical(["u", "v", "u"])}),
    pd.DataFrame(),
]

SERIES = [
    pd.Series([1, 2]),
    pd.Series([1, 2], name="n"),
    pd.Series(["a"], index=pd.Index([9], name="i"), name=0),
]


def _there_and_back(value: object, **options: Any) -> Any:
    return codec.decode(*codec.encode(value, **options))


@given(JSON)
def test_what_json_holds(value: object) -> None:
    """It comes back equal, and of the same type."""
    back = _there_and_back(value)
    assert back == value
    assert repr(back) == repr(value)


@given(st.binary())
def test_bytes(value: bytes) -> None:
    """They travel as they are."""
    assert _there_and_back(value) == value


@pytest.mark.parametrize("value", ARRAYS, ids=lambda value: str(value.dtype))
def test_arrays(value: Any) -> None:
    """Shape, type and values are kept."""
    back = _there_and_back(value)
    assert back.dtype == value.dtype
    np.testing.assert_array_equal(back, value)


@pytest.mark.parametrize("value", FRAMES, ids=["mixed", "times", "categories", "empty"])
def test_frames(value: pd.DataFrame) -> None:
    """Columns, index, types and missing values are kept."""
    pd.testing.assert_frame_equal(_there_and_back(value), value)


@pytest.mark.parametrize("value", SERIES, ids=["unnamed", "named", "named 0"])
def test_series(value: pd.Series[Any]) -> None:
    """Name and index are kept."""
    pd.testing.assert_series_equal(_there_and_back(value), value)


def test_arrow_tables() -> None:
    """They travel as they are."""
    table = pa.table({"a": [1, None]})
    assert _there_and_back(table).equals(table)


@pytest.mark.parametrize(
    "value",
    [
        (1, 2),
        {1: "a"},
        {"a": {1}},
        object(),
        np.array([object()]),
        pd.DataFrame({"a": [1], 2: [3]}),
        pd.DataFrame({"a": [1, "x"]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_is_pickled_unasked(value: object) -> None:
    """What no format holds exactly is refused rather than changed."""
    with pytest.raises(TypeError, match="can only be pickled"):
        codec.encode(value)


def test_pickle_on_request() -> None:
    """Then anything goes that can be pickled."""
    assert _there_and_back((1, {2}), allow_pickle=True) == (1, {2})


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the far side's part prints."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    return stream


def test_a_part_that_comes_twice_counts_once(said: io.StringIO) -> None:
    """A call whose answer was lost may be sent again."""
    for number, data in [(0, "YQ=="), (0, "YQ=="), (1, "Yg=="), (1, "Yg==")]:
        codec.take(number, data)
    namespace: dict[str, object] = {}
    digest = "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603"
    codec.store(namespace, "x", "bytes", digest)
    assert namespace == {"x": b"ab"}
    assert said.getvalue() == ""


def test_damage_is_noticed(said: io.StringIO) -> None:
    """A variable is never made of something else than was sent."""
    namespace: dict[str, object] = {}
    codec.take(0, "YQ==")
    with pytest.raises(ValueError, match="damaged"):
        codec.store(namespace, "x", "bytes", "0" * 64)
    assert namespace == {}

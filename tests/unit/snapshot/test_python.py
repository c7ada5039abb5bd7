"""Blocks as Python that runs anywhere."""

from __future__ import annotations

import ast
from typing import Any

import pandas as pd
import pytest

from deepnote_kernel.snapshot import Block
from deepnote_kernel.snapshot.python import DATAFRAME_INTEGRATION, python_source

CALL = {"function_notebook_id": "n", "function_notebook_inputs": {"a": 1}}


def source(block_type: str, content: str = "", **metadata: Any) -> str:
    """Return the Python of a block."""
    return python_source(Block(id="b", type=block_type, content=content, metadata=metadata))


@pytest.fixture
def names() -> dict[str, Any]:
    """A namespace with a data frame."""
    return {"df": pd.DataFrame({"a": [1, 2], "at": pd.to_datetime(["2026-11-20", "2026-11-21"])})}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT sum(a) AS total FROM df;",
        "SELECT sum(a) AS total\nFROM df\nWHERE '\\' <> '\"\"\"'",
        "SELECT sum(a) AS total FROM df WHERE '\x7f' <> ''",
    ],
)
def test_a_query_runs_over_data_frames(names: dict[str, Any], query: str) -> None:
    """Its result is in the block's variable, and shown."""
    code = source("sql", query, deepnote_variable_name="my result")
    exec(code, names)
    assert names["my_result"].total.tolist() == [3]
    assert code.endswith("\nmy_result")


def test_a_preview_is_not_computed(names: dict[str, Any]) -> None:
    """It stays a relation that further queries can name."""
    metadata = {
        "deepnote_variable_name": "preview",
        "deepnote_return_variable_type": "query_preview",
    }
    exec(source("sql", "SELECT a FROM df", **metadata), names)
    exec(source("sql", "SELECT max(a) AS m FROM preview", deepnote_variable_name="x"), names)
    assert names["x"].m.tolist() == [2]


@pytest.mark.parametrize(
    ("integration", "query", "comments"),
    [
        (DATAFRAME_INTEGRATION, "SELECT 1", 0),
        ("warehouse", "SELECT 1", 1),
        ("warehouse", "SELECT {{ x }}", 2),
    ],
)
def test_a_query_says_what_it_lacks_here(integration: str, query: str, comments: int) -> None:
    """A database, or values that Deepnote fills in."""
    code = source("sql", query, sql_integration_id=integration)
    assert code.count("# ") == comments
    assert ("warehouse" in code) == (integration == "warehouse")


def test_a_chart_is_one_any_front_end_draws(
    names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Vega-Lite with the frame's rows, without formats only Deepnote knows."""
    number = {"type": "default", "decimals": None}
    spec = {
        "mark": 'b"\\n"""',
        "encoding": {
            "x": {"field": "a", "format": number, "formatType": "numberFormatFromNumberType"},
            "y": {"field": "at", "axis": {"format": "%Y"}, "sort": None},
        },
    }
    code = source("visualization", deepnote_variable_name="df", deepnote_visualization_spec=spec)
    exec(code, names)
    (shown,) = ast.literal_eval(capsys.readouterr().out).values()
    assert shown == {
        "mark": 'b"\\n"""',
        "encoding": {
            "x": {"field": "a"},
            "y": {"field": "at", "axis": {"format": "%Y"}, "sort": None},
        },
        "data": {
            "values": [
                {"a": 1, "at": "2026-11-20T00:00:00.000"},
                {"a": 2, "at": "2026-11-21T00:00:00.000"},
            ]
        },
    }


def test_a_big_number_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """With what it is compared to."""
    metadata = {
        "deepnote_big_number_title": "It's",
        "deepnote_big_number_value": "x",
        "deepnote_big_number_comparison_value": "y",
    }
    exec(source("big-number", **metadata), {"x": 7, "y": 6})
    assert capsys.readouterr().out == "It's: 7\n6\n"


@pytest.mark.parametrize(
    ("metadata", "value"),
    [
        ({"deepnote_variable_name": "x", "deepnote_button_behavior": "set_variable"}, False),
        ({"deepnote_variable_name": "x", "deepnote_button_behavior": "run"}, None),
    ],
)
def test_a_button_is_not_pressed(metadata: dict[str, str], value: object) -> None:
    """It sets its variable where it has one."""
    found: dict[str, Any] = {}
    exec(source("button", deepnote_button_title="Go\non", **metadata), found)
    assert found.get("x") is value


@pytest.mark.parametrize(
    ("block_type", "content", "metadata", "said"),
    [
        ("agent", "Do\n\nthis", {}, "Do\n#\n# this"),
        ("notebook-function", "", CALL, 'notebook n here, with the inputs {"a": 1}'),
        ("notebook-function", "", {}, "that is not chosen yet"),
        ("pivot-table", "", {}, "type pivot-table"),
        ("newer", "a\nb", {}, "# a\n# b"),
        ("visualization", "", {"deepnote_variable_name": "df"}, "without data"),
        ("big-number", "", {}, "without a value"),
    ],
)  # fmt: skip
def test_what_only_deepnote_runs_is_a_comment(
    block_type: str, content: str, metadata: dict[str, Any], said: str
) -> None:
    """That says what it is."""
    code = source(block_type, content, **metadata)
    assert said in code
    assert ast.parse(code).body == []

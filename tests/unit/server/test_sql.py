"""SQL blocks: the code they become, and its half in the kernel over DuckDB."""

from __future__ import annotations

import sys
from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from deepnote_kernel.server.blocks import far_sql
from deepnote_kernel.server.blocks.programs import UnsupportedBlockError, program_of


@pytest.fixture(name="variables")
def _variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The user's variables in a kernel."""
    names: dict[str, Any] = {
        "frame": pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]}),
        "n": 2,
        "day": date(2026, 11, 20),
        "texts": ["x", "z"],
        "nothing": [],
        "table": "frame",
    }
    shell = SimpleNamespace(user_ns=names)
    monkeypatch.setattr(far_sql, "get_ipython", lambda: shell, raising=False)
    return names


def block(content: str, **metadata: Any) -> dict[str, Any]:
    """Return a SQL block."""
    return {"id": "b", "type": "sql", "content": content, "metadata": metadata}


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select a from frame where a > 1", [[2], [3]]),
        ("select a from frame where a >= {{ n }}", [[2], [3]]),
        ("select a from frame where a = {{ n + 1 }}", [[3]]),
        ("select a from frame where a > {{ frame.a.min() }}", [[2], [3]]),
        ("select a from frame where b in {{ texts | inclause }}", [[1], [3]]),
        ("select a from frame where b in {{ nothing | inclause }}", []),
        ("select max(a) from {{ table | sqlsafe }}", [[3]]),
        ("select 1{% if n > 1 %}, {{ n }}{% endif %}", [[1, 2]]),
        ('select {{ "\'; drop" }}', [["'; drop"]]),
        ("select year({{ day }})", [[2026]]),
    ],
)
def test_a_query_sees_variables(variables: dict[str, Any], query: str, rows: list[Any]) -> None:
    """Dataframes are its tables; expressions are bound, so that none is taken for SQL."""
    assert far_sql.query(query).to_numpy().tolist() == rows


def test_tables_last(variables: dict[str, Any]) -> None:
    """What one block creates the next one finds."""
    far_sql.query("create or replace table kept as select 1 as a")
    far_sql.query("insert into kept values (2)")
    assert far_sql.query("select sum(a) as total from kept").total.tolist() == [3]


def test_a_preview_is_the_first_rows_and_queries_see_all(variables: dict[str, Any]) -> None:
    """What is derived from it in Python is a dataframe like any other."""
    preview = far_sql.query("select * from range(1000) t(i)", is_preview=True)
    variables.update(preview=preview, head=preview.head(7))
    assert len(preview) == far_sql.PREVIEW_ROWS
    assert far_sql.query("select count(*) as n from preview").n.tolist() == [1000]
    assert far_sql.query("select count(*) as n from head").n.tolist() == [7]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("selec 1", "ParserException: Parser Error: syntax error"),
        ("select * from nonesuch", "CatalogException: Catalog Error: Table with name nonesuch"),
        ("select {{ nonesuch }}", "UndefinedError: 'nonesuch' is undefined"),
        ("select {{ }}", "TemplateSyntaxError: Expected an expression"),
    ],
)
def test_an_error_is_shown_without_frames(
    variables: dict[str, Any], query: str, message: str
) -> None:
    """They would be none of the user's; the type and the sentence say it all."""
    with pytest.raises(Exception, match=r".") as caught:
        far_sql.query(query)
    shown: Any = caught.value
    (line,) = shown._render_traceback_()
    assert line.startswith(message)


def test_what_is_missing_is_named_with_its_remedy(
    variables: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence with the command that installs it."""
    for name in ("duckdb", "jinja2", "pandas"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=r"Run: %pip install duckdb pandas$"):
        far_sql.query("select 1")
    with pytest.raises(ModuleNotFoundError, match=r"Run: %pip install duckdb pandas jinja2$"):
        far_sql.query("select {{ 1 }}")


def test_the_result_goes_into_its_variable() -> None:
    """And is shown."""
    program = program_of(block("select 1", deepnote_variable_name="my rows"))
    assert program is not None
    assert program.code.startswith("my_rows = ")
    assert program.code.endswith("\nmy_rows")


def test_an_outside_integration_cannot_be_reached() -> None:
    """The message names it."""
    with pytest.raises(UnsupportedBlockError, match="queries integration other"):
        program_of(block("select 1", sql_integration_id="other"))


def test_dataframes_are_no_outside_integration() -> None:
    """Deepnote's own name for them is taken for what it is."""
    assert program_of(block("select 1", sql_integration_id="deepnote-dataframe-sql"))


def test_an_empty_query_is_no_program() -> None:
    """There is nothing to run."""
    assert program_of(block(" \n")) is None

"""The half of SQL blocks that runs inside the kernel, over DuckDB.

Its source is sent to the kernel, whose environment may lack this package: it stands alone, and
imports what it needs when a query does. The kernel's dataframes are tables; tables that a query
creates last as long as the kernel. ``{{ … }}`` is Jinja: an expression becomes a bound parameter,
never text of the query, except through ``sqlsafe``; ``inclause`` makes a list fit for ``IN``.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

__all__ = ["query"]

PREVIEW_ROWS = 100
_RELATION = "_deepnote_relation"


class _Verbatim(str):
    """Text that is part of a query as it stands."""

    __slots__ = ()


def query(template: str, *, is_preview: bool = False) -> Any:
    """Run a query on the user's variables.

    Args:
        template: The query, in which Jinja may stand.
        is_preview: Return the first rows alone. Queries on that result still see all of it.

    Returns:
        A dataframe, or ``None`` where the statement has no result.
    """
    try:
        _require("duckdb", "pandas", *(["jinja2"] if _is_template(template) else []))
        variables = get_ipython().user_ns  # type: ignore[name-defined]  # noqa: F821 - a builtin there
        return _engine().run(*_filled_in(template, variables), variables, is_preview=is_preview)
    except Exception as error:
        lines = [f"{type(error).__name__}: {error}"]
        # IPython asks an error for its traceback; the frames of this one would be ours alone.
        error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
        raise


@functools.cache
def _engine() -> _Engine:
    return _Engine()


class _Engine:
    """A database in memory and the type of result that remembers its query."""

    def __init__(self) -> None:
        import duckdb  # noqa: PLC0415
        import pandas as pd  # noqa: PLC0415

        class QueryPreview(pd.DataFrame):  # type: ignore[misc]
            """The first rows of a result; what is derived from it is a plain dataframe."""

        self._connection = duckdb.connect(":memory:")
        self._preview = QueryPreview

    def run(
        self, text: str, values: dict[str, Any], variables: dict[str, Any], *, is_preview: bool
    ) -> Any:
        """Run a query; arguments as :func:`query`'s, after Jinja."""
        tables = {
            name: vars(value)[_RELATION] if type(value) is self._preview else value
            for name, value in variables.items()
        }
        ask = functools.partial(self._connection.sql, text, params=values or None)
        # DuckDB looks for tables among the variables of the code that calls it.
        relation = eval("_deepnote_ask()", {**tables, "_deepnote_ask": ask})  # noqa: S307 - ours
        if relation is None:
            return None
        if not is_preview:
            return relation.df()
        preview = self._preview(relation.limit(PREVIEW_ROWS).df())
        object.__setattr__(preview, _RELATION, relation)  # pandas takes it for a column otherwise
        return preview


def _require(*names: str) -> None:
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(
            f"SQL blocks need {' and '.join(missing)}, missing in the kernel's environment. "
            f"Run: %pip install {' '.join(missing)}"
        )


def _is_template(text: str) -> bool:
    return any(mark in text for mark in ("{{", "{%", "{#"))


def _filled_in(template: str, variables: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the query with parameters in place of expressions, and the parameters' values."""
    values: dict[str, Any] = {}
    if not _is_template(template):
        return template, values
    import jinja2  # noqa: PLC0415

    @jinja2.pass_context  # else Jinja binds constants once, when it compiles the template
    def bind(_: object, value: Any) -> str:
        if isinstance(value, _Verbatim):
            return value
        if isinstance(value, jinja2.Undefined):
            return str(value)  # raises, and names what is undefined
        name = f"deepnote_{len(values)}"
        values[name] = value.item() if hasattr(value, "dtype") and value.ndim == 0 else value
        return f"${name}"

    def inclause(items: Any) -> _Verbatim:
        return _Verbatim(f"({', '.join(bind(None, item) for item in items) or 'NULL'})")

    environment = jinja2.Environment(  # noqa: S701 - SQL, not HTML
        finalize=bind, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(sqlsafe=_Verbatim, inclause=inclause)
    return environment.from_string(template).render(variables), values

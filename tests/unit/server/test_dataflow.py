"""Data flow between blocks: which names they use and change, and what depends on what."""

from __future__ import annotations

from typing import Any

import pytest

from deepnote_kernel.server.blocks.dataflow import dependents, sql_flow
from deepnote_kernel.server.blocks.python_flow import code_flow
from deepnote_kernel.server.execution.runs import select
from deepnote_kernel.server.storage.store import Block, Notebook


def notebook(*contents: str | tuple[str, str, dict[str, Any]]) -> list[Block]:
    """Return blocks with ids from 0; code, or type, content and metadata."""
    blocks = []
    for number, content in enumerate(contents):
        kind, text, metadata = ("code", content, {}) if isinstance(content, str) else content
        blocks.append(
            Block(
                id=str(number),
                notebook_id="n",
                type=kind,
                content=text,
                metadata=metadata,
                integration_id=None,
                version=1,
                position=number,
            )
        )
    return blocks


def found(blocks: list[Block], *numbers: int) -> list[int]:
    """Return the numbers of the blocks that depend on others."""
    return [int(block.id) for block in dependents(blocks, [str(number) for number in numbers])]


def named(kind: str, variable: str, content: str = "", **metadata: Any) -> tuple[str, str, Any]:
    """Return a block that sets a variable."""
    return kind, content, {"deepnote_variable_name": variable, **metadata}


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("y = x", {"x"}),
        ("x = 1\ny = x", set()),
        ("x = x + 1", {"x"}),
        ("x += 1", {"x"}),
        ("for i in xs:\n    i", {"xs"}),
        ("for i in xs:\n    a = 1\na", {"xs", "a"}),
        ("[a for a in xs if a > t]", {"xs", "t"}),
        ("{a: {b for b in y} for a in x if (c := a)}", {"x", "y"}),
        ("lambda a: a + b", {"b"}),
        ("def f(a, c=d):\n    e = 1\n    return a + b + e", {"b", "d"}),
        ("def f():\n    return b\nb = 1", set()),
        ("class A(B):\n    c = d\n    def m(self):\n        return e", {"B", "d", "e"}),
        ("with open_it() as f:\n    f.read()", {"open_it"}),
        ("try:\n    a = 1\nexcept E as e:\n    e\na", {"E", "a"}),
        ("if a:\n    b = 1\nelse:\n    b = 2\nb", {"a"}),
        ("if a:\n    b = 1\nb", {"a", "b"}),
        ("while a:\n    b = 1", {"a"}),
        ("match a:\n  case [b, *c] if d: b, c\n  case {'k': e, **f}: e, f", {"a", "d"}),
        ("f'{a:>{b}}'", {"a", "b"}),
        ("await a", {"a"}),
        ("[i async for i in a]", {"a"}),
        ("x: int", {"int"}),
        ("del a\na = 1", set()),
        ("a = 1 +", set()),
        ("\x00", set()),
    ],
)  # fmt: skip
def test_code_uses_names_from_outside(source: str, used: set[str]) -> None:
    """Those whose value it reads before it sets one."""
    assert code_flow(source).uses == used


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("a = b = 1", {"a", "b"}),
        ("(a, *b), c.d = x", {"a", "b", "c"}),
        ("a[0] = 1", {"a"}),
        ("a.b[0].c = 1", {"a"}),
        ("del a['b']", {"a"}),
        ("a.b.append(1)", {"a"}),
        ("a.dropna(inplace=True)", {"a"}),
        ("a.head()", set()),
        ("print(b := 1)", {"b"}),
        ("def f(a):\n    a[0] = 1", {"f"}),
        ("def f():\n    global a\n    a = 1", {"a", "f"}),
        ("for a in b:\n    c = 1", {"a", "c"}),
        ("if b:\n    a = 1", {"a"}),
        ("a: int", set()),
    ],
)
def test_code_changes_names(source: str, changed: set[str]) -> None:
    """Those it sets, and those whose value it changes in place."""
    assert code_flow(source).changes == changed


@pytest.mark.parametrize(
    ("source", "used", "changed"),
    [
        ("%time y = x", {"x"}, {"y"}),
        ("%timeit -n 10 -r 3 f(x)", {"f", "x"}, set()),
        ("%%time\ny = x", {"x"}, {"y"}),
        ("%%capture out\nprint(x)", {"print", "x"}, {"out"}),
        ("%%bash\necho $x", set(), set()),
        ("!ls {folder}/$name", {"folder", "name"}, set()),
        ("files = !ls $folder", {"folder"}, {"files"}),
        ("%pip install nothing\ny = x", {"x"}, {"y"}),
        ("x?", set(), set()),
    ],
)
def test_magics_and_commands_are_no_obstacle(
    source: str, used: set[str], changed: set[str]
) -> None:
    """Python in them is read, and so are the variables they expand."""
    flow = code_flow(source)
    assert (flow.uses - {"get_ipython"}, flow.changes) == (used, changed)


@pytest.mark.parametrize(
    ("query", "used"),
    [
        ("select a from t", {"t"}),
        ("select * from t where a > {{ limit }}", {"t", "limit"}),
        ("select * from t where a > 'u' -- v\n/* w */", {"t"}),
        ("{# u #}{% if flag %} select * from t {% endif %}", {"t", "flag"}),
    ],
)
def test_a_query_uses_tables_and_variables(query: str, used: set[str]) -> None:
    """Not what stands in its texts and comments."""
    flow = sql_flow(query, None)
    assert flow.uses & {"t", "u", "v", "w", "limit", "flag"} == used
    assert not flow.changes


@pytest.mark.parametrize(
    "query",
    [
        "create or replace table t as select 1",
        'insert into "t" values (1)',
        "update t set a = 1",
        "drop table if exists t",
    ],
)
def test_a_query_changes_tables(query: str) -> None:
    """Tables last from block to block, like variables."""
    assert "t" in sql_flow(query, None).changes


def test_dependents_are_found_through_others() -> None:
    """In the notebook's order; what is before, or unrelated, is not among them."""
    blocks = notebook("z = x", "x = 1", "y = x", "other = 1", "print(y)")
    assert found(blocks, 1) == [2, 4]


def test_what_ran_is_not_run_again() -> None:
    """Even where it depends on what else ran."""
    assert found(notebook("x = 1", "y = x", "print(y)"), 0, 1) == [2]


def test_a_value_that_is_replaced_flows_no_further() -> None:
    """Blocks after that use another value."""
    assert found(notebook("x = 1", "print(x)", "x = 2", "print(x)"), 0) == [1]


def test_a_value_that_may_be_replaced_still_flows() -> None:
    """Whether the branch is taken is not known."""
    assert found(notebook("x = 1", "if c:\n    x = 2", "print(x)"), 0) == [2]


def test_a_value_changed_in_place_flows_on() -> None:
    """Whoever reads it later depends on the change."""
    assert found(notebook("x = []", "x.append(1)", "print(x)"), 1) == [2]


def test_a_function_brings_along_what_it_uses() -> None:
    """Who calls it depends on that as well, though the name does not appear."""
    blocks = notebook("def f():\n    return g()", "def g():\n    return rate", "rate = 2", "f()")
    assert found(blocks, 2) == [3]


@pytest.mark.parametrize(
    ("mode", "with_dependents", "selected"),
    [
        ("block", False, ["2", "0"]),
        ("block", True, ["2", "0", "1", "3"]),
        ("downstream", False, ["2", "0", "1", "3"]),
    ],
)
def test_dependents_are_selected_where_asked_for(
    mode: str, selected: list[str], *, with_dependents: bool
) -> None:
    """By the run, or by the notebook's execution mode; those named come first."""
    blocks = notebook("x = 1", "print(x)", "y = 2", "print(y)")
    owner = Notebook(
        id="n",
        project_id="p",
        name="N",
        source_id=None,
        created_at="",
        updated_at="",
        settings={"executionMode": mode},
    )
    selection = select(owner, blocks, ["2", "0"], with_dependents=with_dependents)
    assert [block.id for block in selection.blocks] == selected


def test_imports_are_no_data() -> None:
    """To import a module again changes nothing, nor does a setting of it flow to all its users."""
    blocks = notebook("import m\nx = 1", "m.option['a'] = x", "m.f()", "print(x)")
    assert found(blocks, 0) == [1, 3]


def test_data_flows_through_all_kinds_of_blocks() -> None:
    """Inputs, queries, buttons and code; text has no part in it."""
    blocks = notebook(
        named("input-slider", "limit"),
        ("markdown", "limit", {}),
        named("sql", "rows", "select * from frame where a > {{ limit }}"),
        named("button", "pressed", deepnote_button_behavior="set_variable"),
        "print(rows)",
        "print(pressed)",
    )
    assert found(blocks, 0) == [2, 4]
    assert found(blocks, 3) == [5]

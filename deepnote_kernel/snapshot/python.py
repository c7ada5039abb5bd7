"""Blocks that run, as the Python of a Jupyter cell, and edited Python as blocks.

An input sets its variable, a query runs in DuckDB over the data frames at hand, a chart is drawn by
the front end from its Vega-Lite description, a big number is printed. What only Deepnote can run
(agents, notebook functions) is a comment.

Source: deepnote/deepnote, ``packages/blocks``, for what the blocks' metadata says; read 2026-11-20.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.snapshot.inputs import INPUT_PREFIX, assignment, variable_name
from deepnote_kernel.snapshot.validation import has_valid_metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.snapshot.models import Block

__all__ = ["DATAFRAME_INTEGRATION", "edited_python", "python_source"]

JSON = dict[str, Any]

_TASK = "Deepnote gives an agent this task here:"

DATAFRAME_INTEGRATION = "deepnote-dataframe-sql"
"""The integration of queries over data frames, which DuckDB answers in the kernel."""

_CHART = """\
import json

from IPython.display import display

display(
    {{
        "application/vnd.vegalite.v5+json": json.loads({spec})
        | {{"data": {{"values": json.loads({frame}.to_json(orient="records", date_format="iso"))}}}}
    }},
    raw=True,
)"""

_UNPRINTABLE = re.compile(r"[^\n\t -\ud7ff\ue000-\U0010ffff]|\x7f")


def python_source(block: Block) -> str:
    """Return the Python a block stands for in a notebook that runs elsewhere."""
    if block.type == "code":
        return block.content
    if block.type.startswith(INPUT_PREFIX):
        return assignment(block.type, block.metadata)
    return _SOURCES.get(block.type, _unknown)(block)


def edited_python(block: Block, source: str) -> Block | None:
    """Return a block with its cell's new text, or ``None`` where a block of its type cannot be it.

    An input takes over another value or name, a query another text or name, an agent another task.
    """
    edit = _edited_input if block.type.startswith(INPUT_PREFIX) else _EDITS.get(block.type)
    edited = edit(block, source) if edit else None
    if edited is None or not has_valid_metadata(edited):
        return None
    return edited if _is_same(python_source(edited), source) else None


def _comment(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.splitlines())


def _unknown(block: Block) -> str:
    return _comment(f"A block of type {block.type}, which only Deepnote can show.\n{block.content}")


def _task(block: Block) -> str:
    return _comment(f"{_TASK}\n{block.content}")


def _function(block: Block) -> str:
    called = block.metadata.get("function_notebook_id") or "that is not chosen yet"
    inputs = json.dumps(block.metadata.get("function_notebook_inputs") or {})
    return _comment(f"Deepnote runs the notebook {called} here, with the inputs {inputs}.")


def _button(block: Block) -> str:
    title = _comment(f"Button: {block.metadata.get('deepnote_button_title') or 'Run'}")
    return f"{title}\n{assignment(block.type, block.metadata)}".rstrip()


def _query(block: Block) -> str:
    metadata = block.metadata
    lines = []
    integration = metadata.get("sql_integration_id")
    if integration and integration != DATAFRAME_INTEGRATION:
        lines.append(_comment(f"Deepnote sends this query to its integration {integration}."))
    if "{{" in block.content or "{%" in block.content:
        lines.append("# Deepnote fills in what stands in braces.")
    is_preview = metadata.get("deepnote_return_variable_type") == "query_preview"
    query = f"duckdb.sql({_literal(block.content)})" + ("" if is_preview else ".df()")
    lines += ["import duckdb", ""]
    if not metadata.get("deepnote_variable_name"):
        return "\n".join([*lines, query])
    name = variable_name(metadata)
    return "\n".join([*lines, f"{name} = {query}", name])


def _literal(text: str) -> str:
    """Return a Python string of several lines that reads as the text itself."""
    if _UNPRINTABLE.search(text):
        return repr(text)
    escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return f'"""\n{escaped}\n"""'


def _chart(block: Block) -> str:
    metadata = block.metadata
    spec = metadata.get("deepnote_visualization_spec")
    if not metadata.get("deepnote_variable_name") or not isinstance(spec, dict):
        return "# A chart without data."
    drawn = json.dumps(_without_formats(spec), ensure_ascii=False, indent=2)
    return _CHART.format(spec=f'r"""\n{drawn}\n"""', frame=variable_name(metadata))


def _without_formats(spec: Any) -> Any:
    """Leave out formats of numbers that only Deepnote's own renderer knows."""
    if isinstance(spec, list):
        return [_without_formats(item) for item in spec]
    if not isinstance(spec, dict):
        return spec
    left_out = {"formatType"} | {k for k in ("format",) if isinstance(spec.get(k), dict)}
    return {k: _without_formats(v) for k, v in spec.items() if k not in left_out}


def _big_number(block: Block) -> str:
    metadata = block.metadata
    lines = []
    for prefix in ("deepnote_big_number", "deepnote_big_number_comparison"):
        title, value = (metadata.get(f"{prefix}_{part}") for part in ("title", "value"))
        if value:
            name = variable_name({"deepnote_variable_name": value})
            lines.append(f"print({f'{title}:'!r}, {name})" if title else f"print({name})")
    return "\n".join(lines) or "# A big number without a value."


def _edited_input(block: Block, source: str) -> Block | None:
    statements = _parsed(source)
    last = statements[-1] if statements else None
    if not isinstance(last, ast.Assign) or not isinstance(last.targets[0], ast.Name):
        return None
    metadata = {
        **block.metadata,
        "deepnote_variable_name": last.targets[0].id,
        "deepnote_variable_value": _stored(block, last.value),
    }
    return msgspec.structs.replace(block, metadata=metadata)


def _stored(block: Block, node: ast.expr) -> Any:
    """Return the value of an expression as a block of this type stores it."""
    if isinstance(node, ast.List) and block.type == "input-date-range":
        return [_stored(block, item) for item in node.elts]
    if isinstance(node, ast.Call) and node.args:  # of a date's text
        node = node.args[0]
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return ""
    if value is None:
        return ""
    return repr(value) if block.type == "input-slider" else value


def _edited_query(block: Block, source: str) -> Block | None:
    metadata = dict(block.metadata)
    texts = []
    for statement in _parsed(source) or []:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            metadata["deepnote_variable_name"] = statement.targets[0].id
        texts += [
            node.value
            for node in ast.walk(statement)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
    if len(texts) != 1:
        return None
    content = texts[0].removeprefix("\n").removesuffix("\n")
    return msgspec.structs.replace(block, content=content, metadata=metadata)


def _edited_task(block: Block, source: str) -> Block | None:
    lines = source.splitlines()[1:]
    content = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
    return msgspec.structs.replace(block, content=content)


_SOURCES: dict[str, Callable[[Block], str]] = {
    "agent": _task,
    "big-number": _big_number,
    "button": _button,
    "notebook-function": _function,
    "sql": _query,
    "visualization": _chart,
}
_EDITS: dict[str, Callable[[Block, str], Block | None]] = {
    "agent": _edited_task,
    "sql": _edited_query,
}


def _is_same(one: str, other: str) -> bool:
    """Whether two texts are the same code with the same comments, however it is laid out."""
    if one == other:
        return True
    first, second = _parsed(one), _parsed(other)
    if not first or not second or _comments(one) != _comments(other):
        return False
    return [*map(ast.dump, first)] == [*map(ast.dump, second)]


def _parsed(source: str) -> list[ast.stmt] | None:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError):
        return None


def _comments(source: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]

"""Which blocks depend on which: data flows through variables, in the order of the notebook."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deepnote_kernel.server.blocks.python_flow import Flow, code_flow
from deepnote_kernel.snapshot.inputs import INPUT_PREFIX, assignment, variable_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from deepnote_kernel.server.storage.store import Block

__all__ = ["dependents", "sql_flow"]

_SQL_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\{#.*?#\}", re.DOTALL)
_SQL_CHANGED = re.compile(
    r"\b(?:table|view|into|update)\s+(?:if\s+(?:not\s+)?exists\s+)?\"?([A-Za-z_]\w*)", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d]\w*")


def dependents(blocks: Sequence[Block], block_ids: Collection[str]) -> list[Block]:
    """Return the blocks to run after others ran, because what they use has changed.

    Args:
        blocks: The blocks of a notebook, in order.
        block_ids: Those that ran.

    Returns:
        The blocks that depend on them, directly or not, in the notebook's order.
    """
    changed: set[str] = set()
    imported: set[str] = set()
    carried: dict[str, set[str]] = {}
    found = []
    for block in blocks:
        flow = _flow(block)
        has_run = block.id in block_ids
        is_dependent = not has_run and bool(_closure(flow.uses, carried) & changed)
        changed -= flow.sets
        imported = imported - flow.sets | flow.imports
        if has_run or is_dependent:
            changed |= flow.changes - imported
        if is_dependent:
            found.append(block)
        carried = {name: used for name, used in carried.items() if name not in flow.sets}
        for name, used in flow.carries.items():
            carried[name] = carried.get(name, set()) | used
    return found


def sql_flow(query: str, variable: str | None) -> Flow:
    """Return the flow of a SQL block.

    Every word of the query counts as used, since only the database knows what is a table: a column
    that has a variable's name makes a block run too many times, never too few.

    Args:
        query: The query.
        variable: The variable its result is kept in, if any.
    """
    flow = Flow()
    text = _SQL_NOISE.sub(" ", query)
    flow.uses = set(_WORD.findall(text))
    flow.changes = set(_SQL_CHANGED.findall(text))
    if variable is not None:
        flow.sets.add(variable)
        flow.changes.add(variable)
    return flow


def _flow(block: Block) -> Flow:
    metadata = block.metadata
    variable = variable_name(metadata) if metadata.get("deepnote_variable_name") else None
    if block.type == "code":
        return code_flow(block.content)
    if block.type == "sql":
        return sql_flow(block.content, variable)
    flow = Flow()
    if block.type.startswith(INPUT_PREFIX) or assignment(block.type, metadata):
        flow.sets = flow.changes = {variable_name(metadata)}
    return flow


def _closure(names: Iterable[str], carried: dict[str, set[str]]) -> set[str]:
    """Return names with all that is used when they are."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += carried.get(name, ())
    return found

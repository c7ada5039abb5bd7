"""The anchor: one last cell, never run, that names every variable later cells may want.

Strata keeps a variable only if some cell below uses it, so a notebook that grows cell by cell would
run each cell again as soon as its first user appears. The anchor is a user of everything. It also
remembers which Strata cell stands for which cell of the Jupyter notebook.
"""

from __future__ import annotations

import ast
from functools import reduce
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Ledger", "anchor_source", "exportable", "is_anchor", "read_ledger"]

_HEAD: Final = (
    "# Jupyter's anchor: names the variables that Strata shall keep. It is never run.\n# "
)
_FUNCTION: Final = "def __jupyter_anchor__():\n    return ("


class Ledger(msgspec.Struct):
    """Which cells of a Strata notebook belong to a Jupyter notebook."""

    cells: dict[str, str] = {}
    """Strata's cell for each cell of the Jupyter notebook, both by id."""

    left: list[str] = []
    """Strata's cells that stand for none any more, and are kept as long as their variables are."""


def anchor_source(names: Iterable[str], ledger: Ledger) -> str:
    """Return the anchor's text.

    Args:
        names: The variables to keep.
        ledger: What to remember.
    """
    remembered = msgspec.json.encode(ledger).decode()
    return f"{_HEAD}{remembered}\n{_FUNCTION}{''.join(f'{name}, ' for name in sorted(names))})\n"


def is_anchor(source: str) -> bool:
    """Whether a cell's text is that of an anchor."""
    return _FUNCTION in source


def read_ledger(source: str) -> Ledger:
    """Return what an anchor remembers; nothing where a person has edited that line away."""
    try:
        return msgspec.json.decode(source.splitlines()[1].removeprefix("# "), type=Ledger)
    except (IndexError, msgspec.MsgspecError):
        return Ledger()


def exportable(source: str) -> set[str]:
    """Return the names that a cell is sure to bind to something Strata can keep.

    The anchor may name no other: Strata treats a cell as failed if one variable that is wanted is
    missing, or cannot be stored. Loops count as run at least once.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return {name for name in _bound(tree.body) if not name.startswith("_")} - _lost(tree)


def _bound(statements: Sequence[ast.stmt]) -> set[str]:
    """Return what is bound after the statements, whichever way through them is taken."""
    return {name for statement in statements for name in _bound_by(statement)}


def _bound_by(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            bound = {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            bound = {(alias.asname or alias.name).partition(".")[0] for alias in aliases} - {"*"}
        case ast.If(body=body, orelse=orelse):
            bound = _all_ways([body, orelse])
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            ways = [[*body, *orelse], *(handler.body for handler in handlers)]
            bound = _all_ways(ways) | _bound(finalbody)
        case ast.For(target=target, body=body):
            bound = _names(target) | _bound(body)
        case ast.While(body=body) | ast.With(body=body):
            bound = _bound(body)
        case _:
            bound = set(_assigned(statement))
    return bound


def _all_ways(ways: Iterable[Sequence[ast.stmt]]) -> set[str]:
    """Return what each of several ways binds, leaving out those that end in an exception."""
    taken = [_bound(way) for way in ways if not (way and isinstance(way[-1], ast.Raise))]
    return reduce(set.__and__, taken) if taken else set()


def _assigned(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Assign(targets=targets, value=value) if not _is_unstorable(value):
            for target in targets:
                yield from _names(target)
        case ast.AugAssign(target=target):
            yield from _names(target)
        case ast.AnnAssign(target=target, value=value) if value and not _is_unstorable(value):
            yield from _names(target)


def _names(target: ast.expr) -> set[str]:
    """Return the names that a target binds; ``a.b`` and ``a[b]`` bind none."""
    match target:
        case ast.Name(id=name):
            return {name}
        case ast.Starred(value=value):
            return _names(value)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return {name for item in items for name in _names(item)}
    return set()


def _is_unstorable(value: ast.expr) -> bool:
    match value:
        case ast.Lambda() | ast.GeneratorExp() | ast.Call(func=ast.Name(id="open")):
            return True
    return False


def _lost(tree: ast.Module) -> set[str]:
    """Return the names that a cell deletes."""
    deleted = (
        target for node in tree.body if isinstance(node, ast.Delete) for target in node.targets
    )
    return {name for target in deleted for name in _names(target)}

"""The names a piece of Python uses and changes, found in its source.

A value changed by a function or a method that does not look like it is not seen.
"""

from __future__ import annotations

import ast
import functools
import re
import symtable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from IPython.core.inputtransformer2 import TransformerManager

__all__ = ["Flow", "code_flow"]

# Methods by which Python's own containers are changed in place.
_CHANGING = {
    "add", "append", "clear", "difference_update", "discard", "extend", "insert",
    "intersection_update", "pop", "popitem", "remove", "reverse", "setdefault", "sort",
    "symmetric_difference_update", "update",
}  # fmt: skip
_MAGICS_OF_PYTHON = {"capture", "memit", "mprun", "prun", "time", "timeit"}

# ``except*`` is new in Python 3.11.
_TRIES: tuple[type[ast.Try], ...] = (ast.Try, getattr(ast, "TryStar", ast.Try))

_WORD = re.compile(r"[^\W\d]\w*")
_EXPANDED = re.compile(r"\{([^{}]+)\}|\$(\w+)")


class Flow:
    """What one block does to the names of the notebook."""

    def __init__(self) -> None:
        self.uses: set[str] = set()
        """Names whose earlier value matters."""

        self.sets: set[str] = set()
        """Names whose earlier value is gone afterwards, whatever happens in between."""

        self.changes: set[str] = set()
        """Names that may hold other data afterwards."""

        self.imports: set[str] = set()
        """Names of modules and of what is taken from them: to import them again changes nothing."""

        self.carries: dict[str, set[str]] = {}
        """For functions and classes: the names that are used when they are."""


def code_flow(source: str) -> Flow:
    """Return the flow of a code block; an empty one where it is no Python.

    Args:
        source: The block's source, which may hold magics and shell commands.
    """
    flow = _Code()
    flow.run(_parsed(source))
    flow.uses |= flow.later - flow.sets
    return flow


def _parsed(source: str) -> list[ast.stmt]:
    try:
        module: ast.Module = ast.parse(_transformer().transform_cell(source))
    except (SyntaxError, ValueError):
        return []
    return module.body


@functools.cache
def _transformer() -> TransformerManager:
    from IPython.core import inputtransformer2  # noqa: PLC0415 - takes a moment

    return inputtransformer2.TransformerManager()  # type: ignore[no-untyped-call]


class _Code(Flow):
    """The flow of Python, read statement by statement in the order they run."""

    def __init__(self, sets: Iterable[str] = ()) -> None:
        super().__init__()
        self.sets = set(sets)
        self.later: set[str] = set()
        """Names that functions use, whenever they are called."""

    def run(self, statements: Iterable[ast.stmt]) -> None:
        """Take statements that run one after the other."""
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.If):
            self._use(node.test)
            self._branch(node.body, node.orelse)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._use(node.iter)
            target = ast.Assign([node.target], ast.Constant(None))
            self._branch([target, *node.body], node.orelse)
        elif isinstance(node, ast.While):
            self._use(node.test)
            self._branch(node.body, node.orelse)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self._use(item.context_expr)
                if item.optional_vars is not None:
                    self._simple(ast.Assign([item.optional_vars], ast.Constant(None)))
            self.run(node.body)
        elif isinstance(node, ast.Match):
            self._use(node.subject)
            self._branch(*(_case(case) for case in node.cases), [])
        elif isinstance(node, _TRIES):
            self._branch(node.body + node.orelse, *(_handler(each) for each in node.handlers), [])
            self.run(node.finalbody)
        else:
            self._simple(node)

    def _use(self, expression: ast.expr) -> None:
        self._simple(ast.Expr(expression))

    def _branch(self, *branches: list[ast.stmt]) -> None:
        """Take statements of which one list runs; what all of them set is set."""
        flows = []
        for statements in branches:
            flow = _Code(self.sets)
            flow.run(statements)
            self._merge(flow)
            flows.append(flow)
        self.sets = set.intersection(*(flow.sets for flow in flows))

    def _merge(self, flow: _Code) -> None:
        self.uses |= flow.uses
        self.later |= flow.later
        self.changes |= flow.changes
        self.imports |= flow.imports
        for name, used in flow.carries.items():
            self.carries[name] = self.carries.get(name, set()) | used

    def _simple(self, node: ast.stmt) -> None:
        """Take a statement whose parts need no order: it uses names first, then sets some."""
        ast.fix_missing_locations(node)
        names = _Names(node)
        self.later |= names.later
        changed = {name.id for name in _changed_in_place(node)}
        self.uses |= (names.used | changed) - self.sets
        for method, arguments in _magics(node):
            self._magic(method, *arguments)
        self.sets |= names.set
        self.changes |= names.set | names.set_later | changed
        self.imports |= names.imported
        for name in names.set:
            self.carries[name] = set(names.later)

    def _magic(self, method: str, *arguments: str) -> None:
        """Take a magic or a shell command; its arguments may name variables or be Python."""
        name, line, body = (*arguments, "", "")[:3]
        if method in {"system", "getoutput"}:
            name, line = "", name
        for expression, variable in _EXPANDED.findall(line):
            self.uses |= set(_WORD.findall(expression or variable)) - self.sets
        if name not in _MAGICS_OF_PYTHON:
            return
        words = [word for word in line.split() if not word.startswith("-")]
        if name == "capture" and words:
            self.sets.add(words[0])
            self.changes.add(words[0])
        self.run(_parsed(body or re.sub(r"^(?:\s*-\w+(?:\s*\d+)?)+\s", "", line)))


class _Names:
    """The names of one statement."""

    def __init__(self, node: ast.stmt) -> None:
        self.used: set[str] = set()
        self.later: set[str] = set()
        self.set: set[str] = set()
        self.set_later: set[str] = set()
        self.imported: set[str] = set()
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.used.add(node.target.id)
        try:
            table = symtable.symtable(ast.unparse(_AsGenerators().visit(node)), "block", "exec")
        except SyntaxError:
            return
        for symbol in table.get_symbols():
            name = symbol.get_name()
            if symbol.is_referenced():
                self.used.add(name)
            if symbol.is_imported():
                self.imported.add(name)
            is_declared_only = isinstance(node, ast.AnnAssign) and node.value is None
            if (symbol.is_assigned() or symbol.is_imported()) and not is_declared_only:
                self.set.add(name)
        for inner in table.get_children():
            self._inner(inner, self.used)

    def _inner(self, table: symtable.SymbolTable, used: set[str]) -> None:
        """Take a scope inside the statement: part of it, or a function that runs later."""
        is_part = table.get_type() == "class" or table.get_name() == "genexpr"
        used = used if is_part else self.later
        for symbol in table.get_symbols():
            if symbol.is_global() and symbol.is_referenced():
                used.add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned():
                self.set_later.add(symbol.get_name())
        for inner in table.get_children():
            self._inner(inner, used)


class _AsGenerators(ast.NodeTransformer):
    """Makes a generator of every comprehension.

    Since Python 3.12 the symbols of the others are mixed with those of the scope around them.
    """

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return self.generic_visit(ast.GeneratorExp(pair, node.generators))


def _case(case: ast.match_case) -> list[ast.stmt]:
    """Return a case as statements: its captures, its guard, its body."""
    names = [
        name
        for part in ast.walk(case.pattern)
        for field in ("name", "rest")
        if isinstance(name := getattr(part, field, None), str)
    ]
    captures: list[ast.stmt] = [_assigned(name) for name in names]
    guard: list[ast.stmt] = [ast.Expr(case.guard)] if case.guard else []
    return [*captures, *guard, *case.body]


def _handler(handler: ast.ExceptHandler) -> list[ast.stmt]:
    kind: list[ast.stmt] = [ast.Expr(handler.type)] if handler.type else []
    name: list[ast.stmt] = [_assigned(handler.name)] if handler.name else []
    return [*kind, *name, *handler.body]


def _assigned(name: str) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None))


def _changed_in_place(node: ast.stmt) -> Iterator[ast.Name]:
    """Yield the variables whose value a statement changes: ``x[0] = 1``, ``x.append(1)``."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return
    targets: list[ast.AST] = [
        part
        for part in ast.walk(node)
        if isinstance(part, (ast.Subscript, ast.Attribute)) and not isinstance(part.ctx, ast.Load)
    ]
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            is_inplace = any(
                option.arg == "inplace" and getattr(option.value, "value", False) is True
                for option in call.keywords
            )
            if call.func.attr in _CHANGING or is_inplace:
                targets.append(call.func.value)
    for target in targets:
        while isinstance(target, (ast.Subscript, ast.Attribute)):
            target = target.value  # noqa: PLW2901 - down to the variable
        if isinstance(target, ast.Name):
            yield target


def _magics(node: ast.stmt) -> Iterator[tuple[str, list[str]]]:
    """Yield the calls that IPython's syntax stands for: the shell's method and its arguments."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        shell = call.func.value
        if (
            isinstance(shell, ast.Call)
            and isinstance(shell.func, ast.Name)
            and shell.func.id == "get_ipython"
        ):
            arguments = [a.value for a in call.args if isinstance(a, ast.Constant)]
            yield call.func.attr, [text for text in arguments if isinstance(text, str)]

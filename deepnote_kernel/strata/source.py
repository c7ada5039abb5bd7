"""Turn what is typed in a Jupyter cell into the plain Python that Strata runs.

Strata has no IPython. IPython's own transformer knows its magics and turns each into a call of
``get_ipython()``; here those calls become plain Python, or a wish for the session to fulfil, such
as a package to install. Lines keep their numbers. Pure functions: nothing is run.
"""

from __future__ import annotations

import ast
import shlex
from typing import TYPE_CHECKING, Final, NamedTuple, cast, get_args

import msgspec
from IPython.core.inputtransformer2 import TransformerManager

from deepnote_kernel.errors import UnsupportedError
from deepnote_kernel.strata import shims
from deepnote_kernel.strata.calls.cells import Language

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

__all__ = ["Prepared", "ends_in_value", "prepare"]

_DROPPED: Final = {"autoreload", "config", "load_ext", "matplotlib", "reload_ext"}
_SHOWN: Final = {
    "HTML": "text/html",
    "html": "text/html",
    "javascript": "application/javascript",
    "js": "application/javascript",
    "latex": "text/latex",
    "markdown": "text/markdown",
    "svg": "image/svg+xml",
}
_SHELLS: Final = {"bash", "sh"}
_SILENT_CALLS: Final = {"display", "print", "show"}
_NOTHING: Final = "None"


class Prepared(msgspec.Struct, kw_only=True):
    """A cell, and what has to be done around it."""

    code: str
    """What Strata runs; empty where nothing is left."""

    language: Language = "python"
    install: list[str] = []
    """Requirements to add to the notebook's environment before the cell runs."""

    uninstall: list[str] = []
    """Packages to remove from it."""

    env: dict[str, str] = {}
    """Environment variables to set for the notebook."""

    shown: dict[str, str] = {}
    """A mime bundle to show in place of running anything."""

    question: str = ""
    """A name to describe, as ``name?`` asks; one that ends in ``?`` asks for the source."""

    resets: bool = False
    """Whether the namespace is to be emptied."""


def prepare(code: str, *, known: AbstractSet[str] = frozenset()) -> Prepared:
    """Read a cell as IPython would, and return what is to be done on Strata.

    Args:
        code: The cell as it was typed.
        known: Variables that exist, for ``{name}`` and ``$name`` in shell commands.

    Raises:
        UnsupportedError: The cell uses something that Strata has not got.
    """
    manager = TransformerManager()  # type: ignore[no-untyped-call]
    prepared = Prepared(code=manager.transform_cell(code))
    try:
        tree = ast.parse(prepared.code)
    except SyntaxError:
        # Strata says where the error is.
        return Prepared(code=code)
    magic = _cell_magic(tree)
    if magic is not None:
        return _prepare_cell_magic(magic, known)
    _refuse_questions_and_await(tree)
    _Rewriter(prepared, {*known, *_bound_names(tree)}).rewrite(tree)
    return prepared


def ends_in_value(code: str) -> bool:
    """Whether a cell's last statement is an expression whose value Jupyter would show."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return False
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or _after(code, last).startswith(";"):
        return False
    match last.value:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name not in _SILENT_CALLS
    return True


def _after(code: str, statement: ast.stmt) -> str:
    lines = code.encode().splitlines()[(statement.end_lineno or 1) - 1 :]
    return lines[0][statement.end_col_offset or 0 :].decode().strip() if lines else ""


# Cell magics


class _CellMagic(NamedTuple):
    name: str
    line: str
    body: str


def _cell_magic(tree: ast.Module) -> _CellMagic | None:
    """Return the cell magic that is the whole of a cell, if one is."""
    match tree.body:
        case [ast.Expr(value=ast.Call() as call)]:
            method, words = _ipython_call(call)
            if method == "run_cell_magic":
                return _CellMagic(*words)
    return None


def _prepare_cell_magic(magic: _CellMagic, known: AbstractSet[str]) -> Prepared:
    name, line, body = magic
    if name == "strata":
        return _in_language(line.strip(), body, known)
    if name == "time":
        prepared = prepare(body, known=known)
        prepared.code = shims.timed(prepared.code)
        return prepared
    if name in _SHOWN:
        return Prepared(code="", shown={_SHOWN[name]: body, "text/plain": body})
    if name in _SHELLS or name == "script":
        return Prepared(code=shims.script(line or name, body))
    if name == "writefile":
        return Prepared(code=shims.written(line, body))
    raise _unknown(f"%%{name}")


def _in_language(language: str, body: str, known: AbstractSet[str]) -> Prepared:
    if language in {"", "python"}:
        prepared = prepare(body, known=known)
        prepared.code = "\n" + prepared.code  # the magic's own line
        return prepared
    known_languages = get_args(Language)
    if language not in known_languages:
        raise UnsupportedError(
            f"Strata has no cells in {language!r}.", f"It knows {', '.join(known_languages)}."
        )
    shown = {"text/markdown": body, "text/plain": body} if language == "markdown" else {}
    return Prepared(code=body, language=cast("Language", language), shown=shown)


# Line magics


class _Rewriter(ast.NodeVisitor):
    """Replaces calls of ``get_ipython()`` in the text of a cell, and notes what they wish."""

    def __init__(self, prepared: Prepared, known: AbstractSet[str]) -> None:
        self._prepared = prepared
        self._known = known
        self._edits: list[tuple[ast.expr, str]] = []

    def rewrite(self, tree: ast.Module) -> None:
        """Put plain Python into the cell; nothing, if nothing is left that does anything."""
        self.visit(tree)
        code = shims.edited(self._prepared.code, self._edits)
        is_empty = bool(self._edits) and all(
            ast.unparse(statement) == _NOTHING for statement in ast.parse(code).body
        )
        self._prepared.code = "" if is_empty else code

    def visit_Expr(self, node: ast.Expr) -> None:
        """Replace a magic that is a statement of its own."""
        method, words = _ipython_call(node.value)
        if method == "run_line_magic" and words[0] == "time":
            self._edits.append((node.value, shims.timed_line(words[1])))
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Replace a magic or a shell command inside an expression."""
        method, words = _ipython_call(node)
        if method == "system":
            self._edits.append((node, self._system(*words)))
        elif method == "getoutput":
            self._edits.append((node, shims.shell_lines(*words, known=self._known)))
        elif method == "run_line_magic":
            self._edits.append((node, self._line_magic(*words)))
        else:
            self.generic_visit(node)

    def _system(self, command: str) -> str:
        program, _, line = command.strip().partition(" ")
        if program in {"pip", "pip3"}:  # the shell's is not the notebook's
            return self._pip(line)
        return shims.shell(command, known=self._known)

    def _line_magic(self, name: str, line: str) -> str:
        match name:
            case "pip":
                text = self._pip(line)
            case "env" | "set_env" if line.strip():
                text = self._env(line)
            case "timeit":
                text = shims.timeit(line)
            case "pwd":
                text = "__import__('os').getcwd()"
            case "pinfo" | "pinfo2":
                self._prepared.question = line + "?" * (name == "pinfo2")
                text = _NOTHING
            case "reset":
                self._prepared.resets = True
                text = _NOTHING
            case _ if name in _DROPPED:
                text = _NOTHING
            case _:
                raise _unknown(f"%{name}")
        return text

    def _pip(self, line: str) -> str:
        verb, *words = shlex.split(line) or [""]
        names = [word for word in words if not word.startswith("-")]
        if "-r" in words or verb not in {"install", "uninstall"} or not names:
            raise UnsupportedError(
                "On Strata, %pip installs and uninstalls packages by name.",
                "`%strata deps` has the rest: list, import, export.",
            )
        (self._prepared.install if verb == "install" else self._prepared.uninstall).extend(names)
        return _NOTHING

    def _env(self, line: str) -> str:
        name, is_set, value = line.strip().partition("=")
        if not is_set:
            name, _, value = line.strip().partition(" ")
        if not (is_set or value):
            return f"__import__('os').environ[{name!r}]"
        self._prepared.env[name.strip()] = value.strip()
        return _NOTHING


def _ipython_call(node: ast.AST) -> tuple[str, list[str]]:
    """Return the method of ``get_ipython()`` that is called and its texts; else nothing."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=method),
            args=arguments,
        ):
            texts = [a.value for a in arguments if isinstance(a, ast.Constant)]
            return method, [text for text in texts if isinstance(text, str)]
    return "", []


# What cannot be had


def _refuse_questions_and_await(tree: ast.Module) -> None:
    for node in _outside_functions(tree):
        match node:
            case ast.Await() | ast.AsyncFor() | ast.AsyncWith() | ast.comprehension(is_async=1):
                raise UnsupportedError(
                    "Strata has no top-level await.", "Put it into `asyncio.run(...)`."
                )
            case ast.Call(func=ast.Name(id="input" | "getpass") | ast.Attribute(attr="getpass")):
                raise UnsupportedError(
                    "A cell on Strata takes no input.", "Write the answer into the cell."
                )


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from _outside_functions(child)


def _bound_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _unknown(magic: str) -> UnsupportedError:
    return UnsupportedError(
        f"{magic} cannot be had on Strata, where cells are plain Python.",
        "%%local runs a cell with IPython's magics on this computer.",
    )

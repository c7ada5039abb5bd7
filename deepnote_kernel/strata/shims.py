"""Plain Python for what IPython's magics do. Names begin with ``_``: Strata keeps none of those."""

from __future__ import annotations

import ast
import builtins
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from IPython.utils.text import DollarFormatter

from deepnote_kernel.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

__all__ = [
    "edited",
    "script",
    "shell",
    "shell_lines",
    "timed",
    "timed_line",
    "timeit",
    "written",
]

# What a child process writes by itself does not reach Strata: it is captured (-1), then printed.
_RUN = (
    "__import__('subprocess').run("
    "{}, shell=True, text=True, errors='replace', stdout=-1, stderr={}{})"
)
_PRINT = "print({0}.stdout, end=''), print({0}.stderr, end='', file=__import__('sys').stderr)"
_CLOCK = "__import__('time').perf_counter()"
_PRINT_TIME = f"print('Wall time:', format({_CLOCK} - _started_at, '.3g'), 's')"
_REPEAT = 5
_CONVERSIONS = {"a": "ascii", "r": "repr", "s": "str"}


def shell(command: str, *, known: AbstractSet[str]) -> str:
    """Return an expression that runs a shell command and prints what it says.

    Args:
        command: The command; ``{name}`` and ``$name`` stand for variables, as in IPython.
        known: The variables there are; what names none is the shell's.
    """
    run = _RUN.format(_interpolated(command, known), -1, "")
    return f"(lambda _ran: ({_PRINT.format('_ran')}, None)[-1])({run})"


def shell_lines(command: str, *, known: AbstractSet[str]) -> str:
    """Return an expression whose value is the list of lines that a shell command prints.

    Args:
        command: As for :func:`shell`.
        known: As for :func:`shell`.
    """
    return f"{_RUN.format(_interpolated(command, known), -2, '')}.stdout.splitlines()"


def script(program: str, body: str) -> str:
    """Return code that gives a text to a program, prints what it says, and checks its status."""
    run = _RUN.format(repr(program), -1, f", input={body!r}")
    return f"_ran = {run}\n{_PRINT.format('_ran')}, None\n_ran.check_returncode()\n"


def written(line: str, body: str) -> str:
    """Return code that writes a text to the file a ``%%writefile`` line names."""
    words = line.split()
    mode = "a" if "-a" in words else "w"
    name = next((word for word in words if not word.startswith("-")), "")
    return f"with open({name!r}, {mode!r}) as _file:\n    _file.write({body!r})\n"


def timed(code: str) -> str:
    """Return the code of a ``%%time`` cell; the magic's own line starts the clock."""
    last = ast.parse(code).body[-1:]
    code = code.rstrip()
    if last and isinstance(last[0], ast.Expr):
        value = ast.get_source_segment(code, last[0])
        code = edited(code, [(last[0], f"_value = ({value}\n)")])
        return f"_started_at = {_CLOCK}\n{code}\n{_PRINT_TIME}\n_value\n"
    return f"_started_at = {_CLOCK}\n{code}\n{_PRINT_TIME}\n"


def timed_line(statement: str) -> str:
    """Return the statements, on one line, of ``%time statement``."""
    if _is_expression(statement):
        return f"_started_at = {_CLOCK}; _value = ({statement}); {_PRINT_TIME}; _value"
    return f"_started_at = {_CLOCK}; {statement}; {_PRINT_TIME}"


def timeit(line: str) -> str:
    """Return an expression that times another one many times and prints the best time.

    Raises:
        UnsupportedError: The line has options, or a statement.
    """
    if not _is_expression(line):
        raise UnsupportedError(
            "%timeit times one expression on Strata, without options.", "%%time times a cell."
        )
    timer = f"__import__('timeit').Timer(lambda: ({line}))"
    best = f"min(_timer.repeat({_REPEAT}, _count)) / _count"
    told = f"print(f'{{{best}:.3g}} s per loop (best of {_REPEAT}, {{_count}} loops each)')"
    return f"(lambda _timer: (lambda _count: {told})(_timer.autorange()[0]))({timer})"


def edited(code: str, edits: Iterable[tuple[ast.expr | ast.stmt, str]]) -> str:
    """Return code with parts of its syntax tree replaced by other text.

    Args:
        code: The code that the tree was made from.
        edits: The parts, in their order in the code, and what to put there.
    """
    raw = code.encode()
    starts = [0, *accumulate(map(len, raw.splitlines(keepends=True)))]
    for node, text in reversed([*edits]):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        raw = raw[:begin] + text.encode() + raw[end:]
    return raw.decode()


def _is_expression(code: str) -> bool:
    try:
        ast.parse(code.strip(), mode="eval")
    except SyntaxError:
        return False
    return True


def _interpolated(command: str, known: AbstractSet[str]) -> str:
    """Return an expression for a command with the values of its variables put in.

    As in IPython, a command with anything in it that is no variable is left to the shell.
    """
    try:
        parsed = [*DollarFormatter().parse(command)]
    except ValueError:
        return repr(command)
    if not all(_is_known(name, known) for _, name, _, _ in parsed if name is not None):
        return repr(command)
    return " + ".join(_pieces(parsed)) or "''"


def _pieces(parsed: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    for text, name, spec, conversion in parsed:
        if text:
            yield repr(text)
        if name is not None:
            value = f"{_CONVERSIONS[conversion]}({name})" if conversion else name
            yield f"format({value}, {spec!r})"


def _is_known(expression: str, known: AbstractSet[str]) -> bool:
    if not _is_expression(expression):
        return False
    names = {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
    return bool(names) and all(name in known or hasattr(builtins, name) for name in names)

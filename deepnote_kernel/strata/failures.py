"""Read how a Strata cell failed, and word it as Jupyter does: the person's own code and no other.

Strata tells the same exception in several forms, depending on its version and on whether a warm
worker ran the cell. Pure functions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deepnote_kernel.outputs import JSON
    from deepnote_kernel.strata.models import EnvironmentJob, Result

__all__ = ["error_content", "is_lost_in_pool", "is_unstored", "job_failure", "unstored_names"]

_START: Final = "Traceback (most recent call last):"
_CHAIN: Final = re.compile(
    r"\n\n(During handling of the above exception, another exception occurred:"
    r"|The above exception was the direct cause of the following exception:)\n\n"
)
_FRAME: Final = re.compile(r'  File "(?P<file>[^"]*)", line (?P<line>\d+)(?:, in (?P<name>.*))?')
_TYPED: Final = re.compile(r"(?P<type>[\w.]+)(?:: (?P<message>.*))?", re.DOTALL)
_SHARED: Final = re.compile(r"nb_[0-9a-f-]+_[0-9a-f]{8}_\w+")
_CELL_FILES: Final = {"<cell>", "<string>", "<unknown>"}
_STRATA: Final = re.compile(r"strata[/\\]notebook[/\\]")
_UNSTORED: Final = ("failed to store output artifacts", "cannot be shared across cells yet")
_UNSTORED_NAMES: Final = re.compile(r"used downstream \(([^)]*)\)")
_CAUSE: Final = re.compile(r"^\s*(?:cause:|╰─▶)", re.MULTILINE)
_DIED: Final = ("Expecting value", "without producing a result")
_DIED_MESSAGE: Final = (
    "The cell's process ended without a result: by sys.exit(), a crash, or a whole number wider "
    "than 64 bits as its value."
)
_POOL: Final = "Pool worker error: "


def is_unstored(result: Result) -> bool:
    """Whether a cell ran to its end, and only its variables could not be stored."""
    return result.status == "error" and any(words in result.error for words in _UNSTORED)


def unstored_names(result: Result, wanted: Iterable[str]) -> set[str]:
    """Return the variables of such a cell that are to blame.

    Args:
        result: What the run came to.
        wanted: The variables that were to be stored.
    """
    named = _UNSTORED_NAMES.search(result.error)
    if named:
        return {name.strip() for name in named[1].split(",")}
    failed = {
        name
        for name, value in result.outputs.items()
        if isinstance(value, dict) and (value.get("content_type") == "error" or "error" in value)
    }
    return failed | (set(wanted) - set(result.outputs))


def is_lost_in_pool(result: Result) -> bool:
    """Whether a function has not found a variable of another cell, as happens in warm workers."""
    files = [frame["file"] for frame in _FRAME.finditer(result.error)]
    is_elsewhere = bool(files) and _SHARED.fullmatch(files[-1]) is not None
    return is_elsewhere and "NameError" in result.error and result.execution_method == "warm"


def job_failure(job: EnvironmentJob) -> str:
    """Return the package manager's last words on a job that failed, without a full stop."""
    text = (job.stderr or job.error).partition("\nhint:")[0]
    *causes, reason = _CAUSE.split(text.strip())
    # What a cause has to say goes on over lines of the terminal's width.
    lines = reason.partition("\n\n")[0] if causes else "".join(reason.splitlines()[-1:])
    return " ".join(lines.split()).rstrip(".") or "the server gives no reason"


def error_content(result: Result, code: str) -> JSON:
    """Return the content of an ``error`` message for a cell that failed.

    Args:
        result: What the run came to.
        code: What Strata ran, for the lines of the traceback.
    """
    if result.error_code == "cancelled":
        return _content("KeyboardInterrupt", "", [])
    text = result.traceback or result.error[max(result.error.find(_START), 0) :]
    if _START not in text:
        return _untraced(result.error)
    blocks = _CHAIN.split(text.rstrip())
    ename, evalue = _exception(blocks[-1])
    if ename in {"SyntaxError", "IndentationError", "TabError"}:
        blocks = blocks[-1:]  # Strata has tried to compile the cell twice
    return _content(ename, evalue, [*_chain(blocks, code)])


def _untraced(error: str) -> JSON:
    if any(words in error for words in _DIED):
        return _content("StrataError", _DIED_MESSAGE, [])
    typed = re.match(r"(?P<type>[A-Za-z_]\w*(?:Error|Exception|Warning|Interrupt)): (.*)", error)
    if typed:
        return _content(typed[1], typed[2], [])
    return _content("StrataError", error.removeprefix(_POOL), [])


def _content(ename: str, evalue: str, lines: list[str]) -> JSON:
    last = f"\x1b[31m{ename}\x1b[39m: {evalue}" if evalue else f"\x1b[31m{ename}\x1b[39m"
    return {"ename": ename, "evalue": evalue, "traceback": [*lines, last]}


def _exception(block: str) -> tuple[str, str]:
    """Return name and message of the exception that a traceback ends in."""
    lines = block.splitlines()
    begin = max((n for n, line in enumerate(lines) if line.startswith(" ")), default=0)
    typed = _TYPED.match("\n".join(lines[begin + 1 :]))
    if typed is None:
        return "StrataError", lines[-1]
    return typed["type"].rpartition(".")[2], typed["message"] or ""


def _chain(blocks: list[str], code: str) -> Iterator[str]:
    """Yield the lines of tracebacks one after the other, up to the last exception's own line."""
    for number, block in enumerate(blocks, start=1):
        if not block.startswith(_START):
            yield from ("", block, "")
            continue
        yield from _trimmed(block, code)
        if number < len(blocks):
            yield ": ".join(filter(None, _exception(block)))


def _trimmed(block: str, code: str) -> Iterator[str]:
    """Yield a traceback's lines without Strata's own, and without the exception's."""
    yield _START
    is_ours = True
    for line in block.splitlines()[1:]:
        frame = _FRAME.match(line)
        if frame:
            is_ours = not _STRATA.search(frame["file"])
            if is_ours:
                yield from _frame(frame, code)
        elif is_ours and line.startswith(" "):
            yield line


def _frame(frame: re.Match[str], code: str) -> Iterator[str]:
    where = f", in {frame['name']}" if frame["name"] else ""
    if frame["file"] in _CELL_FILES:
        yield f"  Cell, line {frame['line']}{where}"
        lines = code.splitlines()
        number = int(frame["line"])
        if where and number <= len(lines):
            yield f"    {lines[number - 1].strip()}"
    elif _SHARED.fullmatch(frame["file"]):
        yield f"  Another cell{where}"
    else:
        yield frame[0]

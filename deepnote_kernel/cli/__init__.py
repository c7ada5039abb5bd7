"""The command ``jupyter deepnote``.

Most of it is the table in :mod:`deepnote_kernel.commands.table`, which the magics have as well.
What makes sense in a shell alone is a module of its own here, with ``main(argv) -> int`` and an
argument parser, imported only when it is called: ``jupyter deepnote install`` does not wait for a
web server.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from deepnote_kernel._version import __version__
from deepnote_kernel.cli.status import Status, status_of
from deepnote_kernel.commands.grammar import Grammar, HelpShown
from deepnote_kernel.commands.table import COMMON, SECTIONS, TABLE
from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.commands.context import Context
    from deepnote_kernel.commands.grammar import Command

__all__ = ["GRAMMAR", "PROGRAMS", "Program", "carry_out", "main"]


class Program(NamedTuple):
    """One command of ``jupyter deepnote`` with an argument parser of its own."""

    summary: str
    """What it does, for the list in ``--help``."""

    module: str
    """Where its ``main(argv) -> int`` is."""


PROGRAMS = {
    "install": Program(
        "make the Deepnote kernels known to Jupyter and VS Code", "deepnote_kernel.cli.install"
    ),
    "serve": Program(
        "run the embedded server, which speaks Deepnote's API", "deepnote_kernel.server.__main__"
    ),
    "strata": Program(
        "use a Strata server: notebooks, cells, packages, tables", "deepnote_kernel.cli.strata"
    ),
    "completion": Program(
        "print what makes a shell complete these commands", "deepnote_kernel.cli.completion"
    ),
}

GRAMMAR = Grammar(
    "jupyter deepnote",
    TABLE,
    package="deepnote_kernel.commands",
    surface="shell",
    description="Run the cells of local notebooks on Deepnote, and use the rest of its API.",
    epilog="Exit status: 0 done, 1 failed, 2 not understood, 3 no rights, 4 not found, "
    "5 conflict, 6 no answer from the server, 7 remote code failed, 130 interrupted, 141 "
    "nobody read the output. --version prints the version.",
    common=COMMON,
    sections=SECTIONS,
    programs={name: program.summary for name, program in PROGRAMS.items()},
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    An error of ours is one line on stderr; :class:`~deepnote_kernel.cli.status.Status` says what
    the status means.

    Args:
        argv: The words after ``jupyter deepnote``; ``None`` takes those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    label = " ".join(["jupyter deepnote", *words[:1]])
    try:
        status = _dispatch(words, label)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_unwritable()
        return Status.UNREAD
    except OSError as error:
        _drop_unwritable()
        sys.stderr.write(f"{label}: {error}\n")
        return Status.FAILED
    except KeyboardInterrupt:
        return Status.INTERRUPTED
    return status


def _drop_unwritable() -> None:
    """Drop what standard output does not take: it would fail once more at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(words: list[str], label: str) -> int:
    try:
        if words == ["--version"]:
            sys.stdout.write(f"{__version__}\n")
            return Status.GOOD
        if words and words[0] in PROGRAMS:
            program = import_module(PROGRAMS[words[0]].module)
            status: int = program.main(words[1:])
            return status
        command = GRAMMAR.parse(words)
        label = f"jupyter deepnote {command.label}"
        return _run(command)
    except HelpShown:
        return Status.GOOD
    except DeepnoteError as error:
        # Remedies are worded for a notebook.
        said = f"{label}: {error}\n".replace("%deepnote", "jupyter deepnote")
        sys.stderr.write(said.replace("%strata", "jupyter deepnote strata"))
        return status_of(error)


def _run(command: Command) -> int:
    from deepnote_kernel.cli.shell import ShellSurface  # noqa: PLC0415 - --help need not wait
    from deepnote_kernel.commands.context import Context  # noqa: PLC0415 - as above
    from deepnote_kernel.config import Settings  # noqa: PLC0415 - as above
    from deepnote_kernel.session.remote import Remote  # noqa: PLC0415 - as above

    as_json: bool = command.common["as_json"]
    remote = Remote(Settings.from_env(os.environ, base_url=command.common.get("base_url")))
    context = Context(remote, ShellSurface(remote, as_json=as_json), environ=os.environ)
    return carry_out(command, context, as_json=as_json)


def carry_out(command: Command, context: Context, *, as_json: bool) -> int:
    """Carry out a command, print what it shows, and return the exit status.

    Args:
        command: The command.
        context: What it has to work with; closed at the end.
        as_json: Whether to print JSON.
    """
    try:
        shown = command.run(context)
        if as_json:
            _print_json(shown)
        elif shown is not None:
            sys.stdout.write(f"{shown!r}\n")
        return Status.FAILED if getattr(shown, "is_failed", False) else Status.GOOD
    finally:
        context.close()


def _print_json(shown: object) -> None:
    import msgspec  # noqa: PLC0415 - --help need not wait

    from deepnote_kernel.commands.views import to_builtins  # noqa: PLC0415 - as above

    encoded = msgspec.json.encode(to_builtins(shown))
    sys.stdout.write(f"{msgspec.json.format(encoded, indent=2).decode()}\n")

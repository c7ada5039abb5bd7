"""The command ``jupyter deepnote``: a table of commands, one module each.

Each module has ``main(argv) -> int`` and an argument parser of its own, and is imported only when
its command is called, so that ``jupyter deepnote install`` does not wait for a web server.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from deepnote_kernel._version import __version__
from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "Command", "main"]


class Command(NamedTuple):
    """One command of ``jupyter deepnote``."""

    summary: str
    """What it does, for the list in ``--help``."""

    module: str
    """Where its ``main(argv) -> int`` is."""


COMMANDS = {
    "install": Command(
        "make the Deepnote kernels known to Jupyter and VS Code", "deepnote_kernel.cli.install"
    ),
    "serve": Command(
        "run the embedded server, which speaks Deepnote's API", "deepnote_kernel.server.__main__"
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    An error of ours is one line on stderr and status 1; a command line that cannot be read is
    status 2.

    Args:
        argv: The words after ``jupyter deepnote``; ``None`` takes those of this process.
    """
    arguments = _parser().parse_args(argv)
    command = COMMANDS[arguments.command]
    try:
        status: int = import_module(command.module).main(arguments.rest)
    except DeepnoteError as error:
        sys.stderr.write(f"jupyter deepnote {arguments.command}: {error}\n")
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS)) + 2
    listing = [f"  {name:<{width}}{command.summary}" for name, command in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="jupyter deepnote",
        usage="%(prog)s [-h] [--version] command ...",
        description="Run the cells of local notebooks on Deepnote.",
        epilog="\n".join(
            ["commands:", *listing, "", "jupyter deepnote <command> --help tells more."]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("command", choices=COMMANDS, help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser

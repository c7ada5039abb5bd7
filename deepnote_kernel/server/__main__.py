"""Run the server: ``python -m deepnote_kernel.server``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

TOKEN_VARIABLE = "DEEPNOTE_SERVER_TOKEN"  # noqa: S105 - a variable's name


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server until it is told to stop.

    Args:
        argv: Arguments without the program's name; those of the process where absent.

    Returns:
        The process's exit status.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = _parser().parse_args(arguments)
    if options.token:
        _hide_token(options.token, arguments)
    options.token = os.environ.pop(TOKEN_VARIABLE, "")
    try:
        from deepnote_kernel.server.process import ServerOptions, serve  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        _complain(
            f"The server needs {error.name}, which is not installed. "
            'Run: pip install "deepnote-kernel[server]"'
        )
        return 1
    try:
        return serve(ServerOptions(**vars(options)))
    except DeepnoteError as error:
        _complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 0


def _hide_token(token: str, arguments: list[str]) -> None:
    """Start over with the token in the environment: everybody on a computer can read arguments."""
    only_token = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    only_token.add_argument("--token")
    _, others = only_token.parse_known_args(arguments)
    command = [sys.executable, "-m", "deepnote_kernel.server", *others]
    os.execve(command[0], command, {**os.environ, TOKEN_VARIABLE: token})  # noqa: S606 - ourselves


def _complain(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - a command speaks to a person


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter deepnote serve",
        description="Serve Deepnote's Public API on this computer, with kernels of its own.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_port, default=0, help="port to listen on (default: any that is free)")
    add("--token", default="", help=f"bearer token (default: ${TOKEN_VARIABLE}, or a random one)")
    add("--state", type=Path, help="folder for the database and files (default: a temporary one)")
    add(
        "--from",
        dest="sources",
        metavar="PATH",
        type=Path,
        action="append",
        default=[],
        help="load notebooks from a .deepnote or .ipynb file or a folder; may be repeated",
    )
    add("--kernel", dest="kernel_name", default="python3", help="kernelspec (default: %(default)s)")
    add(
        "--execute-limit",
        dest="execute_limit_ms",
        metavar="MS",
        type=_positive,
        default=120_000,
        help="milliseconds an execute call may take (default: %(default)s)",
    )
    add(
        "--after-timeout",
        choices=("keep", "interrupt"),
        default="keep",
        help="what becomes of code that takes longer (default: %(default)s)",
    )
    add(
        "--idle-shutdown",
        dest="idle_shutdown_s",
        metavar="SECONDS",
        type=_positive,
        default=1800.0,
        help="when unused sessions end that name no time themselves (default: %(default)s)",
    )
    add(
        "--max-runs",
        metavar="N",
        type=_count,
        help="how many runs outside of sessions may be in progress at a time (default: any number)",
    )
    add("--runtime-file", type=Path, help="file to write url, token and pid to while listening")
    add(
        "--exit-when-idle",
        dest="exit_when_idle_s",
        metavar="SECONDS",
        type=_positive,
        help="exit when no kernel has run for this long (default: never)",
    )
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def _port(text: str) -> int:
    number = int(text)
    # The system would take a larger one for what is left of it in 16 bits.
    if not 0 <= number < 2**16:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 65535")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


if __name__ == "__main__":
    sys.exit(main())

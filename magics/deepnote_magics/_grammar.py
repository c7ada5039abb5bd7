"""What may follow ``%deepnote``: one table, which parser, help and completion are made from."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple, NoReturn

from deepnote_kernel.errors import ConfigError

__all__ = ["VERBS", "HelpShown", "Option", "Verb", "complete", "parse"]


class Option(NamedTuple):
    """One argument of a verb, in argparse's terms."""

    name: str
    help: str
    settings: dict[str, Any]


class Verb(NamedTuple):
    """One thing ``%deepnote`` can do."""

    summary: str
    options: tuple[Option, ...] = ()


def _option(name: str, help_: str, **settings: Any) -> Option:
    return Option(name, help_, settings)


_PLACE = (
    _option(
        "notebook_id",
        "the notebook a session is anchored to: starting a session runs all of it",
        metavar="NOTEBOOK",
        nargs="?",
    ),
    _option(
        "--scratch",
        "use an empty notebook, which is made when it is first needed",
        action="store_true",
    ),
    _option("--project", "the project of the empty notebook", metavar="ID", dest="project_id"),
    _option(
        "--mode",
        "'live': cells stream, take input and have no time limit; 'direct': one call a cell",
        choices=["live", "direct"],
    ),
    _option(
        "--storage-mode",
        "whether cells may write to the project's files",
        choices=["read_write", "readonly"],
    ),
    _option(
        "--idle-shutdown",
        "end the session after so many seconds of idleness",
        metavar="SECONDS",
        type=int,
        dest="idle_shutdown_s",
    ),
    _option(
        "--base-url",
        "the server's address, or 'local' for a server on this computer",
        metavar="URL",
    ),
)

VERBS = {
    "start": Verb("start a session and wait until it is ready", _PLACE),
    "use": Verb("choose where the next session runs, without starting it", _PLACE),
    "attach": Verb(
        "take over a session that runs already, and show what its running cell does",
        (
            _option(
                "session_id",
                "its id, as '%%deepnote sessions' lists it; not needed where there is but one",
                metavar="SESSION",
                nargs="?",
            ),
        ),
    ),
    "status": Verb("show where cells run and what that place is doing"),
    "interrupt": Verb("interrupt the cell that runs"),
    "restart": Verb("give the session an empty namespace"),
    "stop": Verb(
        "end the session and its machine",
        (
            _option("session_id", "another session than this one's", metavar="SESSION", nargs="?"),
            _option("--all", "every session started from this computer", action="store_true"),
        ),
    ),
    "sessions": Verb("list the sessions started from this computer that still run"),
    "help": Verb(
        "show this text, or that of one verb",
        (_option("topic", "a verb", metavar="VERB", nargs="?"),),
    ),
}


class HelpShown(Exception):  # noqa: N818 - not an error: the person asked for help and has it
    """Raised in place of leaving the process once argparse has printed help."""


class _Parser(argparse.ArgumentParser):
    """A parser that leaves the process alone."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print before it leaves."""
        message = message[:1].upper() + message[1:]
        raise ConfigError(f"{message}.", f"See {self.prog} --help.")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:  # noqa: ARG002
        """Raise instead of leaving."""
        raise HelpShown


def parse(words: list[str]) -> argparse.Namespace:
    """Read the words after ``%deepnote``.

    Raises:
        ConfigError: They make no sense; the message says why.
        HelpShown: They asked for help, which has been printed.
    """
    arguments = _parser().parse_args(words or ["help"])
    if arguments.verb == "help":
        topic = [arguments.topic] if arguments.topic else []
        _parser().parse_args([*topic, "--help"])
    return arguments


def complete(words: list[str]) -> list[str]:
    """Return what may follow ``words``, the complete words after ``%deepnote`` up to the cursor."""
    if not words or words == ["help"]:
        return list(VERBS)
    verb = VERBS.get(words[0])
    if verb is None:
        return []
    for option in verb.options:
        if option.name == words[-1] and "choices" in option.settings:
            return list(option.settings["choices"])
    return [option.name for option in verb.options if option.name.startswith("-")]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="%deepnote",
        description="Run cells on Deepnote.",
        epilog="%%deepnote at the top of a cell runs that cell remotely.",
        formatter_class=_layout,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, title="verbs")
    for name, verb in VERBS.items():
        description = f"{verb.summary[:1].upper()}{verb.summary[1:]}."
        child = verbs.add_parser(
            name, help=verb.summary, description=description, formatter_class=_layout
        )
        for option in verb.options:
            child.add_argument(option.name, help=option.help, **option.settings)
    return parser


def _layout(prog: str) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(prog, max_help_position=28)

"""Every noun, verb and option of ``%deepnote`` and ``jupyter deepnote``."""

from __future__ import annotations

from deepnote_kernel.commands.grammar import Noun, Option, Verb, option
from deepnote_kernel.commands.nouns import WORKSPACE

__all__ = ["CELL_OPTIONS", "COMMON", "SECTIONS", "TABLE"]

_SESSION = option(
    "session_id",
    help_="its id, as 'sessions list' shows it; the session of this notebook if left out",
    names="session",
    metavar="SESSION",
    nargs="?",
)

_PLACE = (
    option(
        "notebook",
        help_="the notebook a session is anchored to, by name or id: starting a session runs all "
        "of it",
        names="notebook",
        metavar="NOTEBOOK",
        nargs="?",
    ),
    option(
        "--scratch",
        help_="use an empty notebook, which is made when it is first needed",
        action="store_true",
    ),
    option(
        "--project",
        help_="the project of the empty notebook, by name or id",
        names="project",
        metavar="PROJECT",
    ),
    option(
        "--mode",
        help_="'live': cells stream, take input and have no time limit; 'direct': one call a cell",
        choices=["live", "direct"],
    ),
    option(
        "--storage-mode",
        help_="whether cells may write to the project's files",
        choices=["read_write", "readonly"],
    ),
    option(
        "--idle-shutdown",
        help_="end the session after so many seconds of idleness",
        metavar="SECONDS",
        type=int,
        dest="idle_shutdown_s",
    ),
    option(
        "--share",
        help_="join the session of another notebook of the project, if one runs",
        action="store_const",
        const=True,
        dest="share_session",
    ),
    option(
        "--base-url",
        help_="the server's address, or 'local' for a server on this computer",
        metavar="URL",
    ),
)

_START = Verb("sessions.start", "start a session and wait until it is ready", _PLACE)
_ATTACH = Verb(
    "sessions.attach",
    "take over a session that runs already, and show what its running cell does",
    (
        _SESSION,
        option(
            "--notebook",
            help_="join it with this notebook of its project, by name or id: one machine, a kernel "
            "for each",
            names="notebook",
            metavar="NOTEBOOK",
        ),
    ),
)
_STATUS = Verb(
    "sessions.status",
    "show where cells run and what that place is doing",
    (
        _SESSION,
        option("--watch", help_="go on showing it, in place", action="store_true"),
        option(
            "--every",
            help_="seconds between two looks (default: %(default)g)",
            metavar="SECONDS",
            type=float,
            default=5.0,
            dest="every_s",
        ),
    ),
)
_INTERRUPT = Verb("sessions.interrupt", "interrupt the cell that runs", (_SESSION,))
_STOP = Verb(
    "sessions.stop",
    "end a session and its machine",
    (
        _SESSION,
        option("--all", help_="all started from this computer", action="store_true"),
        option("--yes", help_="even if other notebooks share it", action="store_true"),
    ),
)
_RESTART = Verb("sessions.restart", "give the session an empty namespace", surface="notebook")
_USE = Verb(
    "sessions.use",
    "choose where the next session runs, without starting it",
    _PLACE,
    surface="notebook",
)

_PICKLE = option(
    "--pickle",
    help_="pickle what no other format holds; unpickling runs code the other side chose",
    action="store_true",
)

_MOVE = (
    option("names", help_="variables; with --file, files", metavar="NAME", nargs="+"),
    option("--file", help_="move files rather than variables", action="store_true"),
    option("--to", help_="what to call it there, if it is one", metavar="NAME"),
    _PICKLE,
)

TABLE: dict[str, Verb | Noun] = {
    "start": _START,
    "use": _USE,
    "attach": _ATTACH,
    "status": _STATUS,
    "interrupt": _INTERRUPT,
    "restart": _RESTART,
    "stop": _STOP,
    "sessions": Noun(
        "machines that run cells, started from this computer",
        {
            "list": Verb(
                "sessions.list_",
                "list those that still run",
                (
                    option(
                        "--everywhere",
                        help_="also those that the server knows from elsewhere",
                        action="store_true",
                    ),
                ),
            ),
            "start": _START,
            "attach": _ATTACH,
            "status": _STATUS,
            "interrupt": _INTERRUPT,
            "restart": _RESTART,
            "stop": _STOP,
            "execute": Verb(
                "sessions.execute",
                "run code by a single call, which shows its outputs at the end",
                (
                    _SESSION._replace(
                        help="its id, as 'sessions list' shows it",
                        settings={"metavar": "SESSION"},
                    ),
                    option(
                        "code",
                        help_="what to run; '-' reads it from standard input",
                        metavar="CODE",
                    ),
                    option(
                        "--timeout",
                        help_="how long it may run, at most 120 (default: %(default)g)",
                        metavar="SECONDS",
                        type=float,
                        default=120.0,
                        dest="timeout_s",
                    ),
                ),
            ),
        },
    ),
    "push": Verb(
        "transfer.push",
        "send variables or files of this computer to the session",
        _MOVE,
        surface="notebook",
    ),
    "pull": Verb(
        "transfer.pull",
        "fetch variables or files of the session to this computer",
        _MOVE,
        surface="notebook",
    ),
    "login": Verb(
        "account.login",
        "keep an API key in the system's keyring",
        (
            option(
                "--with-token",
                help_="read the key from standard input, for scripts",
                action="store_true",
            ),
        ),
    ),
    "logout": Verb("account.logout", "remove the API key from the system's keyring"),
    "config": Verb("config.show", "show the settings and where each comes from"),
    "doctor": Verb("doctor.examine", "look for what keeps cells from running, and say the remedy"),
    **WORKSPACE,
}

SECTIONS = {
    "cells": (
        *("start", "use", "attach", "status", "interrupt", "restart", "stop"),
        *("push", "pull", "sessions"),
    ),
    "workspace": tuple(WORKSPACE),
    "this computer": ("login", "logout", "config", "doctor", "install", "serve", "completion"),
}
"""How the commands are grouped where they are listed."""

CELL_OPTIONS = (
    option(
        "--in",
        help_="local variables to send along first",
        metavar="NAME",
        action="extend",
        nargs="+",
        default=[],
        dest="send",
    ),
    option(
        "--out",
        help_="remote variables to fetch afterwards",
        metavar="NAME",
        action="extend",
        nargs="+",
        default=[],
        dest="fetch",
    ),
    _PICKLE,
)
"""Options of a cell magic."""

COMMON: tuple[Option, ...] = (
    option("--json", help_="print JSON, for programs", action="store_true", dest="as_json"),
    option(
        "--base-url",
        help_="the server's address, or 'local' for a server on this computer",
        metavar="URL",
    ),
)
"""Options that every verb has in a shell."""

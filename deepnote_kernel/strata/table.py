"""Every noun, verb and option of ``%strata`` and ``jupyter deepnote strata``."""

from __future__ import annotations

from typing import get_args

from deepnote_kernel.commands.grammar import Noun, Option, Verb, option
from deepnote_kernel.strata.calls.cells import Language, Mode
from deepnote_kernel.strata.calls.notebooks import ExportFormat

__all__ = ["COMMON", "SECTIONS", "SHELL_COMMON", "TABLE"]

_YES = option("-y", "--yes", help_="do not ask first", action="store_true")
_CELL = option("cell", help_="its id, as 'cells list' shows it", names="cell", metavar="CELL")
_NAME = option("name", help_="its name, or its folder's path", names="notebook", metavar="NOTEBOOK")
_SESSION = option(
    "session_id", help_="its id, as 'sessions list' shows it", names="session", metavar="SESSION"
)
_TO = option("--to", help_="the file to write", metavar="FILE")
_VARIABLES = (
    option("names", help_="the variables", metavar="NAME", nargs="+"),
    option("--to", help_="what to call it there, if it is one", metavar="NAME"),
)
_MESSAGE = option("message", help_="what to say, in quotation marks", metavar="TEXT")

_PLACE = (
    option(
        "notebook_id",
        help_="the Strata notebook that cells go to, by name or path; one is made if need be",
        names="notebook",
        metavar="NOTEBOOK",
        nargs="?",
    ),
    option(
        "--mode",
        help_="'jupyter': a cell sees what ran last; 'reactive': what lies above it",
        choices=["jupyter", "reactive"],
    ),
    option("--url", help_="the server's address", metavar="URL", dest="base_url"),
)

TABLE: dict[str, Verb | Noun] = {
    "start": Verb("sessions.start", "open the notebook that cells go to", _PLACE, "notebook"),
    "use": Verb(
        "sessions.use", "choose where the next cells go, without opening it", _PLACE, "notebook"
    ),
    "attach": Verb(
        "sessions.attach",
        "go on in a notebook as it is, variables included",
        (option("notebook", help_=_NAME.help, names="notebook", metavar="NOTEBOOK"),),
        "notebook",
    ),
    "status": Verb("sessions.status", "show where cells run", (), "notebook"),
    "interrupt": Verb("sessions.interrupt", "cancel the cell that runs", (), "notebook"),
    "restart": Verb("sessions.restart", "give the next cells an empty namespace", (), "notebook"),
    "stop": Verb("sessions.stop", "close the notebook that cells run in", (), "notebook"),
    "push": Verb(
        "variables.push", "send variables of this Python to the notebook", _VARIABLES, "notebook"
    ),
    "pull": Verb("variables.pull", "fetch variables of the notebook", _VARIABLES, "notebook"),
    "data": Verb(
        "variables.show_data",
        "show rows of a table of the notebook",
        (
            option("name", help_="the variable", metavar="NAME"),
            option("--offset", help_="the first row", type=int, default=0, metavar="N"),
            option("--rows", help_="how many rows", type=int, default=20, metavar="N"),
            option("--sort", help_="a column to sort by", metavar="COLUMN"),
            option("--descending", help_="the largest first", action="store_true"),
            option("--search", help_="only rows that hold this", metavar="TEXT"),
        ),
    ),
    "notebooks": Noun(
        "notebooks on the server",
        {
            "list": Verb("notebooks.list_", "list those in the server's folder"),
            "show": Verb("notebooks.show", "show one"),
            "create": Verb(
                "notebooks.create",
                "create one and open it",
                (
                    option("name", help_="what to call it", metavar="NAME"),
                    option("--python", help_="a version that 'config' lists", metavar="VERSION"),
                    option("--folder", help_="where, on the server's machine", metavar="PATH"),
                ),
            ),
            "open": Verb("notebooks.open_", "open one on the server", (_NAME,)),
            "rename": Verb(
                "notebooks.rename",
                "give it another name",
                (option("name", help_="the new name", metavar="NAME"),),
            ),
            "delete": Verb("notebooks.delete", "delete one and its results", (_NAME, _YES)),
        },
    ),
    "sessions": Noun(
        "notebooks that the server has open",
        {
            "list": Verb("sessions.list_", "list them"),
            "show": Verb("sessions.show", "show one", (_SESSION,)),
            "close": Verb("sessions.close", "close one; cells and results stay", (_SESSION,)),
        },
    ),
    "cells": Noun(
        "cells of the notebook",
        {
            "list": Verb("cells.list_", "list them in their order"),
            "show": Verb("cells.show", "show one", (_CELL,)),
            "add": Verb(
                "cells.add",
                "add one",
                (
                    option("source", help_="its text, in quotation marks", metavar="TEXT"),
                    option("--after", help_="the cell to put it behind", metavar="CELL"),
                    option(
                        "--language",
                        help_="what it is written in",
                        choices=get_args(Language),
                        default="python",
                    ),
                ),
            ),
            "update": Verb(
                "cells.update",
                "give one another text",
                (
                    _CELL,
                    option("source", help_="its text, in quotation marks", metavar="TEXT"),
                    option(
                        "--force", help_="overrule somebody's edit of just now", action="store_true"
                    ),
                ),
            ),
            "move": Verb(
                "cells.move",
                "put cells first, in the order given",
                (option("cells_", help_="their ids", names="cell", metavar="CELL", nargs="+"),),
            ),
            "run": Verb(
                "cells.run",
                "run one on the server",
                (
                    _CELL,
                    option(
                        "--mode",
                        help_="'normal': use the cache; 'rerun': run it; 'force': and no other",
                        choices=get_args(Mode),
                        default="normal",
                    ),
                ),
            ),
            "cancel": Verb("cells.cancel", "cancel one that runs", (_CELL,)),
            "delete": Verb("cells.delete", "delete one", (_CELL, _YES)),
        },
    ),
    "dag": Verb("cells.dag", "draw which cell uses what of which"),
    "deps": Noun(
        "packages that the notebook asks for",
        {
            "list": Verb(
                "packages.list_",
                "list them",
                (
                    option(
                        "--all",
                        help_="what they bring along, too",
                        action="store_true",
                        dest="all_",
                    ),
                ),
            ),
            "add": Verb(
                "packages.add",
                "add one",
                (option("package", help_="as in a requirements file", metavar="PACKAGE"),),
            ),
            "remove": Verb(
                "packages.remove",
                "remove one",
                (option("package", help_="its name", metavar="PACKAGE"),),
            ),
        },
    ),
    "env": Noun(
        "the notebook's Python environment",
        {
            "show": Verb("packages.show", "show it"),
            "job": Verb("packages.job", "show the work on it"),
            "sync": Verb("packages.sync", "install what the notebook asks for"),
            "export": Verb("packages.export", "show it as a requirements file", (_TO,)),
            "import": Verb(
                "packages.import_",
                "install what a requirements file or an environment.yaml asks for",
                (
                    option("file", help_="the file", metavar="FILE"),
                    option("--preview", help_="only show what would change", action="store_true"),
                ),
            ),
        },
    ),
    "workers": Noun(
        "where the notebook's cells can run",
        {
            "list": Verb("places.list_workers", "list them"),
            "use": Verb(
                "places.use_worker",
                "choose one",
                (option("name", help_="its name; 'local' for the server", metavar="NAME"),),
            ),
            "add": Verb(
                "places.define_worker",
                "add one to those of the notebook",
                (
                    option("name", help_="what to call it", metavar="NAME"),
                    option("url", help_="where it listens", metavar="URL"),
                ),
            ),
        },
    ),
    "mounts": Noun(
        "folders that the notebook's cells see",
        {
            "list": Verb("places.list_mounts", "list them"),
            "add": Verb(
                "places.mount",
                "add one; cells see it as a path of its name",
                (
                    option("name", help_="the variable", metavar="NAME"),
                    option("uri", help_="such as file:///data or s3://bucket", metavar="URI"),
                    option("--writable", help_="let cells write there", action="store_true"),
                ),
            ),
            "remove": Verb(
                "places.unmount",
                "remove one",
                (option("name", help_="its name", metavar="NAME"),),
            ),
        },
    ),
    "timeout": Verb(
        "places.timeout",
        "set how long a cell may run",
        (
            option(
                "seconds", help_="up to a day; 0 for the server's limit", type=float, metavar="S"
            ),
        ),
    ),
    "export": Verb(
        "notebooks.export",
        "download the notebook",
        (
            option(
                "--format",
                help_="a bundle of its files, or a document",
                choices=get_args(ExportFormat),
                default="zip",
                dest="form",
            ),
            _TO,
        ),
    ),
    "ai": Noun(
        "the assistant of Strata up to 0.7.0",
        {
            "status": Verb("assistant.status", "show whether it can be asked"),
            "models": Verb("assistant.models", "list its language models"),
            "use": Verb(
                "assistant.use",
                "choose a language model",
                (option("model", help_="as 'ai models' lists it", metavar="MODEL"),),
            ),
            "ask": Verb(
                "assistant.ask",
                "ask it, and see its answer as it comes",
                (
                    _MESSAGE,
                    option("--cell", help_="a cell to look at", names="cell", metavar="CELL"),
                    option("--whole", help_="wait for the whole answer", action="store_true"),
                ),
            ),
            "agent": Verb(
                "assistant.agent",
                "let it work on the notebook",
                (
                    _MESSAGE,
                    option(
                        "--auto-approve",
                        help_="let it delete cells and add packages unasked",
                        action="store_true",
                    ),
                ),
            ),
            "reset": Verb("assistant.reset", "let it forget what it was told"),
        },
    ),
    "config": Verb("places.config", "show how the server runs notebooks"),
    "materialize": Verb(
        "core.materialize",
        "read an Iceberg table, or query several, as an Arrow table",
        (
            option("uris", help_="such as file:///warehouse#db.events", metavar="URI", nargs="+"),
            option("--columns", help_="only these, with commas", metavar="NAMES"),
            option("--sql", help_="a query over input0, input1, …", metavar="SQL"),
            option("--name", help_="a name for the result", metavar="NAME"),
            option("--to", help_="write it as Parquet, too", metavar="FILE"),
        ),
    ),
    "stream": Verb(
        "core.stream",
        "read a stream that is ready as an Arrow table",
        (
            option("stream_id", help_="its id or path", metavar="STREAM"),
            option("--to", help_="write it as Parquet, too", metavar="FILE"),
        ),
    ),
}

SECTIONS = {
    "where cells run": ("start", "use", "attach", "status", "interrupt", "restart", "stop"),
    "variables": ("push", "pull", "data"),
    "the notebook": ("cells", "dag", "deps", "env", "workers", "mounts", "timeout", "export", "ai"),
    "the server": ("notebooks", "sessions", "config", "materialize", "stream"),
}
"""How the nouns are grouped where they are listed."""

COMMON: tuple[Option, ...] = (
    option(
        "--notebook",
        help_="the notebook it is about, by name, path or session; the open one if left out",
        names="notebook",
        metavar="NOTEBOOK",
        default="",
        dest="about",
    ),
)
"""Options that every verb has."""

SHELL_COMMON: tuple[Option, ...] = (
    *COMMON,
    option("--json", help_="print JSON, for programs", action="store_true", dest="as_json"),
    option("--url", help_="the server's address", metavar="URL", dest="base_url"),
)
"""Options that every verb has in a shell."""

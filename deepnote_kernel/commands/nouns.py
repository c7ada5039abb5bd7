"""The nouns and verbs of the workspace: what Deepnote's API keeps, and how to change it."""

from __future__ import annotations

from deepnote_kernel.commands.grammar import Noun, Option, Verb, option

__all__ = ["WORKSPACE"]


def _project(name: str = "project", help_: str = "its name or id") -> Option:
    return option(name, help_=help_, names="project", metavar=name.upper())


_YES = option("-y", "--yes", help_="do not ask first", action="store_true")
_PROJECT = _project()
_NOTEBOOK = option(
    "notebook",
    help_="its name or id; PROJECT/NOTEBOOK where several have the name",
    names="notebook",
    metavar="NOTEBOOK",
)
_NAME = option("name", help_="what to call it", metavar="NAME")
_RUN = option("run", help_="its id, as 'runs list' shows it", names="run", metavar="RUN")
_BLOCK = option("block", help_="its id, as 'blocks list' shows it", metavar="BLOCK")
_PATH = option("path", help_="its path below /work, as 'files list' shows it", metavar="PATH")
_SOURCE = (
    option("--content", help_="its source", metavar="TEXT"),
    option("--file", help_="a file of this computer that holds its source", metavar="FILE"),
)
_TO = option(
    "--to",
    help_="write the notebook with its outputs to a file, .ipynb or .deepnote",
    metavar="FILE",
)
_SNAPSHOT_WAIT = option(
    "--snapshot-wait",
    help_="how long to wait for outputs that come after the run's end (default: %(default)g)",
    metavar="SECONDS",
    type=float,
    default=10.0,  # as Deepnote's own client
    dest="snapshot_wait_s",
)

_RUN_OPTIONS = (
    _NOTEBOOK,
    option(
        "-i",
        "--input",
        help_="a value for one of its input blocks, in this run alone; may be repeated",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="inputs",
    ),
    option(
        "--live",
        help_="run it in the project's machine and show its outputs in the editor, rather than a "
        "copy on a machine of its own",
        action="store_true",
    ),
    option(
        "--session",
        help_="run it in the kernel of this session, whose variables it sees",
        names="session",
        metavar="ID",
        dest="session_id",
    ),
    option(
        "--storage-mode",
        help_="whether the copy may write to the project's files",
        choices=["read_write", "readonly"],
    ),
    option(
        "--machine",
        help_="the kind of machine, as 'machines list' shows it",
        names="machine",
        metavar="ID",
    ),
    option(
        "--block",
        help_="run this block only, with --live or --session; may be repeated",
        metavar="ID",
        action="append",
        default=[],
        dest="block_ids",
    ),
    option(
        "--downstream",
        help_="run the blocks that depend on those as well",
        action="store_true",
    ),
    option("--no-wait", help_="do not wait for its end", action="store_false", dest="wait"),
    option(
        "--timeout",
        help_="stop waiting after so long; the run goes on",
        metavar="SECONDS",
        type=float,
        dest="timeout_s",
    ),
    _SNAPSHOT_WAIT,
    _TO,
)

_RUNS_OF = Verb(
    "runs.list_",
    "list a notebook's runs, newest first, whatever started them",
    (
        _NOTEBOOK,
        option(
            "--limit",
            help_="how many to show (default: %(default)s)",
            metavar="N",
            type=int,
            default=20,
        ),
    ),
)

_PROJECTS = Noun(
    "notebooks and files that share a machine",
    {
        "list": Verb(
            "projects.list_",
            "list the workspace's projects",
            (option("--name", help_="only those whose name contains this", metavar="TEXT"),),
        ),
        "show": Verb("projects.show", "show a project and its notebooks", (_PROJECT,)),
        "create": Verb("projects.create", "create a project with one empty notebook", (_NAME,)),
        "update": Verb(
            "projects.update",
            "change what a project shares",
            (
                _PROJECT,
                option("--site", help_="serve its static site", choices=["on", "off"]),
                option(
                    "--site-api",
                    help_="let the static site call the API",
                    choices=["on", "off"],
                ),
                option(
                    "--app-api",
                    help_="let its Streamlit app call the API",
                    choices=["on", "off"],
                ),
                option("--environment", help_="the environment of its machine", metavar="ID"),
            ),
        ),
        "delete": Verb(
            "projects.delete", "delete a project and all that is in it", (_PROJECT, _YES)
        ),
        "export": Verb(
            "archives.export",
            "write a project's notebooks to this computer, a .deepnote file each, without outputs",
            (
                _PROJECT,
                option(
                    "--to",
                    help_="a folder, or a .zip file (default: a folder named as the project)",
                    metavar="PATH",
                ),
                _YES,
            ),
        ),
        "import": Verb(
            "archives.import_",
            "replace a project's notebooks with those of .deepnote files; clears their outputs",
            (
                _PROJECT,
                option("path", help_="a .zip file, or a folder of .deepnote files", metavar="PATH"),
                option(
                    "--delete-missing",
                    help_="delete notebooks that are not among them",
                    action="store_true",
                ),
                option(
                    "--force",
                    help_="even if the project has changed since it was exported",
                    action="store_true",
                ),
                _YES,
            ),
        ),
    },
)

_NOTEBOOKS = Noun(
    "code, text and inputs, in blocks",
    {
        "list": Verb(
            "notebooks.list_",
            "list the workspace's notebooks",
            (
                option(
                    "--project",
                    help_="only those of this project, by name or id",
                    names="project",
                    metavar="PROJECT",
                ),
            ),
        ),
        "show": Verb("notebooks.show", "show a notebook's blocks and inputs", (_NOTEBOOK,)),
        "create": Verb(
            "notebooks.create", "create an empty notebook in a project", (_PROJECT, _NAME)
        ),
        "rename": Verb("notebooks.rename", "give a notebook another name", (_NOTEBOOK, _NAME)),
        "delete": Verb("notebooks.delete", "delete a notebook", (_NOTEBOOK, _YES)),
        "runs": _RUNS_OF,
        "schedule": Verb(
            "notebooks.schedule",
            "run a notebook at certain times, or show when it runs",
            (
                _NOTEBOOK,
                option(
                    "cron",
                    help_="minute, hour, day, month and weekday, as in '0 9 * * 1-5'",
                    metavar="CRON",
                    nargs="?",
                ),
                option(
                    "--timezone",
                    help_="where that time is meant, as in Europe/Prague (default: UTC)",
                    metavar="ZONE",
                ),
            ),
        ),
        "unschedule": Verb(
            "notebooks.unschedule", "let a notebook no longer run by itself", (_NOTEBOOK,)
        ),
    },
)

_BLOCKS = Noun(
    "the pieces of a notebook",
    {
        "list": Verb("blocks.list_", "list a notebook's blocks, in order", (_NOTEBOOK,)),
        "show": Verb("blocks.show", "show a block and its source", (_BLOCK,)),
        "create": Verb(
            "blocks.create",
            "add a block to a notebook",
            (
                _NOTEBOOK,
                option(
                    "--type",
                    help_="code, sql, markdown, input-text and so on (default: %(default)s)",
                    metavar="TYPE",
                    default="code",
                    dest="type_",
                ),
                *_SOURCE,
                option(
                    "--position",
                    help_="where it goes, counted from 0 (default: the end)",
                    metavar="N",
                    type=int,
                ),
            ),
        ),
        "update": Verb("blocks.update", "give a block another source", (_BLOCK, *_SOURCE)),
        "move": Verb(
            "blocks.move",
            "move blocks to the end of their notebook, or elsewhere in it",
            (
                _NOTEBOOK,
                option("block", help_="their ids, in order", metavar="BLOCK", nargs="+"),
                option("--after", help_="behind this block", metavar="BLOCK"),
                option("--to-start", help_="to the start of the notebook", action="store_true"),
            ),
        ),
        "delete": Verb("blocks.delete", "delete a block", (_BLOCK, _YES)),
    },
)

_RUNS = Noun(
    "executions of notebooks, and the snapshots they leave",
    {
        "list": _RUNS_OF,
        "show": Verb("runs.show", "show how a run went", (_RUN,)),
        "snapshot": Verb(
            "runs.snapshot",
            "show the outputs of a run, or write them to a file",
            (
                _RUN,
                _TO,
                _SNAPSHOT_WAIT,
            ),
        ),
    },
)

_FILES = Noun(
    "a project's storage, which its notebooks see as /work",
    {
        "list": Verb("files.list_", "list a project's files", (_PROJECT,)),
        "put": Verb(
            "files.put",
            "store files of this computer in a project",
            (
                _PROJECT,
                option("file", help_="files of this computer", metavar="FILE", nargs="+"),
                option(
                    "--to",
                    help_="where to, below /work: a path, or a folder if it ends with a slash",
                    metavar="PATH",
                ),
                option(
                    "--replace",
                    help_="delete what is there first; else the server gives a new name",
                    action="store_true",
                ),
            ),
        ),
        "get": Verb(
            "files.get",
            "save one of a project's files on this computer",
            (
                _PROJECT,
                _PATH,
                option("--to", help_="a file or folder (default: this one)", metavar="FILE"),
                _YES,
            ),
        ),
        "copy": Verb(
            "files.copy",
            "copy a file into another project",
            (_PROJECT, _PATH, _project("target", "the other project's name or id")),
        ),
        "delete": Verb("files.delete", "delete one of a project's files", (_PROJECT, _PATH, _YES)),
    },
)

_APPS = Noun(
    "Streamlit apps: files of a project that are served as web pages",
    {
        "list": Verb("apps.list_", "list a project's Streamlit apps", (_PROJECT,)),
        "publish": Verb(
            "apps.publish",
            "serve a file of a project as a Streamlit app; Deepnote restarts its machine for that",
            (
                _PROJECT,
                option(
                    "entrypoint",
                    help_="a Python file in the project, by its path below /work",
                    metavar="ENTRYPOINT",
                ),
                option(
                    "--no-wait",
                    help_="do not wait until it runs",
                    action="store_false",
                    dest="wait",
                ),
                option(
                    "--timeout",
                    help_="stop waiting after so long (default: %(default)g)",
                    metavar="SECONDS",
                    type=float,
                    default=600.0,  # as Deepnote's own client
                    dest="timeout_s",
                ),
            ),
        ),
        "status": Verb(
            "apps.status",
            "show whether an app runs",
            (option("app", help_="its id, as 'apps list' shows it", metavar="APP"),),
        ),
    },
)

WORKSPACE: dict[str, Verb | Noun] = {
    "me": Verb("me.show", "show whom the token speaks for"),
    "projects": _PROJECTS,
    "notebooks": _NOTEBOOKS,
    "blocks": _BLOCKS,
    "run": Verb(
        "run.run",
        "run a notebook from its first block to its last, and show its outputs",
        _RUN_OPTIONS,
    ),
    "runs": _RUNS,
    "files": _FILES,
    "apps": _APPS,
    "integrations": Noun(
        "connections to databases and other services",
        {"list": Verb("integrations.list_", "list the workspace's integrations")},
    ),
    "machines": Noun(
        "what notebooks run on",
        {
            "list": Verb("machines.list_", "list the kinds of machine there are"),
            "show": Verb(
                "machines.show", "show the machine that a project's notebooks share", (_PROJECT,)
            ),
        },
    ),
    "execute-v1": Verb(
        "v1.execute", "start a notebook through the legacy API, and hear no more", (_NOTEBOOK,)
    ),
}
"""What the API keeps, by noun; the verb ``run`` stands alone."""

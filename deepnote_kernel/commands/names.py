"""Find a project or notebook by what a person types: its id, or its name."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from deepnote_kernel.api import machines, notebooks, projects
from deepnote_kernel.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from deepnote_kernel.api import Client
    from deepnote_kernel.api.models import Notebook, Project, Run

__all__ = [
    "find_notebook_id",
    "find_project_id",
    "iterate_notebooks",
    "known_names",
    "latest_runs",
]

_RUNS = 5  # how many runs of how many notebooks are offered
_NEVER = datetime.min.replace(tzinfo=timezone.utc)

_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


def find_project_id(client: Client, text: str) -> str:
    """Return the id of a project.

    Args:
        client: Asks the server, if a name was given.
        text: Its id or its name.

    Raises:
        UnknownNameError: No project has that name.
        ConfigError: Several have.
    """
    if _ID.fullmatch(text):
        return text
    found = client.iterate(projects.list_(name_contains=text))
    return _only("project", text, [(item.id, item.name) for item in found if item.name == text])


def find_notebook_id(client: Client, text: str) -> str:
    """Return the id of a notebook.

    Args:
        client: Asks the server, if a name was given.
        text: Its id, its name, or ``PROJECT/NOTEBOOK`` where several have that name.

    Raises:
        UnknownNameError: No notebook has that name.
        ConfigError: Several have.
    """
    if _ID.fullmatch(text):
        return text
    found = [
        (notebook.id, path)
        for project, notebook in iterate_notebooks(client)
        if text in {notebook.name, path := f"{project.name}/{notebook.name}"}
    ]
    return _only("notebook", text, found)


def known_names(client: Client, kind: str) -> list[str]:
    """Return the names and ids of what there is of a kind, to complete a word with.

    Args:
        client: Asks the server.
        kind: ``project``, ``notebook``, ``run`` (the latest) or ``machine``; none of any other.
    """
    if kind == "project":
        found = [*client.iterate(projects.list_())]
        return [item.name for item in found] + [item.id for item in found]
    if kind == "notebook":
        return _notebook_names(client)
    if kind == "run":
        ran = (notebook for _, notebook in iterate_notebooks(client))
        return [run.id for run in latest_runs(client, ran)]
    if kind == "machine":
        return [item.id for item in client.iterate(machines.list_types())]
    return []


def iterate_notebooks(client: Client) -> Iterator[tuple[Project, Notebook]]:
    """Yield every notebook with its project."""
    for project in client.iterate(projects.list_()):
        for notebook in project.notebooks:
            yield project, notebook


def _notebook_names(client: Client) -> list[str]:
    """Return names, with the project's where several notebooks have one, then ids."""
    found = list(iterate_notebooks(client))
    counts = Counter(notebook.name for _, notebook in found)
    names = [
        notebook.name if counts[notebook.name] == 1 else f"{project.name}/{notebook.name}"
        for project, notebook in found
    ]
    return names + [notebook.id for _, notebook in found]


def latest_runs(client: Client, found: Iterable[Notebook]) -> list[Run]:
    """Return the last runs of those notebooks that ran last: one call each.

    Args:
        client: Asks the server.
        found: Notebooks, as their projects list them.
    """
    ran = [notebook for notebook in found if notebook.last_run_at]
    ran.sort(key=lambda notebook: notebook.last_run_at or _NEVER, reverse=True)
    pages = (
        client.send(notebooks.list_runs(notebook.id, page_size=_RUNS)) for notebook in ran[:_RUNS]
    )
    return [run for page in pages for run in page.items]


def _only(kind: str, text: str, found: Sequence[tuple[str, str]]) -> str:
    if not found:
        raise UnknownNameError(
            f"There is no {kind} named {text!r}.",
            f"`%deepnote {kind}s` lists them; give the exact name, or the id.",
        )
    if len(found) > 1:
        listed = ", ".join(f"{name} ({item_id})" for item_id, name in found)
        raise ConfigError(f"{len(found)} {kind}s are named {text!r}: {listed}.", "Give the id.")
    return found[0][0]

"""Find a project or notebook by what a person types: its id, or its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deepnote_kernel.api import projects
from deepnote_kernel.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from deepnote_kernel.api import Client
    from deepnote_kernel.api.models import Notebook, Project

__all__ = ["find_notebook_id", "find_project_id", "iterate_notebooks", "known_names"]

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
        kind: ``project`` or ``notebook``; there are none of any other.
    """
    items: Iterable[Project | Notebook] = ()
    if kind == "project":
        items = [*client.iterate(projects.list_())]
    elif kind == "notebook":
        items = [notebook for _, notebook in iterate_notebooks(client)]
    return [item.name for item in items] + [item.id for item in items]


def iterate_notebooks(client: Client) -> Iterator[tuple[Project, Notebook]]:
    """Yield every notebook with its project."""
    for project in client.iterate(projects.list_()):
        for notebook in project.notebooks:
            yield project, notebook


def _only(kind: str, text: str, found: Sequence[tuple[str, str]]) -> str:
    if not found:
        raise UnknownNameError(
            f"There is no {kind} named {text!r}.", "Give its exact name, or its id from its page."
        )
    if len(found) > 1:
        listed = ", ".join(f"{name} ({item_id})" for item_id, name in found)
        raise ConfigError(f"{len(found)} {kind}s are named {text!r}: {listed}.", "Give the id.")
    return found[0][0]

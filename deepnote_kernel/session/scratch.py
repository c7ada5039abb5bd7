"""An empty notebook to anchor a session to, for those who name none.

Creating a session runs its whole notebook, so a notebook with nothing in it is the quickest and the
safest. It is made once, in a project of its own or in one the user names, and used again.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from deepnote_kernel.api import notebooks, projects
from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

    from deepnote_kernel.api import AsyncClient
    from deepnote_kernel.api.models import Notebook, Project

__all__ = ["NAME", "find_or_create"]

NAME: Final = "deepnote-kernel scratch"
"""Name of the project, and of the notebook in it."""


async def find_or_create(
    client: AsyncClient, project_id: str = "", taken: Collection[str] = ()
) -> str:
    """Return the id of an empty notebook.

    Args:
        client: Talks to the server.
        project_id: The project it shall be in; by default one named :data:`NAME`, made if need be.
        taken: Ids of notebooks that are in use.
    """
    project = await _project(client, project_id)
    for notebook in project.notebooks:
        # In a project of the user's, an empty notebook of another name is not ours to use.
        is_ours = notebook.name.startswith(NAME) or not project_id
        if is_ours and notebook.id not in taken and await _is_empty(client, notebook):
            return notebook.id
    if not _is_standard(project):
        raise ConfigError(
            f"The project {project.name!r} takes no notebook besides its own: its type is "
            f"{project.project_type}.",
            "Name another with --project or DEEPNOTE_PROJECT_ID, or none for one made for this.",
        )
    name = _unused_name({notebook.name for notebook in project.notebooks})
    return (await client.send(notebooks.create(project.id, name=name))).id


async def _project(client: AsyncClient, project_id: str) -> Project:
    if project_id:
        return await client.send(projects.get(project_id))
    async for project in client.iterate(projects.list_(name_contains=NAME)):
        if project.name == NAME and _is_standard(project):
            return await client.send(projects.get(project.id))
    return await client.send(projects.create(NAME, project_type="standard"))


def _is_standard(project: Project) -> bool:
    """Return whether a project takes further notebooks."""
    return project.project_type in {"", "standard"}


async def _is_empty(client: AsyncClient, notebook: Notebook) -> bool:
    blocks = (await client.send(notebooks.get(notebook.id))).blocks
    return not any(block.content.strip() for block in blocks)


def _unused_name(taken: set[str]) -> str:
    names = (f"{NAME} {number}" if number > 1 else NAME for number in count(1))
    return next(name for name in names if name not in taken)

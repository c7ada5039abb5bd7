"""The pages at Deepnote that show projects and notebooks in a browser.

Source: the links that Deepnote's own command-line tool prints, read November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from deepnote_kernel.api import me, notebooks

if TYPE_CHECKING:
    from deepnote_kernel.api import AsyncClient
    from deepnote_kernel.api.models import Workspace

__all__ = ["notebook_page", "page_url", "project_page"]

_PAGES: Final = "https://deepnote.com"


def project_page(workspace: Workspace, project_id: str) -> str:
    """Return the address of a project's page; empty where too little is known.

    Args:
        workspace: The workspace it is in.
        project_id: The project.
    """
    if not (project_id and workspace.id):
        return ""
    workspace_part = quote(f"{workspace.slug}-{workspace.id}", safe="")
    return f"{_PAGES}/workspace/{workspace_part}/project/{quote(f'-{project_id}', safe='')}"


def notebook_page(workspace: Workspace, project_id: str, notebook_id: str) -> str:
    """Return the address of a notebook's page; empty where too little is known.

    Args:
        workspace: The workspace it is in.
        project_id: The project it is in.
        notebook_id: The notebook.
    """
    project = project_page(workspace, project_id)
    return f"{project}/notebook/{quote(notebook_id, safe='')}" if project else ""


async def page_url(client: AsyncClient, notebook_id: str) -> str:
    """Return the address of a notebook's page; empty where the API does not say enough.

    Args:
        client: Talks to Deepnote.
        notebook_id: The notebook.
    """
    project_id = (await client.send(notebooks.get(notebook_id))).project_id
    workspace = (await client.send(me.get())).workspace
    return notebook_page(workspace, project_id, notebook_id)

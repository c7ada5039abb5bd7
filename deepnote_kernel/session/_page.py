"""The page that shows a notebook in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from deepnote_kernel.api import me, notebooks

if TYPE_CHECKING:
    from deepnote_kernel.api import AsyncClient

__all__ = ["page_url"]

_PAGES: Final = "https://deepnote.com"


async def page_url(client: AsyncClient, notebook_id: str) -> str:
    """Return the address of a notebook's page at Deepnote; empty where the API does not say enough.

    Source: the links that Deepnote's own command-line tool prints, read November 2026.

    Args:
        client: Talks to Deepnote.
        notebook_id: The notebook.
    """
    project_id = (await client.send(notebooks.get(notebook_id))).project_id
    workspace = (await client.send(me.get())).workspace
    if not (project_id and workspace.id):
        return ""
    names = [f"{workspace.slug}-{workspace.id}", f"-{project_id}", notebook_id]
    workspace_part, project_part, notebook_part = (quote(name, safe="") for name in names)
    return f"{_PAGES}/workspace/{workspace_part}/project/{project_part}/notebook/{notebook_part}"

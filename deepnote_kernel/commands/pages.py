"""Names that lead to their pages at Deepnote; other servers have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.api import me
from deepnote_kernel.api.models import Workspace
from deepnote_kernel.commands.views import Link
from deepnote_kernel.config import DEFAULT_BASE_URL
from deepnote_kernel.errors import DeepnoteError
from deepnote_kernel.session.pages import notebook_page, project_page

if TYPE_CHECKING:
    from deepnote_kernel.commands.context import Context

__all__ = ["Pages", "find_pages"]


class Pages:
    """Makes links.

    Args:
        workspace: Where the projects are; one without an id has no pages.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def project(self, text: str, project_id: str) -> Link:
        """Return a text that leads to a project."""
        return Link(text, project_page(self._workspace, project_id))

    def notebook(self, text: str, project_id: str, notebook_id: str) -> Link:
        """Return a text that leads to a notebook."""
        return Link(text, notebook_page(self._workspace, project_id, notebook_id))


def find_pages(context: Context) -> Pages:
    """Return what makes links for the server in use; without a workspace, links to nowhere.

    Pages are a comfort: where the server does not say which workspace it is, nothing fails.
    """
    workspace = Workspace()
    if context.settings.base_url == DEFAULT_BASE_URL and not context.surface.is_shell:
        try:
            workspace = context.client.send(me.get()).workspace
        except DeepnoteError:
            return Pages(workspace)
    return Pages(workspace)

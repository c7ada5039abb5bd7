"""Pages of projects and notebooks, for the browser to open."""

from __future__ import annotations

import pytest

from deepnote_kernel.api.models import Notebook, Project, Workspace
from deepnote_kernel.config import DEFAULT_BASE_URL, LOCAL
from deepnote_kernel.jupyter_server.workspaces import Workspaces

PROJECT = Project(id="p", name="Sales", notebooks=[Notebook(id="n", name="Report")])
PAGE = "https://deepnote.com/workspace/team-w/project/-p"


@pytest.mark.parametrize(
    ("server", "workspace", "page"),
    [
        (DEFAULT_BASE_URL, Workspace(id="w", slug="team"), PAGE),
        (LOCAL, Workspace(), ""),
    ],
)
def test_pages(server: str, workspace: Workspace, page: str) -> None:
    """Deepnote has one for each project and notebook; other servers have none."""
    project = Workspaces()._project(server, workspace, PROJECT)
    assert (project.url, project.notebooks[0].url) == (page, page and f"{page}/notebook/n")


def test_a_notebook_that_was_told_of_is_known() -> None:
    """Of another, its id is all there is."""
    workspaces = Workspaces()
    workspaces._project(LOCAL, Workspace(), PROJECT)
    assert workspaces.known(LOCAL, "n").name == "Report"
    assert workspaces.known(LOCAL, "other").name == ""

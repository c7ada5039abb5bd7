"""Where names lead."""

from __future__ import annotations

from deepnote_kernel.api.models import Workspace
from deepnote_kernel.commands.pages import Pages

WORKSPACE = Workspace(id="w1", slug="acme")


def test_a_project_leads_to_its_page() -> None:
    """The address is the one Deepnote's own tools print."""
    link = Pages(WORKSPACE).project("Sales", "p 1")
    assert link == "Sales"
    assert link.url == "https://deepnote.com/workspace/acme-w1/project/-p%201"


def test_a_notebook_leads_to_its_page() -> None:
    """Below that of its project."""
    link = Pages(WORKSPACE).notebook("Report", "p1", "n1")
    assert link.url == "https://deepnote.com/workspace/acme-w1/project/-p1/notebook/n1"


def test_without_a_workspace_there_is_no_page() -> None:
    """Other servers than Deepnote have none."""
    pages = Pages(Workspace())
    assert pages.project("Sales", "p1").url == ""
    assert pages.notebook("Report", "p1", "n1").url == ""

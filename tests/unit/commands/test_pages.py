"""Where names lead."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from deepnote_kernel.api import Client
from deepnote_kernel.api.models import Workspace
from deepnote_kernel.cli.shell import ShellSurface
from deepnote_kernel.commands import projects
from deepnote_kernel.commands.context import Context
from deepnote_kernel.commands.pages import Pages, find_pages
from deepnote_kernel.config import Secret, Settings
from deepnote_kernel.session.remote import Remote

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


class Deepnote(Context):
    """A context whose server answers from a script, in the place of Deepnote's."""

    def __init__(self, answers: dict[str, httpx.Response], *, is_shell: bool = False) -> None:
        remote = Remote(Settings())
        surface = ShellSurface(remote)
        surface.is_shell = is_shell
        super().__init__(remote, surface)
        self.asked: list[str] = []
        self._answers = answers

    @property
    def client(self) -> Client:
        """A client whose network is the script."""
        return Client(token=Secret("t"), transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        return self._answers[request.url.path]


def _me(status: int = 200) -> dict[str, httpx.Response]:
    workspace: dict[str, Any] = {"id": "w1", "slug": "acme", "name": "Acme"}
    return {"/v2/me": httpx.Response(status, json={"workspace": workspace})}


def test_a_listing_has_links() -> None:
    """In a notebook a project is one click away."""
    answers = _me()
    found = {"projects": [{"id": "p1", "name": "Sales"}], "pagination": {"nextPageToken": None}}
    answers["/v2/projects"] = httpx.Response(200, json=found)
    listing = projects.list_(Deepnote(answers), name=None)
    page = "https://deepnote.com/workspace/acme-w1/project/-p1"
    assert f'<a href="{page}" target="_blank" rel="noopener">Sales</a>' in listing._repr_html_()
    assert page not in repr(listing)


def test_a_terminal_needs_no_pages() -> None:
    """So nobody is asked for them."""
    context = Deepnote({}, is_shell=True)
    assert find_pages(context).project("Sales", "p1").url == ""
    assert context.asked == []


@pytest.mark.parametrize("status", [403, 404])
def test_pages_are_a_comfort(status: int) -> None:
    """Where the workspace is not told, names lead nowhere, and nothing fails."""
    assert find_pages(Deepnote(_me(status))).project("Sales", "p1").url == ""

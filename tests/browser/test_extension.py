"""The JupyterLab extension as a person sees it: the status bar, and the panel of sessions."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from deepnote_kernel.config import Secret, Settings
from deepnote_kernel.errors import SessionGoneError
from deepnote_kernel.session.protocol import Cell
from deepnote_kernel.session.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page, Route

    from tests.browser.lab import Lab, Notebook
    from tests.integration.conftest import Server

BUILT = Path(sys.prefix) / "share/jupyter/labextensions/deepnote-kernel/package.json"
pytestmark = pytest.mark.skipif(not BUILT.exists(), reason="not built: nox -s labextension")

LONG = "import time; time.sleep(600)"

LEFT = """
import itertools, time
for step in itertools.count():
    print("step", step, flush=True)
    time.sleep(0.5)
"""


def status(page: Page) -> Locator:
    """Return the item of the status bar."""
    return page.locator("#jp-main-statusbar").get_by_role("button", name="Show sessions")


def panel(page: Page) -> Locator:
    """Return the side panel."""
    return page.get_by_role("region", name="Deepnote sessions")


def row(page: Page, listing: str, text: str) -> Locator:
    """Return a row of one of the side panel's lists by what stands in it."""
    rows = panel(page).get_by_role("list", name=listing, exact=True).get_by_role("listitem")
    return rows.filter(has_text=text)


def agree(page: Page, button: str) -> None:
    """Press the button of a dialog that does what it asks about."""
    page.get_by_role("dialog").get_by_role("button", name=button).click()


@pytest.fixture
def dark(lab: Lab) -> Iterator[None]:
    """JupyterLab's dark theme, for one test."""
    path = "lab/api/settings/@jupyterlab/apputils-extension:themes"
    with lab.client() as client:
        client.put(path, json={"raw": '{"theme": "JupyterLab Dark"}'}).raise_for_status()
        yield
        client.put(path, json={"raw": "{}"}).raise_for_status()


def test_the_status_bar_follows_the_session(
    open_notebook: Callable[..., Notebook], shot: Callable[..., None]
) -> None:
    """It says where cells run, what is going on, for how long, and how long it may go unused."""
    notebook = open_notebook("1 + 1", LONG)
    page = notebook.page
    expect(status(page)).to_have_text("Deepnote · no session yet")
    notebook.run(0)
    expect(status(page)).to_have_text(re.compile(r"Deepnote · idle · \d+\ss · \d+\smin\sleft"))
    shot(page)
    notebook.start(1)
    expect(status(page)).to_have_text(re.compile(r"Deepnote · busy · \d+\ss"))


def test_a_notebook_behind_something_else_has_no_status(
    open_notebook: Callable[..., Notebook],
) -> None:
    """The item goes when the launcher is in front, and comes back with the notebook."""
    page = open_notebook("1 + 1").page
    expect(status(page)).to_be_visible()
    page.keyboard.press("Control+Shift+L")
    expect(status(page)).to_be_hidden()
    page.get_by_role("tab", name=re.compile("ipynb")).first.click()
    expect(status(page)).to_be_visible()


def test_other_kernels_cost_nothing(open_notebook: Callable[..., Notebook]) -> None:
    """They have no such item, and nothing is asked for on their account."""
    notebook = open_notebook("1 + 1", kernel="python3")
    asked: list[str] = []
    notebook.page.on("request", lambda request: asked.append(request.url))
    notebook.run(0)
    expect(status(notebook.page)).to_be_hidden()
    assert [url for url in asked if "/deepnote/" in url] == []


def test_a_strata_kernel_has_no_session_of_deepnotes(
    open_notebook: Callable[..., Notebook], shot: Callable[..., None]
) -> None:
    """The status bar says where cells run and what the kernel does, and leads to no list."""
    page = open_notebook("%strata config", kernel="strata").page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    bar = page.locator("#jp-main-statusbar")
    expect(bar.get_by_text("Strata · idle")).to_be_visible()
    expect(status(page)).to_be_hidden()
    shot(page)
    assert [url for url in asked if "/deepnote/" in url] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_panel_shows_what_there_is(
    open_notebook: Callable[..., Notebook],
    server: Server,
    shot: Callable[..., None],
    request: pytest.FixtureRequest,
    theme: str,
) -> None:
    """Sessions with who uses them, projects with their notebooks, and the last runs."""
    if theme == "dark":
        request.getfixturevalue("dark")
    server.new_notebook()
    notebook = open_notebook("1 + 1")
    page = notebook.page
    notebook.run(0)
    status(page).click()
    expect(row(page, "Sessions", "this notebook")).to_contain_text("Notebook 1")
    panel(page).locator("summary", has_text="Test").last.click()
    expect(row(page, "Notebooks of Test", "Notebook 1")).to_be_visible()
    expect(row(page, "Recent runs", "success").first).to_be_visible()
    shot(page)


def test_pages_at_deepnote_are_links(open_notebook: Callable[..., Notebook]) -> None:
    """They open beside JupyterLab. Only Deepnote has any, so the answer is given some."""
    url = "https://deepnote.com/workspace/w/project/p/notebook/n"

    def give_pages(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        for project in told[0]["projects"]:
            project["notebooks"][0]["url"] = url
        route.fulfill(response=answer, json=told)

    page = open_notebook("1 + 1").page
    page.route("**/deepnote/workspaces*", give_pages)
    status(page).click()
    panel(page).locator("summary", has_text="Test").last.click()
    link = row(page, "Notebooks of Test", "Notebook 1").get_by_role("link")
    expect(link).to_have_attribute("href", url)
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_accessible_name("Open Notebook 1 on Deepnote")


def test_a_cell_is_interrupted_from_the_panel(open_notebook: Callable[..., Notebook]) -> None:
    """The button works while a cell runs, and the cell ends as by the kernel's own."""
    notebook = open_notebook("1 + 1", LONG)
    page = notebook.page
    notebook.run(0)
    status(page).click()
    button = row(page, "Sessions", "this notebook").get_by_role("button", name="Interrupt")
    expect(button).to_be_disabled()
    notebook.start(1)
    button.click()
    expect(notebook.output(1)).to_contain_text("KeyboardInterrupt")


def test_a_session_is_started_attached_to_and_stopped(
    open_notebook: Callable[..., Notebook], server: Server, shot: Callable[..., None]
) -> None:
    """All from the panel; each step that costs something asks first."""
    with server.client() as client:
        project = {"name": "Sales report"}
        client.post("/v2/projects", json=project).raise_for_status()
    notebook = open_notebook("1 + 1")
    page = notebook.page
    status(page).click()
    panel(page).get_by_text("Sales report").click()
    found = row(page, "Notebooks of Sales report", "Notebook 1")
    found.get_by_role("button", name="Start").click()
    shot(page, "question")
    agree(page, "Start")
    session = row(page, "Sessions", "Sales report")
    session.get_by_role("button", name="Attach").click()
    expect(session).to_contain_text("this notebook")
    expect(status(page)).to_contain_text("idle")
    notebook.run(0)
    shot(page, "attached")
    session.get_by_role("button", name="Stop").click()
    agree(page, "Stop")
    expect(session).to_be_hidden()
    expect(status(page)).to_have_text("Deepnote · session ended")


def test_a_failed_start_says_why_until_it_is_dismissed(
    open_notebook: Callable[..., Notebook], server: Server, shot: Callable[..., None]
) -> None:
    """In one line, with what to do."""
    with server.client() as client:
        answer = client.post("/v2/projects", json={"name": "Gone"})
        project_id = answer.json()["project"]["id"]
        notebook = open_notebook("1 + 1")
        page = notebook.page
        status(page).click()
        panel(page).get_by_text("Gone").click()
        client.delete(f"/v2/projects/{project_id}").raise_for_status()
    row(page, "Notebooks of Gone", "Notebook 1").get_by_role("button", name="Start").click()
    agree(page, "Start")
    failed = row(page, "Sessions", "failed")
    expect(failed.get_by_role("alert")).to_contain_text("Notebook not found")
    shot(page)
    failed.get_by_role("button", name="Dismiss").click()
    expect(failed).to_be_hidden()


def test_without_an_answer_the_status_bar_says_so(open_notebook: Callable[..., Notebook]) -> None:
    """Until there is one again."""
    notebook = open_notebook("1 + 1")
    page = notebook.page
    page.route("**/deepnote/sessions*", lambda route: route.abort())
    expect(status(page)).to_have_text("Deepnote · no answer")
    page.unroute("**/deepnote/sessions*")
    status(page).click()
    expect(status(page)).to_have_text("Deepnote · no session yet")


def test_a_left_cell_goes_on_in_the_notebook_that_attaches(
    open_notebook: Callable[..., Notebook], server: Server, shot: Callable[..., None]
) -> None:
    """What it puts out is shown below a cell that is made for it."""
    remote = Remote(
        Settings(token=Secret(server.token), base_url=server.url, notebook_id=server.new_notebook())
    )
    events = remote.events(Cell(id="left", code=LEFT))
    next(events)
    remote.detach()
    with pytest.raises(SessionGoneError):
        list(events)
    notebook = open_notebook("done = True")
    page = notebook.page
    status(page).click()
    row(page, "Sessions", "left with a cell").get_by_role("button", name="Attach").click()
    expect(row(page, "Sessions", "this notebook")).to_be_visible()
    expect(notebook.output(1)).to_contain_text("step 2")
    shot(page)
    row(page, "Sessions", "this notebook").get_by_role("button", name="Interrupt").click()
    expect(notebook.output(1)).to_contain_text("KeyboardInterrupt")

"""Before a cell runs: choosing the kernel, completing names, reading what they mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook, opened_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Page

    from tests.browser.lab import Lab

pytestmark = pytest.mark.timeout(180)

DEFINE = '''\
class Forest:
    """Many trees, and their vote."""

    def grow(self, trees: int = 100) -> None:
        """Add trees."""

forest = Forest()
'''


@pytest.fixture(scope="module")
def page(lab: Lab, context: BrowserContext) -> Iterator[Page]:
    """JupyterLab without a notebook."""
    with context.new_page() as page:
        page.goto(lab.address())
        yield page


@pytest.fixture(scope="module")
def notebook(lab: Lab, context: BrowserContext) -> Iterator[Notebook]:
    """A notebook in which an object exists."""
    with opened_notebook(lab, context, "editing.ipynb", DEFINE, "") as notebook:
        notebook.run(0)
        yield notebook


def test_launcher(page: Page, shot: Callable[..., None]) -> None:
    """The launcher has a tile for each kernel, with its logo."""
    tiles = page.locator(".jp-LauncherCard[data-category=Notebook]")
    for name in ("Deepnote", "Deepnote (local)", "Strata"):
        tile = tiles.filter(has_text=re.compile(f"^{re.escape(name)}$"))
        logo = tile.locator("img")
        expect(logo).to_be_visible()
        assert logo.evaluate("img => img.naturalWidth") > 0
    shot(page)


def test_new_notebook(page: Page, lab: Lab, shot: Callable[..., None]) -> None:
    """A click on the tile of the local kernel opens a notebook whose cells run, without more."""
    page.locator(".jp-LauncherCard", has_text="Deepnote (local)").first.click()
    notebook = Notebook(page).wait_until_ready()
    notebook.editor(0).click()
    page.keyboard.type("import platform\nplatform.system()")
    shot(page, "typed")
    notebook.run(0)
    expect(notebook.output(0)).to_contain_text("'Linux'")
    shot(page)
    lab.shut_down("Untitled.ipynb")


def test_completion(notebook: Notebook, shot: Callable[..., None]) -> None:
    """Tab offers the attributes of an object that only the far side has; Enter takes one."""
    notebook.editor(1).fill("forest.")
    notebook.page.keyboard.press("Tab")
    expect(notebook.page.locator(".jp-Completer")).to_contain_text("grow")
    shot(notebook.page)
    notebook.page.keyboard.press("Enter")
    expect(notebook.editor(1)).to_have_text("forest.grow")


def test_inspection(notebook: Notebook, shot: Callable[..., None]) -> None:
    """Shift-Tab shows the signature and the docstring of a remote method."""
    notebook.editor(1).fill("forest.grow(")
    notebook.page.keyboard.press("Shift+Tab")
    tooltip = notebook.page.locator(".jp-Tooltip")
    expect(tooltip).to_contain_text("forest.grow(trees: int = 100) -> None")
    expect(tooltip).to_contain_text("Add trees.")
    shot(notebook.page)
    notebook.page.keyboard.press("Escape")

"""Examples run in JupyterLab, each to the moment that the README has a picture of.

``nox -s screenshots`` puts the pictures where the README finds them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook, opened_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Locator

    from tests.browser.lab import Lab

pytestmark = pytest.mark.timeout(180)

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(
    lab: Lab, context: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[Notebook]:
    """The example that the test is named after, opened without the list of files."""
    path = f"{request.node.name.removeprefix('test_')}.ipynb"
    (lab.folder / path).write_bytes((EXAMPLES / path).read_bytes())
    with opened_notebook(lab, context, path) as notebook:
        notebook.page.set_viewport_size({"width": 1120, "height": 960})
        notebook.page.keyboard.press("Control+b")
        expect(notebook.page.locator(".jp-FileBrowser")).to_be_hidden()
        yield notebook


def finished(notebook: Notebook) -> None:
    """Wait until the last cell has its number."""
    cells = notebook.panel.locator(".jp-CodeCell").count()
    expect(notebook.prompt(cells - 1)).to_have_text(f"[{cells}]:")


def show_end(output: Locator) -> None:
    """Scroll an output to the bottom of the page."""
    output.evaluate("node => node.scrollIntoView({block: 'end'})")


def test_quickstart(example: Notebook, shot: Callable[..., None]) -> None:
    """A plot, and a model's scores; the error in the middle stops nothing."""
    example.run_all()
    finished(example)
    show_end(example.output(4))
    shot(example.page)
    expect(example.output(5)).to_contain_text("AttributeError")


def test_training(example: Notebook, shot: Callable[..., None]) -> None:
    """A plot and a bar move while the cell runs; the stop button leaves the loop."""
    example.editor(0).fill("epochs = 1000")
    example.run_all()
    expect(example.output(2)).to_contain_text(re.compile(r"[2-8]\d\d/1000"))
    show_end(example.output(2))
    shot(example.page)
    example.toolbar("Interrupt the kernel").click()
    expect(example.output(2)).to_contain_text("stopped after")
    finished(example)


def test_widgets(example: Notebook, shot: Callable[..., None]) -> None:
    """A slider draws, and a button fills a bar, by code on the far side."""
    example.run_all()
    finished(example)
    plot = example.output(2).locator("img")
    before = plot.get_attribute("src") or ""
    example.output(2).locator(".noUi-handle").press("PageUp")
    expect(plot).not_to_have_attribute("src", before)
    example.output(3).get_by_role("button", name="Bootstrap").click()
    expect(example.output(3)).to_contain_text("mean alcohol between")
    example.page.mouse.move(0, 0)
    show_end(example.output(3))
    shot(example.page)

"""What moves and answers while a cell runs, and after: progress, widgets, questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lab import opened_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from tests.browser.lab import Lab, Notebook

pytestmark = pytest.mark.timeout(180)

PROGRESS = """\
import pathlib, time
from {module} import tqdm

for step in tqdm(range(10), desc="{name}", mininterval=0):
    while step == 5 and not pathlib.Path("{gate}").exists():
        time.sleep(0.05)
"""
SLIDER = """\
import ipywidgets

slider = ipywidgets.IntSlider(description="epochs", value=10, max=100)
below = ipywidgets.Output()


@below.capture(clear_output=True)
def report(change):
    print(f"{slider.value} epochs")


slider.observe(report, "value")
display(slider, below)
"""
INTERACT = """\
import ipywidgets

@ipywidgets.interact(rate=(0, 10), model=["ridge", "forest"])
def train(rate=5, model="ridge"):
    print(f"{model} with rate {rate}")
"""
INPUT = """\
name = input("Which column? ")
print(f"sorted by {name}")
"""
PASSWORD = """\
import getpass
print(len(getpass.getpass("Password: ")), "characters")
"""
IPYMPL = """\
%matplotlib widget
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(5, 2.4))
axes.plot([1, 4, 9, 16]);
"""


@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where files are made that let cells go on."""
    return tmp_path_factory.mktemp("gates")


@pytest.fixture(scope="module")
def notebook(lab: Lab, context: BrowserContext, gates: Path) -> Iterator[Notebook]:
    """A notebook with a cell for each test."""
    text = PROGRESS.format(module="tqdm", name="text", gate=gates / "text")
    widget = PROGRESS.format(module="tqdm.notebook", name="widget", gate=gates / "widget")
    cells = (text, widget, SLIDER, INTERACT, INPUT, PASSWORD, IPYMPL)
    with opened_notebook(lab, context, "live.ipynb", *cells) as notebook:
        yield notebook


@pytest.mark.parametrize(("index", "name"), [(0, "text"), (1, "widget")], ids=["text", "widget"])
def test_progress(
    notebook: Notebook, gates: Path, index: int, name: str, shot: Callable[..., None]
) -> None:
    """A progress bar moves before its cell ends."""
    notebook.start(index)
    expect(notebook.output(index)).to_contain_text("5/10")
    expect(notebook.prompt(index)).to_have_text("[*]:")
    shot(notebook.page, "half")
    (gates / name).touch()
    expect(notebook.output(index)).to_contain_text("10/10")
    expect(notebook.prompt(index)).not_to_have_text("[*]:")
    shot(notebook.page, "whole")


def test_slider(notebook: Notebook, shot: Callable[..., None]) -> None:
    """A dragged slider calls back, and what the callback prints stands below the cell."""
    notebook.run(2)
    handle = notebook.output(2).locator(".noUi-handle")
    handle.hover()
    page = notebook.page
    page.mouse.down()
    box = notebook.output(2).locator(".noUi-base").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"], steps=5)
    page.mouse.up()
    expect(notebook.output(2).locator(".widget-readout")).to_have_text("50")
    expect(notebook.output(2)).to_contain_text("50 epochs\n")
    notebook.output(2).scroll_into_view_if_needed()
    shot(page)


def test_interact(notebook: Notebook, shot: Callable[..., None]) -> None:
    """A function under ``interact`` runs again with what was chosen, in place."""
    notebook.run(3)
    output = notebook.output(3)
    expect(output.locator(".jp-OutputArea-output pre")).to_have_text("ridge with rate 5\n")
    output.locator("select").select_option("forest")
    expect(output.locator(".jp-OutputArea-output pre")).to_have_text("forest with rate 5\n")
    shot(notebook.page)


def answer(notebook: Notebook, index: int, text: str) -> None:
    """Run a cell that asks, and type an answer into the box that appears below it."""
    notebook.start(index)
    box = notebook.output(index).locator("input")
    expect(box).to_be_focused()
    box.fill(text)
    box.press("Enter")


def test_input(notebook: Notebook, shot: Callable[..., None]) -> None:
    """A box below the cell takes the answer, which stays beside the question."""
    answer(notebook, 4, "r2")
    expect(notebook.output(4)).to_contain_text("sorted by r2\n")
    expect(notebook.output(4)).to_contain_text("Which column?  r2")
    shot(notebook.page)


def test_password(notebook: Notebook, shot: Callable[..., None]) -> None:
    """A password is taken, and not shown."""
    answer(notebook, 5, "secret")
    expect(notebook.output(5)).to_contain_text("6 characters\n")
    expect(notebook.output(5)).to_contain_text("········")
    notebook.output(5).scroll_into_view_if_needed()
    shot(notebook.page)


def test_ipympl(notebook: Notebook, shot: Callable[..., None]) -> None:
    """An interactive matplotlib figure draws where the pointer is."""
    notebook.run(6)
    canvas = notebook.output(6).locator(".jupyter-matplotlib-canvas-div canvas").last
    canvas.hover()
    expect(notebook.output(6)).to_contain_text("(x, y) = ")
    shot(notebook.page)

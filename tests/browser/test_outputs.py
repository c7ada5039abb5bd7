"""What stands below the cells of a notebook in JupyterLab after *Run All*."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lab import opened_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext

    from tests.browser.lab import Lab, Notebook

pytestmark = pytest.mark.timeout(180)

TEXT = """\
import sys
print("trained in 3 epochs")
print("learning rate is high", file=sys.stderr)
"""
FRAME = """\
import pandas as pd
scores = pd.DataFrame({"model": ["ridge", "forest"], "r2": [0.48, 0.52]})
scores
"""
MATPLOTLIB = """\
import matplotlib.pyplot as plt
plt.figure(figsize=(4, 1.6))
plt.plot([1, 4, 9, 16])
plt.title("squares");
"""
PLOTLY = """\
import plotly.graph_objects as go
go.Figure(go.Bar(x=["ridge", "forest"], y=[0.48, 0.52]), layout={"height": 220})
"""
UPDATED = """\
handle = display("waiting", display_id=True)
handle.update("done")
"""
ERROR = """\
def mean(values):
    return sum(values) / len(values)

mean([])
"""
AFTER = "print('never')"


@pytest.fixture(scope="module")
def notebook(lab: Lab, context: BrowserContext) -> Iterator[Notebook]:
    """A notebook whose cells have all run, up to the one that fails."""
    cells = (TEXT, FRAME, MATPLOTLIB, PLOTLY, UPDATED, ERROR, AFTER)
    with opened_notebook(lab, context, "outputs.ipynb", *cells) as notebook:
        notebook.run_all()
        expect(notebook.prompt(5)).to_have_text("[6]:")
        yield notebook


def test_text(notebook: Notebook, shot: Callable[..., None]) -> None:
    """What a cell prints stands below it, errors apart, and nothing of the session's start."""
    shot(notebook.page)
    outputs = notebook.output(0).locator(".jp-OutputArea-output")
    expect(outputs).to_have_text(["trained in 3 epochs\n", "learning rate is high\n"])


def test_dataframe(notebook: Notebook) -> None:
    """A DataFrame is a table, with the cell's number beside it."""
    expect(notebook.output(1).locator("tbody tr")).to_have_count(2)
    expect(notebook.output(1).locator(".jp-OutputPrompt")).to_have_text("[2]:")


def test_matplotlib(notebook: Notebook) -> None:
    """A plot is a picture of its own size."""
    picture = notebook.output(2).locator("img")
    assert picture.evaluate("img => img.naturalWidth") > 300


def test_plotly(notebook: Notebook, shot: Callable[..., None]) -> None:
    """A plotly figure is drawn, with its bars."""
    expect(notebook.output(3).locator(".js-plotly-plot .bars .point")).to_have_count(2)
    notebook.cell(3).scroll_into_view_if_needed()
    shot(notebook.page)


def test_updated_display(notebook: Notebook) -> None:
    """An updated display has changed in place."""
    expect(notebook.output(4).locator(".jp-OutputArea-output")).to_have_text(["'done'"])


def test_error(notebook: Notebook, shot: Callable[..., None]) -> None:
    """An error shows the lines it came through, and none of the machinery that ran them."""
    error = notebook.output(5)
    expect(error).to_contain_text("ZeroDivisionError: division by zero")
    expect(error).to_contain_text("----> 2 ")
    expect(error).not_to_contain_text("greenlet")
    error.scroll_into_view_if_needed()
    shot(notebook.page)


def test_run_all_stops_at_an_error(notebook: Notebook) -> None:
    """The cell after an error has not run."""
    expect(notebook.prompt(6)).to_have_text("[ ]:")
    expect(notebook.output(6)).to_be_empty()

"""A notebook in JupyterLab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.lab import Notebook


def test_text(open_notebook: Callable[..., Notebook], shot) -> None:
    """What a cell prints stands below it."""
    notebook = open_notebook("print('Hello')", "import time; time.sleep(1); 1/0")
    shot(notebook.page, "open")
    notebook.start(0)
    expect(notebook.output(0)).to_have_text("Hello\n")
    notebook.run_all()
    expect(notebook.prompt(1)).to_have_text("[3]:")
    shot(notebook.page)

"""The JupyterLab extension as a person sees it: the status bar, and the panel of sessions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from tests.browser.lab import Notebook


def status(page: Page) -> Locator:
    """Return the item of the status bar."""
    return page.locator(".jp-deepnote-StatusButton")


def panel(page: Page) -> Locator:
    """Return the side panel."""
    return page.get_by_role("region", name="Deepnote sessions")


def test_try(open_notebook: Callable[..., Notebook], shot: Callable[..., None]) -> None:
    """Look."""
    notebook = open_notebook("import time\n1 + 1", "time.sleep(8)", kernel="deepnote-local")
    page = notebook.page
    page.on("console", lambda m: print("CONSOLE", m.type, m.text))
    expect(status(page)).to_have_text(re.compile("Local"))
    shot(page, "before")
    notebook.run(0)
    page.wait_for_timeout(6000)
    shot(page, "after")
    status(page).click()
    page.wait_for_timeout(3000)
    shot(page, "panel")
    notebook.start(1)
    page.wait_for_timeout(2500)
    shot(page, "busy")

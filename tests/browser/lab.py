"""JupyterLab as a person uses it: a server to open, notebooks to click and type in."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Locator, Page

__all__ = ["PATIENCE_MS", "Lab", "Notebook", "opened_notebook", "run_lab"]

START_TIMEOUT_S = 60.0

PATIENCE_MS = 30_000
"""How long something on the page may take: much longer than it does."""

_NUMBER = re.compile(r"\[\d+\]:")

_SETTINGS = {
    # No news over the notebook, and every cell in the page rather than only those in view.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@dataclass
class Lab:
    """A running JupyterLab."""

    url: str
    """Its address, with a slash at the end."""

    token: str
    folder: Path
    """Where its notebooks lie."""

    def client(self) -> httpx.Client:
        """Return an HTTP client for Jupyter Server's own API."""
        headers = {"Authorization": f"token {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def write(self, path: str, *cells: str, kernel: str) -> None:
        """Write a notebook of code cells.

        Args:
            path: Where, in the folder.
            *cells: The cells.
            kernel: Name of the kernelspec it asks for.
        """
        name = KernelSpecManager().get_kernel_spec(kernel).display_name
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells],
            metadata={"kernelspec": {"name": kernel, "display_name": name, "language": "python"}},
        )
        nbformat.write(notebook, self.folder / path)

    def address(self, path: str = "") -> str:
        """Return what opens a file, or the launcher, in a workspace of its own."""
        workspace = f"lab/workspaces/{secrets.token_hex(4)}"
        return f"{self.url}{workspace}{path and f'/tree/{path}'}?token={self.token}"

    def kernel_id(self, path: str) -> str:
        """Return the id of a notebook's kernel, by which Jupyter Server knows it."""
        with self.client() as client:
            sessions = client.get("api/sessions").raise_for_status().json()
        kernel_id: str = next(s["kernel"]["id"] for s in sessions if s["path"] == path)
        return kernel_id

    def shut_down(self, path: str) -> None:
        """End a notebook's kernel, and with it its session."""
        with self.client() as client:
            client.delete(f"api/kernels/{self.kernel_id(path)}").raise_for_status()


@contextlib.contextmanager
def run_lab(folder: Path, environ: dict[str, str]) -> Iterator[Lab]:
    """Run JupyterLab until the end of the block.

    Args:
        folder: Where its notebooks, settings and log are put.
        environ: Environment variables on top of those of the tests.
    """
    for name, content in _SETTINGS.items():
        path = folder / f"settings/@jupyterlab/{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    notebooks, runtime = folder / "notebooks", folder / "runtime"
    notebooks.mkdir()
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={notebooks}"]
    command += [f"--LabApp.user_settings_dir={folder}/settings"]
    command += [f"--LabApp.workspaces_dir={folder}/workspaces"]
    env = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime), **environ}
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        yield Lab(_url(process, runtime, folder / "lab.log"), token, notebooks)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _url(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Wait for the file in which Jupyter Server says where it listens."""
    path = runtime / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + START_TIMEOUT_S
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail("JupyterLab did not start:\n" + log.read_text())
        time.sleep(0.05)
    url: str = json.loads(path.read_text())["url"]
    return url


class Notebook:
    """An open notebook on a page.

    Args:
        page: The page; the notebook is the one in view.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator(".jp-NotebookPanel:visible")

    def wait_until_ready(self) -> Notebook:
        """Wait until the kernel waits for cells."""
        expect(self.page.get_by_text("| Idle")).to_be_visible(timeout=2 * PATIENCE_MS)
        return self

    def cell(self, index: int) -> Locator:
        """Return a code cell, counted from 0."""
        return self.panel.locator(".jp-CodeCell").nth(index)

    def prompt(self, index: int) -> Locator:
        """Return what stands left of a cell: ``[ ]:``, ``[*]:`` or its number."""
        return self.cell(index).locator(".jp-InputPrompt")

    def output(self, index: int) -> Locator:
        """Return all that stands below a cell."""
        return self.cell(index).locator(".jp-OutputArea").first

    def editor(self, index: int) -> Locator:
        """Return where a cell's code is typed."""
        return self.cell(index).locator(".cm-content")

    def start(self, index: int) -> None:
        """Run a cell with the keyboard, and do not wait for it."""
        self.editor(index).click()
        self.page.keyboard.press("Control+Enter")

    def run(self, index: int) -> None:
        """Run a cell and wait for its number."""
        self.start(index)
        expect(self.prompt(index)).to_have_text(_NUMBER, timeout=PATIENCE_MS)

    def menu(self, menu: str, item: str) -> None:
        """Choose an item of a menu."""
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def run_all(self) -> None:
        """Run all cells from the menu, and do not wait for them."""
        self.menu("Run", "Run All Cells")

    def toolbar(self, title: str) -> Locator:
        """Return a button of the notebook's toolbar, by the beginning of what it says."""
        return self.panel.get_by_role("button", name=title)


@contextlib.contextmanager
def opened_notebook(
    lab: Lab, context: BrowserContext, path: str, *cells: str, kernel: str = "deepnote"
) -> Iterator[Notebook]:
    """Open a notebook on a page of its own; close it at the end, and shut its kernel down.

    Args:
        lab: The JupyterLab.
        context: The browser's.
        path: The notebook's.
        *cells: Its cells, if it has to be written first.
        kernel: Name of the kernelspec it then asks for.
    """
    if cells:
        lab.write(path, *cells, kernel=kernel)
    with context.new_page() as page:
        page.goto(lab.address(path))
        yield Notebook(page).wait_until_ready()
    lab.shut_down(path)

"""One JupyterLab and one Chromium for all tests of this folder, and notebooks to open in them."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from deepnote_kernel.session import local
from tests.browser.lab import PATIENCE_MS, Lab, Notebook, opened_notebook, run_lab
from tests.integration.conftest import run_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

    from tests.integration.conftest import Server

CHROMIUM_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]
VIEWPORT: ViewportSize = {"width": 1280, "height": 800}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose where pictures of the pages go."""
    parser.addoption(
        "--screenshots", type=Path, default=Path("build/screenshots"), help="folder for pictures"
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An embedded server, which the kernel named ``deepnote`` takes for Deepnote."""
    with run_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def lab(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab whose kernels have an account."""
    environ = {
        "DEEPNOTE_BASE_URL": server.url,
        "DEEPNOTE_TOKEN": server.token,
        "DEEPNOTE_NOTEBOOK_ID": server.new_notebook(),
    }
    with run_lab(tmp_path_factory.mktemp("lab"), environ) as running:
        yield running
    local_server = local.find()
    if local_server is not None:  # it would wait a minute for more sessions
        with contextlib.suppress(ProcessLookupError):
            os.kill(local_server.pid, signal.SIGTERM)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium without windows."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    assert executable, "Chromium is missing. On Debian or Ubuntu: apt install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """What the pages share, such as what they have loaded already."""
    context = browser.new_context(viewport=VIEWPORT, device_scale_factor=1.5)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Take a picture of a page, named after the test: ``shot(page, "before")``."""
    folder: Path = request.config.getoption("--screenshots")
    folder.mkdir(parents=True, exist_ok=True)

    def take(page: Page, step: str = "") -> None:
        words = re.findall(r"\w+", request.node.name.removeprefix("test_"))
        name = "-".join([*words, *([step] if step else [])])
        page.screenshot(path=folder / f"{name}.png", animations="disabled")

    return take


@pytest.fixture
def open_notebook(
    lab: Lab, context: BrowserContext, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Notebook]]:
    """Open notebooks of a test's own, each on a page of its own: ``open_notebook("1 + 1")``."""
    path = f"{request.node.name.removeprefix('test_')}.ipynb"
    with contextlib.ExitStack() as stack:

        def open_it(*cells: str, kernel: str = "deepnote", path: str = path) -> Notebook:
            opened = opened_notebook(lab, context, path, *cells, kernel=kernel)
            return stack.enter_context(opened)

        yield open_it

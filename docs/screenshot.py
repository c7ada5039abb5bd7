"""Make the README's picture: the quickstart in a real JupyterLab, on the Deepnote (local) kernel.

``nox -s screenshot`` calls it. It needs Playwright and a Chromium on the machine, such as Debian's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 60
RUN_TIMEOUT_S = 120
CHROMIUM_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]
SETTINGS = {
    # No news over the notebook, and every cell in the page rather than only those in view.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Run JupyterLab on a folder; yield its address with the token that opens it."""
    for name, content in SETTINGS.items():
        path = folder / f"settings/@jupyterlab/{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", f"--IdentityProvider.token={token}"]
    command += [f"--ServerApp.root_dir={folder}", f"--LabApp.user_settings_dir={folder}/settings"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own
        try:
            _wait_for(server, f"127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}/doc/tree/quickstart.ipynb?token={token}"
        finally:
            server.terminate()


def _wait_for(server: subprocess.Popen[str], address: str) -> None:
    """Read the server's log until it names its address: it listens from then on."""
    log = []
    for line in server.stderr or ():
        log.append(line)
        if address in line:
            return
    raise RuntimeError("JupyterLab did not start:\n" + "".join(log))


def run_all(page: Page, cells: int) -> None:
    """Run every cell from the menu, as a person does, and wait until the last has its number."""
    prompts = page.locator(".jp-CodeCell .jp-InputPrompt")
    expect(prompts).to_have_count(cells, timeout=START_TIMEOUT_S * 1000)
    expect(page.get_by_text("| Idle")).to_be_visible(timeout=START_TIMEOUT_S * 1000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(prompts.last).to_have_text(f"[{cells}]:", timeout=RUN_TIMEOUT_S * 1000)


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--kernel", default="deepnote-local", help="name of the kernelspec to run on"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs/images/jupyterlab.png")
    options = parser.parse_args()

    notebook = json.loads((ROOT / "examples/quickstart.ipynb").read_text())
    notebook["metadata"]["kernelspec"]["name"] = options.kernel
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "quickstart.ipynb").write_text(json.dumps(notebook))
        with jupyterlab(Path(folder)) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
                args=CHROMIUM_FLAGS,
            )
            page = browser.new_page(
                viewport={"width": 1040, "height": 930}, device_scale_factor=1.5
            )
            page.goto(url)
            run_all(page, sum(cell["cell_type"] == "code" for cell in notebook["cells"]))
            # The plot, the progress lines and the kernel's name fit one screen from here.
            page.locator(".jp-CodeCell .jp-OutputArea").nth(3).evaluate(
                "node => node.scrollIntoView()"
            )
            options.output.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=options.output)
            browser.close()


if __name__ == "__main__":
    main()

"""Two far sides: what Deepnote's machines carry, and the newest of everything."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import run_server
from tests.integration.notebook import open_notebook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Server
    from tests.integration.notebook import Notebook

ROOT = Path(__file__).parents[3]


@dataclass
class FarSide:
    """A Python that remote kernels run on, and a server that starts them."""

    python: str
    server: Server

    def environ(self) -> dict[str, str]:
        """Return what our kernel needs to reach the server."""
        return {
            "DEEPNOTE_BASE_URL": self.server.url,
            "DEEPNOTE_TOKEN": self.server.token,
            "DEEPNOTE_NOTEBOOK_ID": self.server.new_notebook(),
            "DEEPNOTE_CALLS_PER_MINUTE": "1200",
        }


def far_python(name: str) -> str:
    """Return the interpreter of a far side, or skip the test."""
    if name == "newest":
        return sys.executable
    python = os.environ.get("FAR_SIDE_PYTHON", str(ROOT / ".venv-deepnote/bin/python"))
    if not Path(python).exists():
        pytest.skip("no environment with the packages of Deepnote's machines: run `make test`")
    return python


@pytest.fixture(scope="session", params=["newest", "deepnote"])
def far_side(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FarSide]:
    """A server whose kernels run on the far side's Python."""
    python = far_python(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    kernel = folder / "kernels" / "far"
    kernel.mkdir(parents=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "far", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    environ = {"JUPYTER_PATH": str(folder)}
    with run_server(folder, "--kernel", "far", environ=environ) as server:
        yield FarSide(python, server)


@pytest.fixture(scope="module")
def live(far_side: FarSide) -> Iterator[Notebook]:
    """Our kernel, its cells live on the far side."""
    argv = [sys.executable, "-m", "deepnote_kernel"]
    with open_notebook(argv, far_side.environ(), interrupt_mode="message") as notebook:
        notebook.run("pass")  # starts the session, and says so
        yield notebook


@pytest.fixture(scope="module")
def plain(far_side: FarSide) -> Iterator[Notebook]:
    """The far side's own ipykernel, here and without us: what is right."""
    argv = [far_side.python, "-m", "ipykernel_launcher", "--HistoryManager.enabled=False"]
    with open_notebook(argv, {}) as notebook:
        notebook.run("pass")
        yield notebook

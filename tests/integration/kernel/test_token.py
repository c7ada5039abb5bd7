"""The token is sent to the server and shown nowhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Notebook

CANARY = "canary-in-the-coal-mine"

CELLS = [
    "import os\ndict(os.environ)",
    "1 / 0",
    "%deepnote status",
    "%deepnote nonsense",
    "%%local\nget_ipython().kernel.remote.settings",
    "%%local\nget_ipython().kernel.remote.nonsense",
    "!ps -ef",
    "%deepnote sessions",
    "%deepnote help start",
]


@pytest.fixture
def notebook(
    capfd: pytest.CaptureFixture[str], start_kernel: Callable[..., Notebook], _local_server: None
) -> Notebook:
    """A kernel that knows the token and logs all it can, where the test can read it."""
    return start_kernel("deepnote-local", arguments=["--debug"], DEEPNOTE_TOKEN=CANARY)


def test_no_output_shows_it(notebook: Notebook, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither outputs, tracebacks and replies, nor the remote environment, nor the log."""
    for code in CELLS:
        ran = notebook.run(code)
        assert CANARY not in repr(ran.reply)
        assert CANARY not in repr(ran.messages)
    notebook.manager.shutdown_kernel()
    logged = "".join(capfd.readouterr())
    assert "DeepnoteKernelApp" in logged
    assert CANARY not in logged


def test_no_process_title_or_file_shows_it(notebook: Notebook) -> None:
    """Nobody else on the computer can read it."""
    notebook.run("1")
    titles = [
        " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])
    ]
    assert any("deepnote_kernel" in title for title in titles)
    assert not any(CANARY in title for title in titles)
    for variable in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        for path in Path(os.environ[variable]).rglob("*"):
            assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path


def test_no_other_process_inherits_it(notebook: Notebook) -> None:
    """The server, and the kernel that runs the person's code, do not have it."""
    remote_pid = int(notebook.run("import os\nos.getpid()").result)
    server_pid = psutil.Process(remote_pid).ppid()
    for pid in (remote_pid, server_pid):
        assert CANARY not in str(psutil.Process(pid).environ())

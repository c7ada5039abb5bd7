"""Programs that run a notebook as a whole: what they report, and that no machine stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError
from nbformat.v4 import new_code_cell, new_notebook, new_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.conftest import Server

pytestmark = pytest.mark.timeout(120)

KERNEL = {"name": "deepnote", "display_name": "Deepnote", "language": "python"}

EXECUTE = ["jupyter", "execute", "--inplace", "a.ipynb"]
NBCONVERT = ["jupyter", "nbconvert", "--execute", "--to=notebook", "--inplace", "a.ipynb"]
PAPERMILL = ["papermill", "a.ipynb", "a.ipynb"]
NBVAL = ["pytest", "--nbval", "--nbval-kernel-name=deepnote", "-p", "no:cacheprovider", "a.ipynb"]
RUN = ["jupyter", "run", "--kernel=deepnote", "a.py"]


class Folder:
    """A folder with a notebook, and a Deepnote notebook that its cells go to.

    Args:
        path: The folder.
        server: Where the cells run.
    """

    def __init__(self, path: Path, server: Server) -> None:
        self.path = path
        self._server = server
        self.notebook_id = server.new_notebook()
        self.environ = {
            "DEEPNOTE_BASE_URL": server.url,
            "DEEPNOTE_TOKEN": server.token,
            "DEEPNOTE_NOTEBOOK_ID": self.notebook_id,
        }

    def write(self, *cells: str, tags: tuple[str, ...] = ()) -> None:
        """Write code cells into a notebook, the first of them tagged, and into a script."""
        notebook = new_notebook(metadata={"kernelspec": KERNEL})
        notebook.cells = [new_code_cell(cell) for cell in cells]
        notebook.cells[0].metadata["tags"] = [*tags]
        nbformat.write(notebook, self.path / "a.ipynb")
        (self.path / "a.py").write_text("\n".join(cells))

    def start(self, command: list[str], **options: Any) -> subprocess.Popen[str]:
        """Start a program of this environment in the folder."""
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=self.path,
            env={**os.environ, **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def run(self, command: list[str], *, text: str | None = None) -> tuple[int, str]:
        """Run a program to its end; return its exit status and what it has printed."""
        with self.start(command, stdin=subprocess.PIPE) as process:
            out, _ = process.communicate(text, timeout=90)
        return process.returncode, out

    @property
    def texts(self) -> list[str]:
        """What each cell of the notebook shows, as text."""
        notebook = nbformat.read(self.path / "a.ipynb", as_version=4)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        return ["".join(map(_text, cell.outputs)) for cell in cells]

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """The sessions that run for the notebook."""
        with self._server.client() as client:
            sessions = client.get("/v2/sessions").json()["sessions"]
        return [session for session in sessions if session["notebookId"] == self.notebook_id]


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    return str(output.ename if output.output_type == "error" else output.data["text/plain"])


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path: Path, server: Server) -> Iterator[Folder]:
    """A folder, whose notebook must have left no session running at the end."""
    folder = Folder(tmp_path, server)
    yield folder
    _wait(lambda: folder.sessions == [])


# All goes well


@pytest.mark.parametrize("command", [EXECUTE, NBCONVERT, PAPERMILL], ids=" ".join)
def test_a_notebook_is_run(folder: Folder, command: list[str]) -> None:
    """Its cells show what they compute, and nothing of ours."""
    folder.write("print('hello')", "6 * 7")
    status, out = folder.run(command)
    assert status == 0, out
    assert folder.texts == ["hello\n", "42"]


def test_papermill_passes_parameters(folder: Folder) -> None:
    """They are set where the cells run."""
    folder.write("n = 1", "n * 7", tags=("parameters",))
    status, out = folder.run([*PAPERMILL, "-p", "n", "6"])
    assert status == 0, out
    assert folder.texts[-1] == "42"


def test_nbval_compares(folder: Folder) -> None:
    """What cells show is what is stored, or the test fails."""
    folder.write("6 * 7", "print('pear')")
    notebook = nbformat.read(folder.path / "a.ipynb", as_version=4)
    stored = new_output("execute_result", {"text/plain": "42"}, execution_count=1)
    notebook.cells[0].outputs = [stored]
    notebook.cells[1].outputs = [new_output("stream", text="apple\n")]
    for number, cell in enumerate(notebook.cells, start=1):
        cell.execution_count = number
    nbformat.write(notebook, folder.path / "a.ipynb")
    status, out = folder.run(NBVAL)
    assert status == 1, out
    assert "1 failed, 1 passed" in out
    assert "pear" in out


def test_jupyter_run(folder: Folder) -> None:
    """A script's output is the program's."""
    folder.write("print('he' + 'llo')")
    status, out = folder.run(RUN)
    assert status == 0, out
    assert out.endswith("hello\n")


def test_jupyter_console(folder: Folder) -> None:
    """Lines are read, run there, and their results printed."""
    command = ["jupyter_console", "--kernel=deepnote", "--simple-prompt"]
    _, out = folder.run(
        [*command, "--ZMQTerminalInteractiveShell.kernel_timeout=60"],
        text="print('he' + 'llo')\n6 * 7\nexit\n",
    )
    assert "hello" in out
    assert "42" in out


# A cell fails


@pytest.mark.parametrize("command", [EXECUTE, NBCONVERT, PAPERMILL, NBVAL, RUN], ids=" ".join)
def test_a_failed_cell_fails_the_run(folder: Folder, command: list[str]) -> None:
    """The exit status says so, and the message has the error of the far side."""
    folder.write("print('hello')", "def halve(n):\n    return n / 0\nhalve(1)")
    status, out = folder.run(command)
    assert status == 1
    assert "ZeroDivisionError" in out


def test_papermill_keeps_what_the_failed_cell_showed(folder: Folder) -> None:
    """The notebook that is left behind ends at the error."""
    folder.write("1 / 0", "print('not reached')")
    folder.run(PAPERMILL)
    assert "ZeroDivisionError" in folder.texts
    assert "not reached\n" not in folder.texts


def test_a_session_that_cannot_start_fails_the_run(folder: Folder) -> None:
    """In one line, with the remedy."""
    folder.environ["DEEPNOTE_TOKEN"] = "wrong"
    folder.write("1")
    status, out = folder.run(EXECUTE)
    assert status == 1
    assert "UnauthorizedError" in out


# A cell takes too long

SLEEP = """import pathlib, time
try:
    while True:
        time.sleep(0.01)
except KeyboardInterrupt:
    pathlib.Path('interrupted').touch()
    raise"""


@pytest.mark.parametrize(
    "command",
    [
        [*EXECUTE, "--timeout=5"],
        [*NBCONVERT, "--ExecutePreprocessor.timeout=5"],
        [*PAPERMILL, "--execution-timeout=5"],
        [*NBVAL, "--nbval-cell-timeout=5"],
    ],
    ids=" ".join,
)
def test_a_cell_that_takes_too_long_fails_the_run(folder: Folder, command: list[str]) -> None:
    """The program gives up, and the machine is stopped with the cell."""
    folder.write("pass", SLEEP)
    status, out = folder.run(command)
    assert status == 1
    assert "imeout" in out


def test_a_timeout_interrupts_the_cell_there(folder: Folder) -> None:
    """Where the run is to go on, so does the session: the cell ends, its variables are kept."""
    folder.write("x = 6", SLEEP, "import os\nx, os.path.exists('interrupted')")
    notebook = nbformat.read(folder.path / "a.ipynb", as_version=4)
    client = NotebookClient(
        notebook, timeout=5, interrupt_on_timeout=True, allow_errors=True, kernel_name="deepnote"
    )
    with client.setup_kernel(env={**os.environ, **folder.environ}):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    assert [_text(cell.outputs[-1]) for cell in notebook.cells[1:]] == [
        "KeyboardInterrupt",
        "(6, True)",
    ]


def test_a_client_that_gives_up_leaves_no_machine(folder: Folder) -> None:
    """``NotebookClient`` raises, and its kernel lets go of the session."""
    folder.write(SLEEP)
    notebook = nbformat.read(folder.path / "a.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=5, kernel_name="deepnote")
    with pytest.raises(CellTimeoutError):
        client.execute(env={**os.environ, **folder.environ})


# The program itself ends


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_runner_that_dies_leaves_no_machine(folder: Folder, number: signal.Signals) -> None:
    """A job that is cancelled is charged for no longer, whatever time it had to clean up."""
    folder.write(SLEEP)
    with folder.start(PAPERMILL) as process:
        _wait(lambda: [session["status"] for session in folder.sessions] == ["busy"])
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode != 0
    _wait(lambda: folder.sessions == [])


@pytest.mark.usefixtures("_local_server")
def test_the_kernel_without_an_account(tmp_path: Path, server: Server) -> None:
    """Any of them can use a server on this computer instead."""
    folder = Folder(tmp_path, server)
    folder.environ = {}
    folder.write("6 * 7")
    status, out = folder.run([*EXECUTE, "--kernel_name=deepnote-local"])
    assert status == 0, out
    assert folder.texts == ["42"]

"""Programs that run notebooks, as people call them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.usefixtures("_local_server"), pytest.mark.timeout(180)]

EXAMPLE = Path(__file__).parents[3] / "examples" / "quickstart.ipynb"


def _jupyter(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment and return what it said."""
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=150, **options
    )


def _notebook(path: Path, *cells: str, tags: Sequence[str] = ()) -> Path:
    """Write a notebook of code cells, the first of them tagged."""
    spec = {"name": "deepnote-local", "display_name": "Deepnote (local)", "language": "python"}
    blank: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": spec},
        "cells": [
            {**blank, "id": str(n), "metadata": {"tags": [*tags] if n == 0 else []}, "source": code}
            for n, code in enumerate(cells)
        ],
    }
    path.write_text(json.dumps(notebook))
    return path


def _outputs(path: Path) -> list[list[dict[str, Any]]]:
    """Return the outputs of each code cell."""
    cells = json.loads(path.read_text())["cells"]
    return [cell["outputs"] for cell in cells if cell["cell_type"] == "code"]


def test_jupyter_execute(tmp_path: Path) -> None:
    """``jupyter execute`` leaves results and nothing of ours."""
    path = _notebook(tmp_path / "a.ipynb", "print('hello')", "6 * 7")
    done = _jupyter(
        "jupyter", "execute", "--kernel_name=deepnote-local", f"--output={tmp_path / 'b'}", path
    )
    assert done.returncode == 0, done.stderr
    first, second = _outputs(tmp_path / "b.ipynb")
    assert first == [{"output_type": "stream", "name": "stdout", "text": ["hello\n"]}]
    assert second[0]["data"] == {"text/plain": ["42"]}
    assert second[0]["execution_count"] == 2


def test_jupyter_execute_stops_at_an_error(tmp_path: Path) -> None:
    """A failed cell fails the command, with the remote traceback."""
    path = _notebook(tmp_path / "a.ipynb", "1 / 0", "print('no')")
    done = _jupyter("jupyter", "execute", "--kernel_name=deepnote-local", path)
    assert done.returncode != 0
    assert "ZeroDivisionError" in done.stderr


def test_papermill(tmp_path: Path) -> None:
    """``papermill`` puts its parameters in and runs them there."""
    path = _notebook(tmp_path / "a.ipynb", "n = 1", "n * 7", tags=["parameters"])
    done = _jupyter("papermill", "-k", "deepnote-local", "-p", "n", "6", path, tmp_path / "b.ipynb")
    assert done.returncode == 0, done.stderr
    assert _outputs(tmp_path / "b.ipynb")[-1][0]["data"] == {"text/plain": ["42"]}


def test_nbconvert_on_the_example(tmp_path: Path) -> None:
    """``jupyter nbconvert --execute`` runs the quickstart, its intended error included."""
    done = _jupyter(
        "jupyter",
        "nbconvert",
        "--execute",
        "--to=notebook",
        "--ExecutePreprocessor.kernel_name=deepnote-local",
        f"--output-dir={tmp_path}",
        EXAMPLE,
    )
    assert done.returncode == 0, done.stderr
    outputs = [output for cell in _outputs(tmp_path / "quickstart.ipynb") for output in cell]
    kinds = {output["output_type"] for output in outputs}
    assert {"stream", "error"} < kinds
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_jupyter_console(tmp_path: Path) -> None:
    """``jupyter console`` reads a line, runs it there and prints its result."""
    done = _jupyter(
        "jupyter_console",
        "--kernel=deepnote-local",
        "--simple-prompt",
        "--ZMQTerminalInteractiveShell.kernel_timeout=60",
        input="print('he' + 'llo')\n6 * 7\nexit\n",
        cwd=tmp_path,
    )
    assert "hello" in done.stdout, done.stderr
    assert "42" in done.stdout

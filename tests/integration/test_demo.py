"""``make demo``: the quickstart through the local kernel, shown as it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]


def demo(notebook: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo script as the Makefile does."""
    command = [sys.executable, "examples/demo.py", str(notebook), str(output)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What the demo printed, and the code cells of the notebook it left, by id."""
    output = tmp_path_factory.mktemp("demo") / "build/quickstart.ipynb"
    done = demo(ROOT / "examples/quickstart.ipynb", output)
    assert done.returncode == 0, done.stdout + done.stderr
    executed = nbformat.read(output, as_version=4)
    return done.stdout, {cell.id: cell for cell in executed.cells if cell.cell_type == "code"}


def test_every_output_is_printed(quickstart: tuple[str, dict[str, Any]]) -> None:
    """Text, a table, a picture's size, progress, an error and Markdown all reach the terminal."""
    printed, _ = quickstart
    for part in ("Python 3.", "Grignolino", "[image/png ", "fold 5: ", "AttributeError", "**178 "):
        assert part in printed


def test_the_notebook_is_left_with_its_outputs(quickstart: tuple[str, dict[str, Any]]) -> None:
    """The executed notebook holds numbered cells, and the error in its own cell alone."""
    _, cells = quickstart
    failed = {
        name
        for name, cell in cells.items()
        if any(output.output_type == "error" for output in cell.outputs)
    }
    assert failed == {"error"}
    assert [cell.execution_count for cell in cells.values()] == list(range(1, len(cells) + 1))
    assert "image/png" in cells["plot"].outputs[-1].data


def test_the_last_line_says_how_to_go_on(quickstart: tuple[str, dict[str, Any]]) -> None:
    """The demo ends with where the notebook is and how to open it."""
    printed, _ = quickstart
    assert printed.splitlines()[-1].endswith("`make lab` opens it in JupyterLab.")


def test_a_cell_that_fails_fails_the_demo(tmp_path: Path) -> None:
    """An error in a cell that does not expect one ends the run with status 1, outputs kept."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("print('before')\n1 / 0")],
        metadata={
            "kernelspec": {"name": "deepnote-local", "display_name": "", "language": "python"}
        },
    )
    nbformat.write(notebook, tmp_path / "fails.ipynb")
    done = demo(tmp_path / "fails.ipynb", tmp_path / "out.ipynb")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("fails.ipynb stopped early: CellExecutionError.")
    (cell,) = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert [output.output_type for output in cell.outputs] == ["stream", "error"]


def test_papermill_gives_the_report_its_parameters(tmp_path: Path) -> None:
    """The README's papermill command runs the report with the values given."""
    command = [sys.executable, "-m", "papermill", "-k", "deepnote-local", "-p", "folds", "3"]
    command += ["examples/report.ipynb", str(tmp_path / "out.ipynb")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    last = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1]
    assert last.outputs[0].text.startswith("alpha=1.0, 3 folds: R²")

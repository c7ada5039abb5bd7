"""The example does what it shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.integration.strata.kernel import known_kernel

if TYPE_CHECKING:
    from tests.integration.strata.servers import StrataServer

pytestmark = pytest.mark.timeout(180)  # the first test of a run starts the server

EXAMPLE = Path(__file__).parents[3] / "examples" / "strata.ipynb"


def _shown(notebook: Any) -> list[list[tuple[str, str]]]:
    """Return what each code cell shows, without ids of cells and sizes of files."""
    return [
        [(output.output_type, _text(output)) for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def _text(output: Any) -> str:
    text = output.get("text") or output.get("evalue") or output.data["text/plain"]
    return re.sub(r"\b[0-9a-f]{8}\b|[\d,]+ bytes", "#", str(text))


def test_the_example_shows_what_it_is_stored_with(strata: StrataServer, tmp_path: Path) -> None:
    """Cell by cell, on a real server, as ``jupyter execute`` runs it."""
    stored = nbformat.read(EXAMPLE, as_version=4)
    executed = nbformat.read(EXAMPLE, as_version=4)
    with known_kernel(strata.url):
        resources = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(executed, timeout=60, resources=resources).execute()
    assert _shown(executed) == _shown(stored)

"""The graph of a notebook's cells, drawn."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from deepnote_kernel.strata.anchor import Ledger, anchor_source
from deepnote_kernel.strata.graph import Graph
from deepnote_kernel.strata.models import Cell, Dag, Edge

CELLS = [
    Cell(id="a", source="# load\nx = '<&>'", status="ready", defines=["x"]),
    Cell(id="b", source="y = x * 2", status="stale", defines=["y"]),
    Cell(id="c", source="", status="idle"),
    Cell(id="d", source="print(x, y)", status="error"),
    Cell(id="z", source=anchor_source({"x"}, Ledger())),
]
DAG = Dag(
    edges=[
        Edge(from_cell_id="a", to_cell_id="b", variable="x"),
        Edge(from_cell_id="a", to_cell_id="d", variable="x"),
        Edge(from_cell_id="b", to_cell_id="d", variable="y"),
        Edge(from_cell_id="a", to_cell_id="z", variable="x"),
        Edge(from_cell_id="gone", to_cell_id="a", variable="q"),
    ]
)


def test_a_terminal_shows_indented_lines() -> None:
    """A cell stands to the right of what it uses; the anchor is left out."""
    assert repr(Graph(DAG, CELLS)).splitlines() == [
        "a  x = '<&>'  [ready]",
        "    b  y = x * 2  [stale]  uses x of a",
        "c  an empty cell  [idle]",
        "        d  print(x, y)  [error]  uses x of a; y of b",
    ]


def test_a_notebook_shows_a_picture() -> None:
    """A box for each cell and a line for each use, as SVG that is well-formed."""
    root = ET.fromstring(Graph(DAG, CELLS)._repr_html_())
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert (names.count("rect"), names.count("path")) == (4, 3)


def test_an_empty_notebook_is_said() -> None:
    """Rather than nothing being shown."""
    assert repr(Graph(Dag(), [])) == "The notebook has no cells."
    assert "no cells" in Graph(Dag(), [])._repr_html_()

"""Draw the graph of a notebook's cells: a picture in a notebook, indented text in a terminal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from deepnote_kernel.strata.anchor import is_anchor
from deepnote_kernel.strata.labels import label, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from deepnote_kernel.strata.models import Cell, Dag

__all__ = ["Graph"]

_WIDTH: Final = 210
_HEIGHT: Final = 40
_GAP_X: Final = 70
_GAP_Y: Final = 16
_LABEL_CHARS: Final = 28
_STATES: Final = {"ready": "#2f9e62", "error": "#d9534f", "stale": "#c98300"}
_OTHER_STATE: Final = "#8a8a8a"


class Graph:
    """Which cell uses what of which; ``dag`` and ``cells`` hold what the server told.

    Args:
        dag: The edges.
        cells: The cells, for their words and states.
    """

    def __init__(self, dag: Dag, cells: Sequence[Cell]) -> None:
        self.dag = dag
        # The anchor uses everything, and tells nothing of the notebook.
        self.cells = [cell for cell in cells if not is_anchor(cell.source)]
        self._uses: dict[str, dict[str, set[str]]] = {cell.id: {} for cell in self.cells}
        for edge in dag.edges:
            if {edge.from_cell_id, edge.to_cell_id} <= {*self._uses}:
                names = self._uses[edge.to_cell_id].setdefault(edge.from_cell_id, set())
                names.add(edge.variable)

    def __repr__(self) -> str:
        return "\n".join(self._lines()) or "The notebook has no cells."

    def _lines(self) -> Iterator[str]:
        """Yield a line for each cell, below and to the right of what it uses."""
        levels = self._levels()
        for cell in self.cells:
            used = (
                f"{', '.join(sorted(names))} of {other}"
                for other, names in self._uses[cell.id].items()
            )
            uses = "; ".join(used)
            indent = "    " * levels[cell.id]
            line = f"{indent}{cell.id}  {label(cell.source, _LABEL_CHARS)}  [{cell.status}]"
            yield f"{line}  uses {uses}" if uses else line

    def _levels(self) -> dict[str, int]:
        """Return how many cells must run one after the other before each."""
        levels: dict[str, int] = {}
        for cell in self.cells:  # a cell uses those above it alone
            above = (levels[other] for other in self._uses[cell.id] if other in levels)
            levels[cell.id] = max(above, default=-1) + 1
        return levels

    def _repr_html_(self) -> str:
        if not self.cells:
            return "<i>The notebook has no cells.</i>"
        places = self._places()
        width = max(x for x, _ in places.values()) + _WIDTH + 1
        height = max(y for _, y in places.values()) + _HEIGHT + 1
        edges = "".join(
            _edge(places[other], places[cell_id], sorted(names))
            for cell_id, used in self._uses.items()
            for other, names in used.items()
        )
        nodes = "".join(_node(cell, *places[cell.id]) for cell in self.cells)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="monospace" font-size="11" '
            f'style="color: inherit; max-width: 100%">{edges}{nodes}</svg>'
        )

    def _places(self) -> dict[str, tuple[int, int]]:
        """Return the upper left corner of each cell's box: a column for each level."""
        rows: dict[int, int] = {}
        places = {}
        levels = self._levels()
        for cell in self.cells:
            level = levels[cell.id]
            row = rows.get(level, 0)
            rows[level] = row + 1
            places[cell.id] = (level * (_WIDTH + _GAP_X) + 1, row * (_HEIGHT + _GAP_Y) + 1)
        return places


def _node(cell: Cell, x: int, y: int) -> str:
    colour = _STATES.get(cell.status, _OTHER_STATE)
    begins = escape(label(cell.source, _LABEL_CHARS))
    names = escape(shortened(", ".join(cell.defines), _LABEL_CHARS))
    return (
        f"<g><title>{escape(cell.source)}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="none" '
        f'stroke="{colour}"/>'
        f'<text x="{x + 8}" y="{y + 16}" fill="currentColor">{begins}</text>'
        f'<text x="{x + 8}" y="{y + 32}" fill="currentColor" opacity="0.6">{names}</text>'
        "</g>"
    )


def _edge(begin: tuple[int, int], end: tuple[int, int], names: Sequence[str]) -> str:
    x1, y1 = begin[0] + _WIDTH, begin[1] + _HEIGHT // 2
    x2, y2 = end[0], end[1] + _HEIGHT // 2
    middle = (x1 + x2) // 2
    variables = escape(shortened(", ".join(names), _LABEL_CHARS))
    return (
        f'<path d="M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}" fill="none" '
        f'stroke="currentColor" opacity="0.5"><title>{variables}</title></path>'
    )

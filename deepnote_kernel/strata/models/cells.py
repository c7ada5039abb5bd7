"""Cells, what they show, and the graph they make."""

from __future__ import annotations

from typing import Any

from msgspec import field

from deepnote_kernel.strata.models.base import JsonObject, Model

__all__ = [
    "Cancelled",
    "Cell",
    "CellUpdate",
    "Dag",
    "Display",
    "Edge",
    "MutationWarning",
    "Result",
    "Staleness",
    "TablePage",
]


class Staleness(Model, frozen=True, kw_only=True):
    """Whether a cell's result still holds."""

    status: str = ""
    reasons: list[str] = []
    """``self``, ``upstream``, ``env`` or ``forced``."""


class Display(Model, frozen=True, kw_only=True):
    """One thing a cell has shown."""

    content_type: str = ""
    """``json/object``, ``text/markdown``, ``image/png``, ``arrow/ipc``, ``pickle/object``, …"""

    preview: Any = None
    """A JSON value in full; the first 20 rows of a table; a short text of anything else."""

    type: str = ""
    """The Python type of what has no other form."""

    size_bytes: int = field(name="bytes", default=0)
    rows: int | None = None
    columns: list[str] = []
    inline_data_url: str = ""
    """A picture as a ``data:`` URL."""

    markdown_text: str = ""
    width: int | None = None
    """Pixels."""

    height: int | None = None
    """Pixels."""

    error: str = ""
    """Why the value could not be stored."""

    artifact_uri: str = ""
    """Names the stored value for :func:`~deepnote_kernel.strata.calls.data.page`."""


class MutationWarning(Model, frozen=True, kw_only=True):
    """A cell has changed another cell's value in place; later cells do not see the change."""

    var_name: str = ""
    message: str = ""
    suggestion: str = ""


class Result(Model, frozen=True, kw_only=True):
    """What running a cell came to. A cell that raised is a result, too."""

    cell_id: str
    status: str = ""
    """``ready`` or ``error``."""

    stdout: str = ""
    stderr: str = ""
    displays: list[Display] = []
    outputs: dict[str, Any] = {}
    """Variables stored for other cells, each with its content type; ``_`` is the last display."""

    error: str = ""
    traceback: str = ""
    """Python's traceback; servers before 0.8.0 and warm workers send it within ``error``."""

    error_code: str = ""
    """``cancelled`` where the cell was; empty otherwise and before 0.8.0."""

    duration_ms: float = 0.0
    cache_hit: bool = False
    execution_method: str = ""
    """``cold``, ``warm``, ``cached`` and some more."""

    mutation_warnings: list[MutationWarning] = []
    suggest_install: str = ""
    """A package that would provide a missing module."""


class Cell(Model, frozen=True, kw_only=True):
    """A cell and what is known of its last run."""

    id: str
    source: str = ""
    language: str = "python"
    order: float = 0.0
    status: str = ""
    """``idle``, ``running``, ``ready``, ``error`` or ``stale``."""

    staleness: Staleness = Staleness()
    defines: list[str] = []
    """Names that the cell binds, by static analysis."""

    references: list[str] = []
    """Names that it takes from other cells."""

    mutation_defines: list[str] = []
    upstream_ids: list[str] = []
    downstream_ids: list[str] = []
    is_leaf: bool = True
    """Whether no other cell uses what it defines."""

    artifact_uris: dict[str, str] = {}
    """Where each stored variable lies."""

    display_outputs: list[Display] = []
    console_stdout: str = ""
    console_stderr: str = ""
    error: str = ""
    cache_hit: bool = False
    execution_method: str = ""
    worker: str = ""
    timeout_s: float | None = field(name="timeout", default=None)
    annotations: JsonObject = {}


class Edge(Model, frozen=True, kw_only=True):
    """One cell uses a variable of another."""

    from_cell_id: str
    to_cell_id: str
    variable: str = ""


class Dag(Model, frozen=True, kw_only=True):
    """The graph of a notebook's cells, from their order and the names they use."""

    edges: list[Edge] = []
    roots: list[str] = []
    leaves: list[str] = []
    topological_order: list[str] = []
    variable_producer: dict[str, str] = {}
    """Which cell a variable comes from, by its id."""

    error: str = ""
    """Why there is no graph."""


class CellUpdate(Model, frozen=True, kw_only=True):
    """A cell after a change, and the notebook it has changed with it."""

    cell: Cell
    cells: list[Cell] = []
    dag: Dag = Dag()


class Cancelled(Model, frozen=True, kw_only=True):
    """What cancelling did."""

    cell_id: str = ""
    cancelled: bool = False
    """Whether the cell was running."""

    status: str = ""


class TablePage(Model, frozen=True, kw_only=True):
    """Rows of a stored table."""

    pageable: bool = False
    """Whether the value is a table at all."""

    columns: list[Any] = []
    rows: list[list[Any]] = []
    total: int = 0
    offset: int = 0
    limit: int = 0

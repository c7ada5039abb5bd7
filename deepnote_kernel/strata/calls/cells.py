"""Cells: list, add, change, order, run and cancel them.

The order of a notebook's cells is part of its meaning: a cell sees what the cells above it define.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from deepnote_kernel.api.call import Call, present, segment
from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.calls._parts import NO_CELL, notebook_path
from deepnote_kernel.strata.models import Cancelled, Cell, CellUpdate, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Language",
    "Mode",
    "add",
    "cancel",
    "delete",
    "execute",
    "list_",
    "reorder",
    "update",
]

Language: TypeAlias = Literal["python", "prompt", "sql", "markdown", "r", "widget"]

Mode: TypeAlias = Literal["normal", "rerun", "force"]
"""``normal`` takes a stored result that still holds, and runs stale cells above first; ``rerun``
runs the cell in any case; ``force`` runs it, and nothing else, on what the cells above have stored.
"""


def list_(session_id: str) -> Call[list[Cell]]:
    """List a notebook's cells in their order, with their outputs."""
    return _parts.get(notebook_path(session_id, "cells"), _parts.listed("cells", Cell))


def add(
    session_id: str, *, after_cell_id: str | None = None, language: Language = "python"
) -> Call[Cell]:
    """Add an empty cell; the server chooses its id.

    Args:
        session_id: The notebook's session.
        after_cell_id: The cell to put it behind; ``None`` for the end.
        language: What it will hold.
    """
    return Call(
        method="POST",
        path=notebook_path(session_id, "cells"),
        body=present(after_cell_id=after_cell_id, language=language),
        read=_parts.model(Cell),
    )


def update(session_id: str, cell_id: str, *, source: str, force: bool = False) -> Call[CellUpdate]:
    """Give a cell another source.

    Args:
        session_id: The notebook's session.
        cell_id: The cell.
        source: At most 1,000,000 characters; what does not compile is taken, too.
        force: Whether to overrule the lock that somebody's edit in Strata puts on a cell for 5 s.
    """
    return Call(
        method="PUT",
        path=_path(session_id, cell_id),
        body={"source": source, "force": force},
        read=_parts.model(CellUpdate),
        replay_safe=True,
        remedies=NO_CELL,
    )


def delete(session_id: str, cell_id: str) -> Call[list[Cell]]:
    """Delete a cell and return those that remain."""
    return Call(
        method="DELETE",
        path=_path(session_id, cell_id),
        read=_parts.listed("cells", Cell),
        remedies=NO_CELL,
    )


def reorder(session_id: str, cell_ids: Sequence[str]) -> Call[list[Cell]]:
    """Put cells into an order and return them all; those not named follow behind."""
    return _parts.put(
        notebook_path(session_id, "cells", "reorder"),
        {"cell_ids": list(cell_ids)},
        _parts.listed("cells", Cell),
    )


def execute(
    session_id: str,
    cell_id: str,
    *,
    mode: Mode = "normal",
    timeout_s: float = _parts.MAX_CELL_S,
) -> Call[Result]:
    """Run a cell and wait for its end. A cell that raises is a result, not an error of the call.

    A notebook runs one cell at a time: a second call is refused with
    :class:`~deepnote_kernel.strata.conflicts.NotebookBusyError`.

    Args:
        session_id: The notebook's session.
        cell_id: The cell.
        mode: What else may run, and whether a stored result will do.
        timeout_s: Seconds to wait for the answer; the cell runs on when they are over.
    """
    return Call(
        method="POST",
        path=_path(session_id, cell_id, "execute"),
        query={"mode": mode},
        read=_parts.model(Result),
        timeout_s=timeout_s,
        remedies=NO_CELL,
    )


def cancel(session_id: str, cell_id: str) -> Call[Cancelled]:
    """Cancel a running cell; its call to execute then returns a result. Since Strata 0.10.0."""
    return Call(
        method="POST",
        path=_path(session_id, cell_id, "cancel"),
        read=_parts.model(Cancelled),
        replay_safe=True,
        remedies=NO_CELL,
    )


def _path(session_id: str, cell_id: str, *verb: str) -> str:
    return notebook_path(session_id, "cells", segment("cell", cell_id), *verb)

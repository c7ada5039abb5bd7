"""Workers: the places where a notebook's cells can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.calls._parts import notebook_path
from deepnote_kernel.strata.models import Worker, WorkerCatalog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.api.call import Call

__all__ = ["choose", "list_", "set_catalog"]


def list_(session_id: str) -> Call[WorkerCatalog]:
    """List the workers that a notebook may choose from, with their health."""
    return _parts.get(notebook_path(session_id, "workers"), _parts.model(WorkerCatalog))


def choose(session_id: str, name: str | None) -> Call[WorkerCatalog]:
    """Choose where a notebook's cells run; ``None`` for the server's own machine.

    The server takes a name it does not know; the cells then fail.
    """
    return _parts.put(
        notebook_path(session_id, "worker"), {"worker": name}, _parts.model(WorkerCatalog)
    )


def set_catalog(session_id: str, workers: Sequence[Worker]) -> Call[WorkerCatalog]:
    """Define a notebook's own workers, in place of those it has."""
    definitions = [{"name": w.name, "backend": w.backend, "config": w.config} for w in workers]
    return _parts.put(
        notebook_path(session_id, "workers"), {"workers": definitions}, _parts.model(WorkerCatalog)
    )

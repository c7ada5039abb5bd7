"""Workers: the places where a notebook's cells can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.api.call import Call
from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.calls._parts import notebook_path
from deepnote_kernel.strata.models import Worker, WorkerCatalog

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["choose", "list_", "set_catalog"]


def list_(session_id: str) -> Call[WorkerCatalog]:
    """List the workers that a notebook may choose from, with their health."""
    return Call(
        method="GET",
        path=notebook_path(session_id, "workers"),
        read=_parts.model(WorkerCatalog),
        replay_safe=True,
    )


def choose(session_id: str, name: str | None) -> Call[WorkerCatalog]:
    """Choose where a notebook's cells run; ``None`` for the server's own machine.

    The server takes a name it does not know; the cells then fail.
    """
    return Call(
        method="PUT",
        path=notebook_path(session_id, "worker"),
        body={"worker": name},
        read=_parts.model(WorkerCatalog),
        replay_safe=True,
    )


def set_catalog(session_id: str, workers: Sequence[Worker]) -> Call[WorkerCatalog]:
    """Define a notebook's own workers, in place of those it has."""
    definitions = [{"name": w.name, "backend": w.backend, "config": w.config} for w in workers]
    return Call(
        method="PUT",
        path=notebook_path(session_id, "workers"),
        body={"workers": definitions},
        read=_parts.model(WorkerCatalog),
        replay_safe=True,
    )

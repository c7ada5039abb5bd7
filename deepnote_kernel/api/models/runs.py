"""Runs and their snapshots."""

from __future__ import annotations

from datetime import datetime

from msgspec import field

from deepnote_kernel.api.models.base import Model
from deepnote_kernel.api.models.notebooks import Block

__all__ = ["Run"]

_TERMINAL = frozenset({"success", "error", "internal_error", "stopped"})


class Run(Model, frozen=True, kw_only=True):
    """One execution of a notebook, or of some of its blocks."""

    id: str = field(name="runId")
    notebook_id: str = ""
    project_id: str = ""
    status: str = ""
    """``pending``, ``running``, ``success``, ``error``, ``internal_error``, ``stopped``, or new."""

    error: str = ""
    created_at: datetime | None = None
    completed_at: datetime | None = None
    snapshot_status: str = ""
    """``pending``, ``available`` or ``unavailable``; empty from servers that do not say."""

    snapshot_content: str = ""
    """The snapshot document, with the ``inline`` delivery; empty until there is one."""

    snapshot_download_url: str = ""
    """Short-lived address of the document, with the ``downloadUrl`` delivery: a secret."""

    snapshot_blocks: list[Block] = []
    """Blocks with their outputs, with the ``blocks`` delivery."""

    aliases = {"runId": ("id",), "completedAt": ("finishedAt",)}

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended, well or badly. A snapshot may arrive a little later."""
        return self.status in _TERMINAL

    def __repr__(self) -> str:
        return f"Run(id={self.id!r}, notebook_id={self.notebook_id!r}, status={self.status!r})"

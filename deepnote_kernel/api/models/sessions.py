"""Sessions and their kernels."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import field

from deepnote_kernel.api.models.base import Model
from deepnote_kernel.api.models.runs import Run

__all__ = ["CreatedSession", "KernelState", "Session", "SessionStatus"]


class Session(Model, frozen=True, kw_only=True):
    """An interactive session: a machine of its own with one kernel per notebook."""

    id: str
    notebook_id: str = ""
    """The source notebook, which execute, interrupt and status name."""

    session_notebook_id: str = ""
    """The session's own copy of it."""

    project_id: str = ""
    status: str = ""
    """In Deepnote's words; ``busy`` is the only one its reference names."""

    storage_mode: str = ""
    machine_type: str = ""
    idle_shutdown_s: int | None = field(name="idleShutdownSeconds", default=None)
    """Seconds of idleness after which it ends."""

    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_activity_at: datetime | None = None
    expires_at: datetime | None = None

    aliases = {"id": ("sessionId",), "notebookId": ("sourceNotebookId",)}


class KernelState(Model, frozen=True, kw_only=True):
    """What the kernel of one notebook is doing. The reference names none of its fields."""

    status: str = ""
    executing_block_id: str = ""
    queued_block_ids: list[str] = []


class CreatedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A new session, and its first run: that of the whole anchor notebook."""

    session: Session
    run: Run | None
    """``None`` where the server named none."""

    raw: dict[str, Any]
    """The whole answer, for diagnostics."""


class SessionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A session and the kernel of one of its notebooks."""

    session: Session
    kernel: KernelState
    raw: dict[str, Any]
    """The whole answer, for diagnostics."""

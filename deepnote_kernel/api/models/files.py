"""Files of a project."""

from __future__ import annotations

from datetime import datetime

from msgspec import field

from deepnote_kernel.api.models.base import Model

__all__ = ["File"]


class File(Model, frozen=True, kw_only=True):
    """A file in a project's storage, which is ``/work`` on its machines."""

    path: str
    """Below ``/work``; after an upload perhaps not the one that was asked for."""

    project_id: str = ""
    size_bytes: int | None = field(name="size", default=None)
    updated_at: datetime | None = None

"""Streamlit apps and their states."""

from __future__ import annotations

from datetime import datetime

from deepnote_kernel.api.models.base import Model

__all__ = ["StreamlitApp", "StreamlitAppStatus"]


class StreamlitApp(Model, frozen=True, kw_only=True):
    """A file of a project that is served as a web page."""

    id: str
    project_id: str = ""
    entrypoint: str = ""
    """The file's path below ``/work``."""

    url: str = ""
    created_at: datetime | None = None


class StreamlitAppStatus(Model, frozen=True, kw_only=True):
    """Whether an app is there to be used."""

    status: str = ""
    """``starting``, ``running``, ``unavailable``, or new."""

"""Projects: what is in them, and what an import did to one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from deepnote_kernel.api.models.base import Model
from deepnote_kernel.api.models.files import File
from deepnote_kernel.api.models.notebooks import Notebook
from deepnote_kernel.api.models.workspace import Integration

__all__ = ["Folder", "ImportedNotebook", "ImportedProject", "Project", "StaticFiles"]


class Folder(Model, frozen=True, kw_only=True):
    """Where a project lies in its workspace; all empty at the top."""

    id: str = ""
    name: str = ""


class StaticFiles(Model, frozen=True, kw_only=True):
    """The static site of a project: the files below ``_deepnote_static/``."""

    sharing_enabled: bool = False
    api_access_enabled: bool = False
    url: str = ""


class Project(Model, frozen=True, kw_only=True):
    """A project: notebooks, files and a machine they share."""

    id: str
    name: str = ""
    project_type: str = ""
    """``standard``, ``notebook``, ``agent`` or newer; only a standard one takes more notebooks."""

    folder: Folder = Folder()
    notebooks: list[Notebook] = []
    files: list[File] = []
    """Like all that follows but the times, only where the project was asked for by itself."""

    static_files: StaticFiles = StaticFiles()
    streamlit_app_api_access_enabled: bool = False
    environment: dict[str, Any] = {}
    integrations: list[Integration] = []
    created_at: datetime | None = None
    updated_at: datetime | None = None


class ImportedNotebook(Model, frozen=True, kw_only=True):
    """What an import did to one notebook."""

    id: str
    name: str = ""
    action: str = ""
    """``created``, ``overwritten``, ``restored`` or ``deleted``."""


class ImportedProject(Model, frozen=True, kw_only=True):
    """A project after an import. The two marks tell the next import what it is based on."""

    id: str
    modified_at: str = ""
    """As the server wrote it, to be sent back unchanged."""

    content_hash: str = ""
    """SHA-256 of the documents, hexadecimal."""

    notebooks: list[ImportedNotebook] = []

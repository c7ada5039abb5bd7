"""What the API answers, as msgspec structs.

The models read what the sources disagree about both ways, ignore what they do not know, and treat
everything as optional but the ids. An optional field of an unexpected type counts as absent: a
detail that Deepnote changes must not cost a person their session. Times are aware, in UTC, or
``None``.

Source: Deepnote's API reference (Sessions, Runs, Notebooks, Projects) and its public clients, read
November 2026.
"""

from __future__ import annotations

from deepnote_kernel.api.models.base import Model, Page
from deepnote_kernel.api.models.files import File
from deepnote_kernel.api.models.notebooks import Block, Notebook, NotebookInput, Schedule
from deepnote_kernel.api.models.projects import (
    Folder,
    ImportedNotebook,
    ImportedProject,
    Project,
    StaticFiles,
)
from deepnote_kernel.api.models.runs import Run
from deepnote_kernel.api.models.sessions import (
    CreatedSession,
    KernelState,
    Session,
    SessionStatus,
)
from deepnote_kernel.api.models.streamlit_apps import StreamlitApp, StreamlitAppStatus
from deepnote_kernel.api.models.workspace import (
    ApiKey,
    Integration,
    Machine,
    MachineType,
    Me,
    User,
    Workspace,
)

__all__ = [
    "ApiKey",
    "Block",
    "CreatedSession",
    "File",
    "Folder",
    "ImportedNotebook",
    "ImportedProject",
    "Integration",
    "KernelState",
    "Machine",
    "MachineType",
    "Me",
    "Model",
    "Notebook",
    "NotebookInput",
    "Page",
    "Project",
    "Run",
    "Schedule",
    "Session",
    "SessionStatus",
    "StaticFiles",
    "StreamlitApp",
    "StreamlitAppStatus",
    "User",
    "Workspace",
]

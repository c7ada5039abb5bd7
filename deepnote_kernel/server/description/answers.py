"""The shapes of what the server answers, for its description at ``/openapi.json``.

The answers themselves are made in :mod:`deepnote_kernel.server.views`. A shape names every member
an answer may have and allows no other; the tests hold each answer they get against it.

Source: Public API v2 reference and the official clients (deepnote-cli 0.10.0, deepnote-toolkit
2.9.0), read 2026-11-20.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from deepnote_kernel.server.storage.folders import StorageMode

__all__ = [
    "Answer",
    "ApiKey",
    "Block",
    "BlockVersion",
    "Error",
    "FaultInForce",
    "File",
    "ImportedNotebook",
    "ImportedProject",
    "Integration",
    "Kernel",
    "Machine",
    "MachineType",
    "NewBlock",
    "Notebook",
    "NotebookBlock",
    "NotebookInput",
    "NotebookSummary",
    "Pagination",
    "Project",
    "ProjectSummary",
    "Run",
    "RunStarted",
    "RunSummary",
    "Schedule",
    "Session",
    "SnapshotBlock",
    "StreamlitApp",
    "User",
    "Workspace",
]

JSON = dict[str, Any]

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Url = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Count = Annotated[int, Meta(ge=0)]
RunStatus = Literal["pending", "running", "success", "error", "internal_error", "stopped"]


class Answer(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of all shapes."""


class Error(Answer):
    """Why a request was refused."""

    message: str


class Pagination(Answer):
    """How a listing goes on."""

    next_page_token: str | None
    has_more: bool


class NotebookSummary(Answer):
    """A notebook without its blocks."""

    id: str
    project_id: str
    name: str
    created_at: Time
    updated_at: Time
    is_init: bool


class ProjectNotebook(NotebookSummary):
    """A notebook as its project shows it."""

    is_scheduled: bool
    last_run_at: Time | None


class FolderStep(Answer):
    """A folder on the way to a project."""

    id: str
    name: str


class Folder(FolderStep):
    """The folder a project is in."""

    path: list[FolderStep]
    is_path_complete: bool


class ProjectSummary(Answer):
    """A project as the listing shows it."""

    id: str
    name: str
    project_type: str
    created_at: Time
    updated_at: Time | None
    folder: Folder | None
    notebooks: list[ProjectNotebook]


class ProjectFile(Answer):
    """A file of a project."""

    path: str
    size: Count
    updated_at: Time


class File(ProjectFile):
    """A file that was stored, under the path it got."""

    project_id: str


class StaticFiles(Answer):
    """A project's website."""

    sharing_enabled: bool
    api_access_enabled: bool
    url: Url


class Environment(Answer):
    """What a project's machine has installed."""

    id: str


class Project(ProjectSummary):
    """A project with its notebooks and files."""

    files: list[ProjectFile]
    static_files: StaticFiles
    streamlit_app_api_access_enabled: bool
    environment: Environment | None
    integrations: list[JSON]


class ImportedProject(Answer):
    """A project after an import."""

    id: str
    modified_at: Time
    content_hash: str


class ImportedNotebook(Answer):
    """What an import did to a notebook."""

    id: str
    name: str
    action: Literal["created", "overwritten", "restored", "deleted"]


class NotebookBlock(Answer):
    """A block as its notebook shows it."""

    id: str
    type: str
    content: str
    metadata: JSON


class NotebookInput(Answer):
    """An input block, as a parameter of its notebook."""

    name: str
    type: str
    value: str | bool | list[str]
    label: str
    options: list[str]
    multiple: bool
    min: float | None
    max: float | None
    step: float | None
    block_id: str


class Notebook(NotebookSummary):
    """A notebook with its blocks in order."""

    blocks: list[NotebookBlock]
    inputs: list[NotebookInput]
    last_run_at: Time | None
    last_run_id: str | None
    last_run_status: RunStatus | None


class Block(NotebookBlock):
    """A block."""

    notebook_id: str
    integration_id: str | None
    version: Count


class BlockVersion(Answer):
    """A block's version after a change."""

    id: str
    version: Count


class NewBlock(Answer):
    """A new block, with the order of all blocks of its notebook if asked for."""

    block: Block
    notebook_block_ids: list[str] | UnsetType = UNSET


class RunStarted(Answer):
    """What is known of a run that was just submitted."""

    run_id: str
    status: RunStatus
    created_at: Time


class RunSummary(RunStarted):
    """A run as the history of its notebook shows it."""

    notebook_id: str
    completed_at: Time | None


class SnapshotBlock(Answer):
    """A block of a run: what it put out, not its source."""

    id: str
    type: str
    outputs: list[JSON]
    metadata: JSON


class Run(RunSummary):
    """A run, with its snapshot in the delivery that was asked for once there is one."""

    project_id: str
    error: str | None
    snapshot_status: Literal["pending", "available", "unavailable"]
    snapshot_download_url: Url | UnsetType = UNSET
    snapshot_content: str | UnsetType = UNSET
    snapshot_blocks: list[SnapshotBlock] | UnsetType = UNSET


class Schedule(Answer):
    """When a notebook runs by itself."""

    notebook_id: str
    cron: str
    timezone: str
    next_run_at: Time
    created_at: Time
    updated_at: Time


class StreamlitApp(Answer):
    """A file of a project that is served as a web page."""

    id: str
    project_id: str
    entrypoint: str
    url: Url
    created_at: Time


class Session(Answer):
    """A session; ids go by every name their known callers read."""

    id: str
    session_id: str
    notebook_id: str
    source_notebook_id: str
    session_notebook_id: str
    project_id: str
    status: str
    storage_mode: StorageMode
    idle_shutdown_seconds: Count
    machine_type: str
    created_at: Time
    updated_at: Time
    last_activity_at: Time
    expires_at: Time


class Kernel(Answer):
    """What the kernel of one of a session's notebooks does."""

    status: str
    executing_block_id: str | None
    queued_block_ids: list[str]


class ApiKey(Answer):
    """The key a call was made with."""

    id: str
    name: str


class User(Answer):
    """The one user of this server."""

    id: str
    name: str
    email: str | None


class Workspace(Answer):
    """The one workspace of this server."""

    id: str
    slug: str
    name: str


class MachineType(Answer):
    """A machine there is to choose."""

    id: str
    name: str
    type: str
    v_cpus: Count | None
    memory_gib: float = msgspec.field(name="memoryGiB")
    gpu_count: Count


class Machine(Answer):
    """The machine that a project's live runs share."""

    status: Literal["running", "stopped"]
    error: str | None
    starting_phase: str | None
    type: MachineType


class Integration(Answer, rename=None):
    """A connection to another service."""

    id: str
    name: str
    type: str
    metadata: JSON | None
    is_public: bool
    created_at: Time
    updated_at: Time
    federated_auth_method: str | None


class FaultInForce(Answer):
    """A fault, and how many requests it has met."""

    id: str
    matched: Count
    applied: Count
    method: str
    path: str
    ordinals: list[int] | None
    effect: str
    when: str
    seconds: float
    status: int
    retry_after: int | None
    html: bool

"""What the API answers, as msgspec structs.

The models read what the sources disagree about both ways, ignore what they do not know, and treat
everything as optional but the ids. An optional field of an unexpected type counts as absent: a
detail that Deepnote changes must not cost a person their session. Times are aware, in UTC, or
``None``.

Source: Deepnote's API reference (Sessions, Runs, Notebooks, Projects) and its public clients, read
November 2026.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import field

__all__ = [
    "ApiKey",
    "Block",
    "CreatedSession",
    "KernelState",
    "Me",
    "Model",
    "Notebook",
    "NotebookInput",
    "Page",
    "Project",
    "Run",
    "Session",
    "SessionStatus",
    "User",
    "Workspace",
]

T = TypeVar("T")

_TERMINAL = frozenset({"success", "error", "internal_error", "stopped"})


class Model(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what comes over the wire; fields are named as in the API, in snake case."""

    aliases: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Other names under which a field, by its name on the wire, has been seen."""


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a listing; a client's ``iterate`` turns the leaves."""

    items: list[T]
    next_page_token: str = ""
    """Opaque; empty on the last page."""


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


class Block(Model, frozen=True, kw_only=True):
    """One block of a notebook; Deepnote's word for a cell and more."""

    id: str
    type: str = ""
    content: str = ""
    metadata: dict[str, Any] = {}
    outputs: list[Any] = []
    """nbformat outputs; only in a run's snapshot."""


class NotebookInput(Model, frozen=True, kw_only=True):
    """An input block, as a parameter of its notebook."""

    name: str
    type: str = ""
    value: Any = None
    label: str = ""
    options: list[str] = []
    multiple: bool = False
    min: float | None = None
    max: float | None = None
    step: float | None = None
    block_id: str = ""


class Notebook(Model, frozen=True, kw_only=True):
    """A notebook. Inside a :class:`Project` it comes without blocks and inputs."""

    id: str
    project_id: str = ""
    name: str = ""
    blocks: list[Block] = []
    inputs: list[NotebookInput] = []
    is_init: bool = False
    is_scheduled: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_run_at: datetime | None = None


class Project(Model, frozen=True, kw_only=True):
    """A project: notebooks, files and a machine they share."""

    id: str
    name: str = ""
    project_type: str = ""
    """``standard``, ``notebook``, ``agent`` or newer; only a standard one takes more notebooks."""

    folder_id: str = ""
    notebooks: list[Notebook] = []
    created_at: datetime | None = None
    updated_at: datetime | None = None


class ApiKey(Model, frozen=True, kw_only=True):
    """The key a call was made with: what it is called, never the key itself."""

    id: str = ""
    name: str = ""


class User(Model, frozen=True, kw_only=True):
    """The person who made the key."""

    id: str = ""
    name: str = ""
    email: str = ""


class Workspace(Model, frozen=True, kw_only=True):
    """The workspace the key belongs to."""

    id: str = ""
    slug: str = ""
    name: str = ""


class Me(Model, frozen=True, kw_only=True):
    """Who a token speaks for."""

    api_key: ApiKey = ApiKey()
    user: User = User()
    workspace: Workspace = Workspace()
    access_level: str = ""


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

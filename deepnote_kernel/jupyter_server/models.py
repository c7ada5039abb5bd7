"""What the browser is told. Lengths of time are in seconds, for clocks may differ."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NamedTuple

import msgspec

__all__ = [
    "Kernel",
    "NotebookView",
    "Overview",
    "ProjectView",
    "RunView",
    "SessionView",
    "StartRequest",
    "StartView",
    "WorkspaceView",
    "age_s",
]


class Kernel(NamedTuple):
    """A kernel of this Jupyter Server."""

    id: str
    state: str
    """Its execution state: ``busy``, ``idle`` or what else Jupyter Server knows of it."""


class NotebookView(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook on the server that runs it."""

    id: str
    name: str = ""
    project: str = ""
    """Its project's name."""

    url: str = ""
    """Its page at Deepnote; empty where it has none."""


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was started on this computer."""

    id: str
    is_local: bool
    """Whether its machine is this computer."""

    server: str
    """The server's address, or ``local``."""

    state: str
    """In the server's words; ``unknown`` where it gave no answer."""

    age_s: float
    idle_left_s: float | None = None
    """Until it ends for want of use; ``None`` where that is not known."""

    notebook: NotebookView
    kernel_id: str = ""
    """The kernel of this Jupyter Server whose session it is; empty where there is none."""

    document: str = ""
    """The notebook on this computer whose cells ran there last; empty where that is not known."""

    has_left_cell: bool = False
    """Whether a cell was running when its kernel went: it may do so still."""

    is_pending: bool = False
    """Whether the server has not named it yet; it can be stopped, and no more."""

    problem: str = ""
    """Why its state is not known, and what to do."""


class StartView(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was asked for here and is not ready yet."""

    id: str
    is_local: bool
    notebook: NotebookView
    stage: str
    problem: str = ""
    """Why it failed; it stays in the list until it is dismissed."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All sessions, the newest first."""

    sessions: list[SessionView]
    starts: list[StartView]


class ProjectView(msgspec.Struct, frozen=True, kw_only=True):
    """A project and its notebooks."""

    id: str
    name: str
    url: str = ""
    notebooks: list[NotebookView] = []


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a notebook."""

    id: str
    notebook: NotebookView
    state: str
    age_s: float | None = None
    """Since it was started."""

    took_s: float | None = None
    """From start to end; ``None`` until then."""


class WorkspaceView(msgspec.Struct, frozen=True, kw_only=True):
    """What there is on one server."""

    is_local: bool
    server: str
    is_on: bool = True
    """Whether it can be asked: the local server runs only while somebody needs it."""

    projects: list[ProjectView] = []
    runs: list[RunView] = []
    """The last ones, newest first."""

    problem: str = ""
    """Why it could not be asked, and what to do."""


class StartRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the browser asks for."""

    is_local: bool
    notebook_id: str
    """The notebook to start a session on, or ``scratch``."""


def age_s(since: datetime) -> float:
    """Return the seconds since a moment; negative for one to come."""
    return (datetime.now(timezone.utc) - since).total_seconds()

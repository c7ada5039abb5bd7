"""Notebooks, their sessions, and where their cells run."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import field

from deepnote_kernel.strata.models.base import JsonObject, Model
from deepnote_kernel.strata.models.cells import Cell, Dag
from deepnote_kernel.strata.models.environment import Environment, EnvironmentJob

__all__ = ["Config", "Mount", "Notebook", "NotebookEntry", "Session", "Worker", "WorkerCatalog"]


class Mount(Model, frozen=True, kw_only=True):
    """A folder or bucket that cells see as a ``pathlib.Path`` of its name."""

    name: str
    uri: str
    mode: Literal["ro", "rw"] = "ro"
    pin: str | None = None
    options: JsonObject = {}
    credential: str | None = None


class Worker(Model, frozen=True, kw_only=True):
    """A place where a notebook's cells can run."""

    name: str
    backend: str = "local"
    """``local`` or ``executor``."""

    config: JsonObject = {}
    """An executor's ``url``, and more."""

    health: str = ""
    last_error: str = ""


class WorkerCatalog(Model, frozen=True, kw_only=True):
    """The workers a notebook may choose from."""

    worker: str = ""
    """The chosen one, where the answer names it."""

    workers: list[Worker] = []
    configured_workers: list[Worker] = []
    definitions_editable: bool = False


class Session(Model, frozen=True, kw_only=True):
    """A notebook that a server has open."""

    session_id: str
    name: str = ""
    path: str = ""
    notebook_id: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


class NotebookEntry(Model, frozen=True, kw_only=True):
    """A notebook in a server's folder, open or not."""

    path: str
    name: str = ""
    notebook_id: str = ""
    updated_at: datetime | None = None


class Notebook(Model, frozen=True, kw_only=True):
    """An open notebook, whole."""

    session_id: str
    """Names it in every call; the id in its file does not."""

    id: str = ""
    """The id in its file."""

    name: str = ""
    path: str = ""
    cells: list[Cell] = []
    dag: Dag | None = None
    environment: Environment = Environment()
    job: EnvironmentJob | None = field(name="environment_job", default=None)
    worker: str = ""
    workers: list[Worker] = []
    mounts: list[Mount] = []
    timeout_s: float | None = field(name="timeout", default=None)
    env: dict[str, str] = {}


class Config(Model, frozen=True, kw_only=True):
    """How a server runs notebooks."""

    deployment_mode: str = ""
    """``personal`` or ``service``."""

    default_parent_path: str = ""
    """Folder that new notebooks go to."""

    available_python_versions: list[str] = []
    default_python_version: str = ""
    python_selection_fixed: bool = False

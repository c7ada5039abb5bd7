"""Notebooks: their blocks, inputs and schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from deepnote_kernel.api.models.base import Model

__all__ = ["Block", "Notebook", "NotebookInput", "Schedule"]


class Block(Model, frozen=True, kw_only=True):
    """One block of a notebook; Deepnote's word for a cell and more."""

    id: str
    type: str = ""
    content: str = ""
    metadata: dict[str, Any] = {}
    outputs: list[Any] = []
    """nbformat outputs; only in a run's snapshot."""

    notebook_id: str = ""
    integration_id: str = ""
    """What an SQL block queries."""

    version: int | None = None
    """Counts the changes; only where the block was asked for by itself."""

    notebook_block_ids: list[str] = []
    """All blocks of its notebook, in order; only where they were asked for on creating it."""


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


class Schedule(Model, frozen=True, kw_only=True):
    """When a notebook runs by itself."""

    notebook_id: str
    cron: str = ""
    """Five fields: minute, hour, day of the month, month, day of the week."""

    timezone: str = ""
    """IANA name of the zone the fields are in."""

    next_run_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

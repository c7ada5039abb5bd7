"""The page about the client tells the truth."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from deepnote_kernel.api import (
    Call,
    blocks,
    files,
    integrations,
    machines,
    me,
    notebooks,
    projects,
    runs,
    schedules,
    sessions,
    streamlit_apps,
    v1,
)

PAGE = Path(__file__).parents[3] / "docs" / "client.md"

MODULES = (
    blocks, files, integrations, machines, me, notebooks, projects, runs, schedules, sessions,
    streamlit_apps, v1,
)  # fmt: skip

CALLS: dict[str, Call[Any]] = {
    "sessions.create": sessions.create("{id}"),
    "sessions.execute": sessions.execute("{id}", notebook_id="n", code=""),
    "sessions.interrupt": sessions.interrupt("{id}", notebook_id="n"),
    "sessions.status": sessions.status("{id}", notebook_id="n"),
    "sessions.stop": sessions.stop("{id}"),
    "sessions.list_": sessions.list_(),
    "sessions.get": sessions.get("{id}"),
    "sessions.run": sessions.run("{id}"),
    "runs.create": runs.create("{id}"),
    "runs.get": runs.get("{id}"),
    "notebooks.create": notebooks.create("{id}"),
    "notebooks.get": notebooks.get("{id}"),
    "notebooks.delete": notebooks.delete("{id}"),
    "notebooks.list_runs": notebooks.list_runs("{id}"),
    "notebooks.rename": notebooks.rename("{id}", "x"),
    "notebooks.reorder_blocks": notebooks.reorder_blocks("{id}", ["b"]),
    "schedules.create": schedules.create("{id}", "0 9 * * *"),
    "schedules.get": schedules.get("{id}"),
    "schedules.delete": schedules.delete("{id}"),
    "blocks.create": blocks.create("{id}"),
    "blocks.get": blocks.get("{id}"),
    "blocks.update": blocks.update("{id}", content=""),
    "blocks.delete": blocks.delete("{id}"),
    "projects.list_": projects.list_(),
    "projects.create": projects.create("x"),
    "projects.get": projects.get("{id}"),
    "projects.update": projects.update("{id}", sharing_enabled=True),
    "projects.delete": projects.delete("{id}"),
    "projects.export": projects.export("{id}"),
    "projects.import_": projects.import_("{id}", b""),
    "files.list_": files.list_("{id}"),
    "files.upload": files.upload("{id}", "a.csv", b""),
    "files.download": files.download("{id}", "a.csv", Path("a.csv")),
    "files.read": files.read("{id}", "a.csv"),
    "files.copy": files.copy("{id}", "a.csv", target_project_id="p"),
    "files.delete": files.delete("{id}", "a.csv"),
    "streamlit_apps.create": streamlit_apps.create("{id}", "app.py"),
    "streamlit_apps.list_": streamlit_apps.list_("{id}"),
    "streamlit_apps.status": streamlit_apps.status("{id}"),
    "machines.list_types": machines.list_types(),
    "machines.get": machines.get("{id}"),
    "integrations.list_": integrations.list_(),
    "me.get": me.get(),
    "v1.execute": v1.execute("{id}", "{id}"),
}


def test_the_index_names_every_call_with_its_route() -> None:
    """Each public call function has a row, and the row's route is the one it sends."""
    rows = dict(re.findall(r"^\| `(\w+\.\w+)` \| `([^`]+)`", PAGE.read_text(), re.MULTILINE))
    assert rows.pop("runs.download_snapshot") == "GET"
    unquoted = {name: call.label.replace("%7Bid%7D", "{id}") for name, call in CALLS.items()}
    assert rows == unquoted


def test_the_index_is_complete() -> None:
    """No module of calls exports one that the index lacks."""
    exported = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in MODULES
        for name in module.__all__
        if name[0].islower()
    }
    assert exported == {*CALLS, "runs.download_snapshot"}

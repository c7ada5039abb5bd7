"""The page about the client tells the truth."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from deepnote_kernel.api import Call, me, notebooks, projects, runs, sessions, v1

PAGE = Path(__file__).parents[3] / "docs" / "client.md"

CALLS: dict[str, Call[Any]] = {
    "sessions.create": sessions.create("{id}"),
    "sessions.execute": sessions.execute("{id}", notebook_id="n", code=""),
    "sessions.interrupt": sessions.interrupt("{id}", notebook_id="n"),
    "sessions.status": sessions.status("{id}", notebook_id="n"),
    "sessions.stop": sessions.stop("{id}"),
    "runs.create": runs.create("{id}"),
    "runs.get": runs.get("{id}"),
    "notebooks.create": notebooks.create("{id}"),
    "notebooks.get": notebooks.get("{id}"),
    "notebooks.delete": notebooks.delete("{id}"),
    "notebooks.list_runs": notebooks.list_runs("{id}"),
    "projects.list_": projects.list_(),
    "projects.create": projects.create("x"),
    "projects.get": projects.get("{id}"),
    "projects.delete": projects.delete("{id}"),
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
        for module in (me, notebooks, projects, runs, sessions, v1)
        for name in module.__all__
        if name[0].islower()
    }
    assert exported == {*CALLS, "runs.download_snapshot"}

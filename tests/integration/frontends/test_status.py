"""``%deepnote status --watch``: a session at a glance, below a cell."""

from __future__ import annotations

import contextlib
import queue
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Notebook, Server

WATCH = "%deepnote status --watch --every 0.4"


@pytest.fixture
def watched(start_kernel: Callable[..., Notebook], server: Server, kernel: str) -> Notebook:
    """A notebook that watches a session on the server."""
    notebook = start_kernel(kernel, server)
    if kernel == "python3":
        notebook.run("%load_ext deepnote_magics")
    notebook.run("%deepnote start")
    return notebook


def _wait_for(notebook: Notebook, cell_id: str, display_id: str, text: str) -> None:
    """Wait until a display of a cell is updated to contain a text."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(queue.Empty):
            message = notebook.client.get_iopub_msg(timeout=0.1)
            content = message["content"]
            if (
                message["msg_type"] == "update_display_data"
                and message["parent_header"]["msg_id"] == cell_id
                and content["transient"]["display_id"] == display_id
                and text in content["data"]["text/plain"]
            ):
                return
    pytest.fail(f"{text} was not shown in time")


@pytest.mark.parametrize("kernel", ["deepnote", "python3"])
def test_the_state_is_shown_while_other_cells_run(watched: Notebook) -> None:
    """The display changes in place, under its own cell, and ends with the session."""
    cell_id = watched.client.execute(WATCH)
    [shown] = watched.follow(cell_id).contents("display_data")
    display_id = shown["transient"]["display_id"]
    assert "idle" in shown["data"]["text/plain"]
    assert "idle" in shown["data"]["text/html"]
    running = watched.client.execute("%%deepnote\nwhile True: pass")
    _wait_for(watched, cell_id, display_id, "busy")
    watched.manager.interrupt_kernel()
    watched.follow(running)
    _wait_for(watched, cell_id, display_id, "idle")
    watched.client.execute("%deepnote stop")
    _wait_for(watched, cell_id, display_id, "ended")


@pytest.mark.parametrize("kernel", ["deepnote"])
def test_a_second_watch_takes_the_place_of_the_first(watched: Notebook) -> None:
    """Running the cell again does not double the calls."""
    first = watched.client.execute(WATCH)
    watched.follow(first)
    second = watched.client.execute(WATCH)
    watched.follow(second)
    parents: list[str] = []
    deadline = time.monotonic() + 20
    while parents.count(second) < 3:
        assert time.monotonic() < deadline
        with contextlib.suppress(queue.Empty):
            message = watched.client.get_iopub_msg(timeout=0.1)
            if message["msg_type"] == "update_display_data":
                parents.append(message["parent_header"]["msg_id"])
    assert parents.count(first) <= 1

"""A session outlives the kernel that started it: restarts in place, crashes, and takeovers."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.notebook import open_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.notebook import JSON, Notebook
    from tests.integration.relay.conftest import FarSide

ARGV = [sys.executable, "-m", "deepnote_kernel"]


@pytest.fixture
def environ(far_side: FarSide, tmp_path: Path) -> dict[str, str]:
    """Settings, and a record of sessions of the test's own."""
    return {**far_side.environ(), "JUPYTER_DATA_DIR": str(tmp_path)}


@pytest.fixture
def notebook(environ: dict[str, str]) -> Iterator[Notebook]:
    """A kernel of the test's own."""
    with open_notebook(ARGV, environ, interrupt_mode="message") as notebook:
        notebook.run("pass")
        yield notebook


def has_printed(text: str) -> Callable[[list[JSON]], bool]:
    """Return what tells whether messages show that a cell has printed something."""
    return lambda messages: any(
        text in message["content"]["text"]
        for message in messages
        if message["msg_type"] == "stream"
    )


def sessions(far_side: FarSide) -> list[JSON]:
    """Return the server's sessions that still live."""
    with far_side.server.client() as client:
        found: list[JSON] = client.get("/v2/sessions").json()["sessions"]
    return [s for s in found if s["status"] not in {"stopped", "stopping", "ended"}]


def restart(notebook: Notebook) -> None:
    """Restart the kernel as a front end does."""
    notebook.manager.restart_kernel()
    notebook.client.wait_for_ready(timeout=60)


def test_a_restart_empties_the_namespace_of_the_same_session(
    notebook: Notebook, far_side: FarSide
) -> None:
    """The machine stays, the variables go, and what is numbered starts again."""
    notebook.run("x = 1")
    before = {s["id"] for s in sessions(far_side)}
    restart(notebook)
    result = notebook.run("'x' in globals()")
    assert result.value == "False"
    assert result.reply["execution_count"] == 1
    assert {s["id"] for s in sessions(far_side)} == before
    assert notebook.run("print('out')\ninput('?')", answers=["in"]).value == "'in'"


def test_a_restart_ends_a_running_cell(notebook: Notebook) -> None:
    """A cell that would never end does not keep the kernel from starting afresh."""
    notebook.send("print('ready')\nwhile True:\n    pass")
    notebook.later(has_printed("ready"))
    restart(notebook)
    assert notebook.run("'fresh'").value == "'fresh'"


def test_the_restart_command_keeps_the_session(notebook: Notebook, far_side: FarSide) -> None:
    """``%deepnote restart`` does the same from within the notebook; widgets work afterwards."""
    notebook.run("x = 1")
    before = {s["id"] for s in sessions(far_side)}
    assert notebook.run("%deepnote restart").reply["status"] == "ok"
    assert notebook.run("'x' in globals()").value == "False"
    assert {s["id"] for s in sessions(far_side)} == before
    assert "comm_open" in notebook.run("import ipywidgets\nipywidgets.IntSlider()").kinds


@pytest.mark.parametrize("mode", ["live", "direct"])
def test_a_restart_begins_where_the_kernel_began(environ: dict[str, str], mode: str) -> None:
    """The working folder is the first one again."""
    with open_notebook(
        ARGV, {**environ, "DEEPNOTE_MODE": mode}, interrupt_mode="message"
    ) as notebook:
        before = notebook.run("import os\nos.getcwd()").value
        notebook.run("os.chdir('/')")
        notebook.run("%deepnote restart")
        assert notebook.run("import os\nos.getcwd()").value == before


def test_a_restart_forgets_environment_variables(notebook: Notebook) -> None:
    """What a cell has set is gone with its variables."""
    notebook.run("import os\nos.environ['FORGOTTEN'] = '1'")
    notebook.run("%deepnote restart")
    assert notebook.run("import os\n'FORGOTTEN' in os.environ").value == "False"


def test_a_shutdown_after_a_restart_stops_the_session(
    environ: dict[str, str], far_side: FarSide
) -> None:
    """Also where no cell has run since: a session that waits for its kernel costs money."""
    before = {s["id"] for s in sessions(far_side)}
    with open_notebook(ARGV, environ, interrupt_mode="message") as notebook:
        notebook.run("pass")
        assert len(sessions(far_side)) == len(before) + 1
        restart(notebook)
    deadline = time.monotonic() + 20
    while {s["id"] for s in sessions(far_side)} != before:
        assert time.monotonic() < deadline, sessions(far_side)
        time.sleep(0.05)


def test_a_cell_survives_its_kernel(environ: dict[str, str], tmp_path: Path) -> None:
    """Kill the local kernel in mid-cell; another attaches, shows the rest, and can interrupt."""
    gate = tmp_path / "open"
    code = (
        "import pathlib, time\n"
        f"gate = pathlib.Path({str(gate)!r})\n"
        "print('before')\n"
        "while not gate.exists():\n    time.sleep(0.01)\n"
        "print('after')\n"
        "survived = True\n"
        "time.sleep(600)"
    )
    with open_notebook(ARGV, environ, interrupt_mode="message") as first:
        first.run("pass")
        first.send(code)
        first.later(has_printed("before"))
        pid = first.manager.provisioner.pid  # type: ignore[union-attr]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    gate.touch()
    with open_notebook(ARGV, environ, interrupt_mode="message") as second:

        def press(kind: str, content: JSON) -> None:
            if kind == "stream" and "after" in content["text"]:
                second.interrupt()

        result = second.run("%deepnote attach", on_message=press)
        assert "after\n" in result.text
        assert result.reply["ename"] == "KeyboardInterrupt"
        assert second.run("survived").value == "True"

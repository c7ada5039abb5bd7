"""Two notebooks on one machine, as the people in front of them see it."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.integration.conftest import run_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import Notebook, Server


class Project:
    """A project with two notebooks on the server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        first = server.new_notebook()
        with server.client() as client:
            notebook = client.get(f"/v2/notebooks/{first}").json()["notebook"]
            body = {"projectId": notebook["projectId"], "name": "Second"}
            second: str = client.post("/v2/notebooks", json=body).json()["notebook"]["id"]
        self.notebook_ids = (first, second)

    def environ(self, number: int, **environ: str) -> dict[str, str]:
        """Return what a kernel needs whose cells go to one of the notebooks."""
        return {
            "DEEPNOTE_BASE_URL": self._server.url,
            "DEEPNOTE_TOKEN": self._server.token,
            "DEEPNOTE_NOTEBOOK_ID": self.notebook_ids[number],
            "JPY_SESSION_NAME": ["pears.ipynb", "plums.ipynb"][number],
            **environ,
        }

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """The sessions that run for them."""
        with self._server.client() as client:
            sessions = client.get("/v2/sessions").json()["sessions"]
        return [each for each in sessions if each["notebookId"] in self.notebook_ids]


class Pair(NamedTuple):
    """Two notebooks that share a session."""

    pears: Notebook
    plums: Notebook
    project: Project


@pytest.fixture(scope="module")
def pair(server: Server) -> Iterator[Pair]:
    """Two kernels that are told to share; each has run a cell."""
    project = Project(server)
    share = {"DEEPNOTE_SHARE_SESSION": "1"}
    with (
        run_kernel("deepnote", project.environ(0, **share)) as pears,
        run_kernel("deepnote", project.environ(1, **share)) as plums,
    ):
        pears.run("fruit = 'pear'")
        plums.run("fruit = 'plum'")
        yield Pair(pears, plums, project)


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_they_share_a_machine_and_no_variables(pair: Pair) -> None:
    """One session runs, and each kernel keeps its own names."""
    assert len(pair.project.sessions) == 1
    assert (pair.pears.run("fruit").result, pair.plums.run("fruit").result) == ("'pear'", "'plum'")


def test_cells_run_at_the_same_time(pair: Pair) -> None:
    """A long cell of one keeps nobody else waiting, and a file goes from one to the other."""
    wait = "import os, time\nwhile not os.path.exists('ripe'):\n    time.sleep(0.01)"
    waiting = pair.pears.client.execute(wait)
    assert pair.plums.run("open('ripe', 'w').close()").status == "ok"
    assert pair.pears.follow(waiting).status == "ok"


def test_status_names_the_other(pair: Pair) -> None:
    """By its file, as the person knows it."""
    assert "plums.ipynb" in pair.pears.run("%deepnote status").result
    assert "pears.ipynb" in pair.plums.run("%deepnote status").result


def test_interrupt_is_for_ones_own_cell(pair: Pair) -> None:
    """The other's cell goes on."""
    asking = pair.pears.client.execute("input('?')", allow_stdin=True)
    pair.pears.client.get_stdin_msg(timeout=20)

    def press(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            pair.plums.manager.interrupt_kernel()

    stopped = pair.plums.run("print(1, flush=True)\nwhile True: pass", on_message=press)
    assert stopped.reply["ename"] == "KeyboardInterrupt"
    pair.pears.client.input("still here")
    assert pair.pears.follow(asking).result == "'still here'"


def test_restart_is_for_ones_own_variables(pair: Pair) -> None:
    """The other's are kept, and no second machine is started."""
    pair.plums.run("%deepnote restart")
    assert pair.plums.run("fruit").reply["ename"] == "NameError"
    assert pair.pears.run("fruit").result == "'pear'"
    assert len(pair.project.sessions) == 1
    pair.plums.run("fruit = 'plum'")


def test_restarting_the_kernel_rejoins(pair: Pair) -> None:
    """The editor's restart finds the same machine and an empty namespace."""
    pair.plums.manager.restart_kernel()
    pair.plums.client.wait_for_ready(timeout=30)
    assert pair.plums.run("fruit").reply["ename"] == "NameError"
    assert len(pair.project.sessions) == 1
    pair.plums.run("fruit = 'plum'")


def test_stop_asks(pair: Pair) -> None:
    """It says who else uses the machine; no is no, and where nobody can be asked, too."""
    refused = pair.pears.run("%deepnote stop", answers=iter(["n"]))
    assert refused.status == "error"
    refused = pair.pears.run("%deepnote stop")
    assert "shared by pears.ipynb, plums.ipynb" in refused.reply["evalue"]
    assert "--yes" in refused.reply["evalue"]
    assert pair.plums.run("fruit").result == "'plum'"


def test_attach_beside_another(
    pair: Pair, start_kernel: Callable[..., Notebook], server: Server
) -> None:
    """A kernel that was not told to share joins by name, and leaves the machine to the others."""
    with server.client() as client:
        known = client.get(f"/v2/notebooks/{pair.project.notebook_ids[0]}").json()["notebook"]
        body = {"projectId": known["projectId"], "name": "Third"}
        third = client.post("/v2/notebooks", json=body).json()["notebook"]["id"]
    [session] = pair.project.sessions
    notebook = start_kernel("deepnote", server)
    attach = f"%deepnote sessions attach {session['id']} --notebook"
    taken = notebook.run(f"{attach} {pair.project.notebook_ids[0]}")
    assert "pears.ipynb" in taken.reply["evalue"]
    assert notebook.run(f"{attach} {third}").status == "ok"
    assert notebook.run("fruit").reply["ename"] == "NameError"
    assert "pears.ipynb, plums.ipynb" in notebook.run("%deepnote status").result
    notebook.manager.shutdown_kernel()
    assert pair.pears.run("fruit").result == "'pear'"


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
def test_the_last_notebook_closes_the_machine(server: Server) -> None:
    """The first may be closed, or crash; the second ends it."""
    project = Project(server)
    share = {"DEEPNOTE_SHARE_SESSION": "1"}
    with run_kernel("deepnote", project.environ(1, **share)) as second:
        with run_kernel("deepnote", project.environ(0, **share)) as first:
            first.run("pass")
            second.run("x = 1")
            first.manager.signal_kernel(signal.SIGKILL)
            _wait(lambda: not first.manager.is_alive())
        assert second.run("x").result == "1"
        assert "Shared with" not in second.run("%deepnote status").result
    _wait(lambda: project.sessions == [])


def test_stop_with_yes_is_for_all(pair: Pair) -> None:
    """The other learns of it from its next cell, and may start anew."""
    assert pair.pears.run("%deepnote stop --yes").status == "ok"
    assert pair.project.sessions == []
    assert pair.plums.run("fruit").reply["ename"] == "SessionGoneError"

"""The relay is a clean guest of the remote kernel."""

# ruff: noqa: E501 - a cell is one line of its table

from __future__ import annotations

from ast import literal_eval
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.api import Client, sessions
from deepnote_kernel.config import Secret, Settings
from deepnote_kernel.session.protocol import Cell
from deepnote_kernel.session.remote import Remote

if TYPE_CHECKING:
    from tests.integration.notebook import Notebook
    from tests.integration.relay.conftest import FarSide

FACTS = {
    "names": "sorted(n for n in globals() if not n.startswith(('_i', '__vsc')))",
    "path": "import sys\n[p for p in sys.path if 'deepnote' in p]",
    "environment": "import os\nsorted(n for n in os.environ if 'TOKEN' in n or 'RELAY' in n)",
    "stdout": "type(sys.stdout).__name__, type(sys.stdin).__name__",
    "builtins": "import builtins\nsorted(n for n in dir(builtins) if 'relay' in n)",
    "display hook": "type(sys.displayhook).__name__",
    "trace": "sys.gettrace(), sys.getprofile()",
    "alarm": "import signal\nsignal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)",
    "first input": "In[1]",
    "frame names": "sorted({k for k in globals() if 'relay' in k or 'far' in k})",
}  # fmt: skip


@pytest.mark.parametrize("code", FACTS.values(), ids=FACTS.keys())
def test_a_cell_finds_the_same_world(code: str, live: Notebook, plain: Notebook) -> None:
    """Nothing of ours is where a cell would look."""
    assert live.run(code).normal() == plain.run(code).normal()


def test_there_is_one_thread_of_ours(live: Notebook, plain: Notebook) -> None:
    """Compared with a plain kernel there is one thread more, and it says whose it is."""
    code = "import threading\n[t.name for t in threading.enumerate() if t.name[:7] != 'Thread-']"
    ours, theirs = (literal_eval(n.run(code).value) for n in (live, plain))
    assert sorted(ours) == sorted([*theirs, "deepnote-relay"])


def test_it_rests_when_nothing_runs(live: Notebook) -> None:
    """While no cell runs, the relay's thread uses no processor time."""
    code = (
        "import threading, time, pathlib\n"
        "def used():\n"
        "    t = next(t for t in threading.enumerate() if t.name == 'deepnote-relay')\n"
        "    stat = pathlib.Path(f'/proc/self/task/{t.native_id}/stat').read_text()\n"
        "    return sum(map(int, stat.rpartition(')')[2].split()[11:13]))\n"
    )
    live.run(code)
    before = int(live.run("used()").value)
    live.run("import asyncio\nawait asyncio.sleep(1)")
    assert int(live.run("used()").value) - before <= 1


def test_nothing_stays_behind(far_side: FarSide) -> None:
    """After detaching the kernel is as it was: threads, signal handlers, modules, and it works."""
    environ = far_side.environ()
    remote = Remote(Settings.from_env(environ))
    session = remote.start()
    assert list(remote.events(Cell(id="a", code="x = 1")))
    remote.detach()
    remote.close()
    code = (
        "import signal, sys, threading\n"
        "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler,"
        " signal.getsignal(signal.SIGRTMAX - 3) == signal.SIG_DFL,"
        " [t.name for t in threading.enumerate() if 'deepnote' in t.name],"
        " [m for m in sys.modules if 'deepnote' in m], x)"
    )
    with Client(token=Secret(far_side.server.token), base_url=far_side.server.url) as client:
        notebook_id = environ["DEEPNOTE_NOTEBOOK_ID"]
        call = sessions.execute(session.session_id, notebook_id=notebook_id, code=code)
        outputs = client.send(call)
        client.send(sessions.stop(session.session_id))
    assert [output.get("text") for output in outputs] == ["True True [] [] 1\n"]

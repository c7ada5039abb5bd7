"""The interrupt button works on whatever the cell is doing."""

# ruff: noqa: E501 - a cell is one line of its table

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.notebook import JSON, Notebook
    from tests.integration.relay.conftest import FarSide

CELLS = {
    "sleep": "import time\nprint('ready')\ntime.sleep(600)",
    "tight loop": "print('ready', flush=True)\nwhile True:\n    pass",
    "await": "import asyncio\nprint('ready')\nawait asyncio.sleep(600)",
    "busy async": "import asyncio\nawait asyncio.sleep(0)\nprint('ready', flush=True)\nwhile True:\n    pass",
    "async loop": "import asyncio\nprint('ready')\nwhile True:\n    await asyncio.sleep(0.001)",
    "subprocess": "import subprocess\nprint('ready')\nsubprocess.run(['sleep', '600'])",
    "thread join": "import threading, time\nt = threading.Thread(target=time.sleep, args=(2,))\nt.start()\nprint('ready')\nt.join()",
    "lock": "import threading\nprint('ready')\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "queue": "import queue\nprint('ready')\nqueue.Queue().get()",
    "read": "import os\nr, w = os.pipe()\nprint('ready')\nos.read(r, 1)",
    "printing": "import itertools\nfor i in itertools.count():\n    print('ready', i)",
}  # fmt: skip


class Presser:
    """Presses the button when the cell says that it is ready."""

    def __init__(self, notebook: Notebook, *signs: str) -> None:
        self._notebook = notebook
        self._signs = list(signs)

    def __call__(self, kind: str, content: JSON) -> None:
        """Look at a message."""
        if kind == "stream" and self._signs and self._signs[0] in content["text"]:
            self._signs.pop(0)
            self._notebook.interrupt()


@pytest.mark.parametrize("code", CELLS.values(), ids=CELLS.keys())
def test_a_cell_is_interrupted(code: str, live: Notebook) -> None:
    """It ends with ``KeyboardInterrupt``, shows no frame of ours, and the next cell runs."""
    result = live.run(code, on_message=Presser(live, "ready"))
    assert result.reply["status"] == "error"
    assert result.reply["ename"] == "KeyboardInterrupt"
    assert "relay" not in "".join(result.reply["traceback"])
    assert live.run("'next'").value == "'next'"


def test_a_shell_command_is_interrupted(live: Notebook) -> None:
    """The command dies; as in ipykernel that is no error of the cell."""
    result = live.run("!echo ready; sleep 600; echo not reached", on_message=Presser(live, "ready"))
    assert "not reached" not in result.text


FORK = """
import os, time
reading, writing = os.pipe()
pid = os.fork()
if not pid:
    try:
        os.write(writing, b'ready')
        time.sleep(600)
    except KeyboardInterrupt:
        os._exit(3)
try:
    print(os.read(reading, 5).decode(), flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print('status', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_forked_child_is_interrupted_too(live: Notebook) -> None:
    """It is no second kernel: the signal raises ``KeyboardInterrupt`` in it, as it would anywhere."""
    result = live.run(FORK, on_message=Presser(live, "ready"))
    assert result.text.endswith("status 3\n")  # newer Pythons warn of the fork before


def test_a_cell_that_could_not_be_sent_yet_never_runs(live: Notebook, far_side: FarSide) -> None:
    """An interrupt on the way together with its cell is not forgotten."""
    live.run("ran = False")
    with far_side.server.client() as client:

        def count(effect: str, path: str, **fault: Any) -> Callable[[], int]:
            options = {"effect": effect, "path": path, **fault}
            name = client.post("/faults", json=options).json()["fault"]["id"]
            return lambda: next(
                fault["matched"]
                for fault in client.get("/faults").json()["faults"]
                if fault["id"] == name
            )

        executes = count("status", "*/execute", status=503)
        interrupts = count("count", "*/interrupt")
        msg_id = live.send("ran = True")
        wait_until(executes)
        live.interrupt()
        wait_until(interrupts)
        client.delete("/faults").raise_for_status()
    result = live.collect(msg_id)
    assert (result.reply["ename"], result.kinds) == ("KeyboardInterrupt", ["error"])
    assert "relay" not in "".join(result.reply["traceback"])
    assert live.run("ran").value == "False"


def test_a_question_is_interrupted(live: Notebook) -> None:
    """``input()`` gives up."""
    msg_id = live.send("input('?')")
    assert live.client.get_stdin_msg(timeout=20)["msg_type"] == "input_request"
    live.interrupt()
    assert live.collect(msg_id).reply["ename"] == "KeyboardInterrupt"


def test_a_second_press_works(live: Notebook) -> None:
    """Code that catches the first interrupt gets the second."""
    code = (
        "import time\nprint('ready')\n"
        "try:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    print('caught')\ntime.sleep(600)"
    )
    result = live.run(code, on_message=Presser(live, "ready", "caught"))
    assert result.reply["ename"] == "KeyboardInterrupt"
    assert result.text == "ready\ncaught\n"


def test_the_cells_own_handler_is_called(live: Notebook) -> None:
    """Code that handles SIGINT itself keeps doing so."""
    code = (
        "import signal, time\nseen = []\n"
        "signal.signal(signal.SIGINT, lambda *a: seen.append(a[0]))\nprint('ready')\n"
        "while not seen:\n    time.sleep(0.01)\nprint('handled')"
    )
    result = live.run(code, on_message=Presser(live, "ready"))
    assert result.reply["status"] == "ok"
    assert result.text == "ready\nhandled\n"


def test_an_interrupt_between_cells_does_nothing(live: Notebook) -> None:
    """The namespace and the next cell are as before."""
    live.run("kept = 1")
    control = live.client.control_channel
    control.send(live.client.session.msg("interrupt_request"))
    control.get_msg(timeout=20)
    assert live.run("kept").value == "1"

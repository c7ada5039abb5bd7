"""``%%deepnote`` and ``%deepnote`` in an ordinary notebook and in plain IPython."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Notebook, Server


@pytest.fixture
def ordinary(start_kernel: Callable[..., Notebook], server: Server) -> Notebook:
    """A notebook on ipykernel with the extension loaded."""
    notebook = start_kernel("python3", server)
    assert notebook.run("%load_ext deepnote_magics").status == "ok"
    return notebook


def test_a_cell_runs_there(ordinary: Notebook) -> None:
    """The marked cell runs remotely, the others here; they share no variables."""
    assert ordinary.run("%%deepnote\nx = 6\nprint(x * 7)").text() == "42\n"
    assert ordinary.run("x").reply["ename"] == "NameError"
    here = ordinary.run("import os; os.getpid()").result
    shown = ordinary.run("%%deepnote\nimport os; os.getpid()").contents("display_data")[-1]
    assert shown["data"]["text/plain"] != here


def test_the_start_is_shown_and_settles(ordinary: Notebook) -> None:
    """The first cell says how far the session is; its own output stays."""
    ran = ordinary.run("print('before')\nget_ipython().run_cell_magic('deepnote', '', 'print(1)')")
    assert ran.text() == "before\n1\n"
    texts = [
        content["data"]["text/plain"]
        for content in ran.contents("display_data") + ran.contents("update_display_data")
    ]
    assert texts[0] == "Deepnote: machine starting …"
    assert texts[-1].startswith("Deepnote: session ready after")


def test_a_start_is_one_line_and_an_object(ordinary: Notebook) -> None:
    """The command says that the session is ready, and nothing else does; it can be kept, too."""
    ran = ordinary.run("%deepnote start")
    assert ran.result.startswith("Session ")
    displays = {c["transient"]["display_id"]: c["data"] for c in ran.contents("display_data")}
    for content in ran.contents("update_display_data"):
        displays[content["transient"]["display_id"]] = content["data"]
    assert [data["text/plain"] for data in displays.values()] == [""]
    assert ran.text() == ""
    assert ordinary.run("s = %deepnote start\n(s.state, s.mode)").result == "('idle', 'live')"


def test_rich_output(ordinary: Notebook) -> None:
    """Displays, their updates and clearing work as in a local cell."""
    ordinary.run("%%deepnote\npass")
    ran = ordinary.run(
        "%%deepnote\n"
        "from IPython.display import HTML, clear_output, display\n"
        "import sys\n"
        "print('oops', file=sys.stderr)\n"
        "clear_output(wait=True)\n"
        "h = display(HTML('<b>a</b>'), display_id=True)\n"
        "h.update(HTML('<b>b</b>'))\n"
    )
    assert ran.text("stderr") == "oops\n"
    assert ran.types == ["stream", "clear_output", "display_data", "update_display_data"]
    shown, updated = ran.messages[-2:]
    assert updated["content"]["data"]["text/html"] == "<b>b</b>"
    assert shown["content"]["transient"] == updated["content"]["transient"]


def test_an_error_is_that_of_the_far_side(ordinary: Notebook) -> None:
    """The cell fails with the remote name and traceback, and none of ours."""
    ran = ordinary.run("%%deepnote\ndef f():\n    1 / 0\nf()")
    assert (ran.status, ran.reply["ename"]) == ("error", "ZeroDivisionError")
    assert len(ran.contents("error")) == 1
    assert "f()" in ran.traceback
    assert "deepnote_magics" not in ran.traceback


def test_input(ordinary: Notebook) -> None:
    """The cell may ask."""
    ran = ordinary.run("%%deepnote\nprint(input('?') + input('?'))", answers=iter(["a", "b"]))
    assert ran.text() == "ab\n"


@pytest.mark.parametrize("code", ["import time\ntime.sleep(100)", "while True: pass"])
def test_interrupt(ordinary: Notebook, code: str) -> None:
    """The stop button stops the remote cell, and the session goes on."""

    def on_message(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            ordinary.manager.interrupt_kernel()

    ran = ordinary.run(f"%%deepnote\nprint('running', flush=True)\n{code}", on_message=on_message)
    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert ordinary.run("%%deepnote\nprint(6 * 7)").text() == "42\n"


def test_an_interrupt_while_output_is_shown(ordinary: Notebook) -> None:
    """It is the remote cell's, too, though it came at a moment when this side was busy."""
    ordinary.run(
        "def press(message):\n"
        "    get_ipython().display_pub.unregister_hook(press)\n"
        "    raise KeyboardInterrupt\n"
    )
    ordinary.run("%%deepnote\npass")
    ordinary.run("get_ipython().display_pub.register_hook(press)")
    ran = ordinary.run("%%deepnote\ndisplay('shown')\nimport time\ntime.sleep(100)")
    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert "deepnote_magics" not in ran.traceback
    assert ordinary.run("%%deepnote\nprint(6 * 7)").text() == "42\n"


def test_a_life_of_a_session(ordinary: Notebook, server: Server) -> None:
    """Start, look, restart, stop, list: the session does what the magics say."""
    assert ordinary.run("%deepnote start").status == "ok"
    session_id = ordinary.run("s = %deepnote status\ns.session_id").result.strip("'")
    html = ordinary.run("%deepnote status").contents("execute_result")[0]["data"]["text/html"]
    assert session_id in html
    assert session_id in ordinary.run("%deepnote sessions").result
    ordinary.run("%%deepnote\nx = 1")
    restarted = ordinary.run("%deepnote restart")
    assert restarted.status == "ok", restarted.reply
    assert ordinary.run("%%deepnote\nx").reply["ename"] == "NameError"
    assert ordinary.run("%deepnote start --mode direct").reply["ename"] == "SessionError"
    assert ordinary.run("%deepnote stop").status == "ok"
    with server.client() as client:
        sessions = client.get("/v2/sessions").json()["sessions"]
    assert session_id not in [session["id"] for session in sessions]
    assert ordinary.run("%%deepnote\n1").reply["ename"] == "SessionGoneError"
    assert "is ready" in ordinary.run("%deepnote start").result


def test_stopping_another_session(ordinary: Notebook) -> None:
    """A forgotten session can be stopped by its id, an unknown one cannot."""
    ordinary.run("%deepnote start")
    session_id = ordinary.run("s = %deepnote status\ns.session_id").result.strip("'")
    assert ordinary.run("%deepnote stop nonsense").status == "error"
    assert ordinary.run(f"%deepnote stop {session_id}").status == "ok"
    assert ordinary.run("%deepnote stop --all").status == "ok"


def test_a_scratch_notebook(ordinary: Notebook) -> None:
    """A person who names no notebook gets an empty one."""
    assert ordinary.run("%deepnote start --scratch").status == "ok"
    assert ordinary.run("%%deepnote\nprint(6 * 7)").text() == "42\n"


def test_unloading_ends_the_session(ordinary: Notebook, server: Server) -> None:
    """What the extension has started, it stops."""
    ordinary.run("%deepnote start")
    session_id = ordinary.run("s = %deepnote status\ns.session_id").result.strip("'")
    assert ordinary.run("%unload_ext deepnote_magics").status == "ok"
    with server.client() as client:
        sessions = client.get("/v2/sessions").json()["sessions"]
    assert session_id not in [session["id"] for session in sessions]


def test_plain_ipython(server: Server) -> None:
    """In a terminal everything is text, and leaving IPython ends the session."""
    lines = [
        "%load_ext deepnote_magics",
        "%deepnote start",
        "get_ipython().run_cell_magic('deepnote', '', 'print(6 * 7)\\n[1, 2]')",
        "get_ipython().run_cell_magic('deepnote', '', '1 / 0')",
        "print('then')",
        "%deepnote status",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
        input="\n".join([*lines, "exit", ""]),
        env={
            **os.environ,
            "DEEPNOTE_BASE_URL": server.url,
            "DEEPNOTE_TOKEN": server.token,
            "DEEPNOTE_NOTEBOOK_ID": server.new_notebook(),
        },
    )
    assert "Deepnote: machine starting" in done.stdout, done.stderr
    for text in ("42\n", "[1, 2]", "ZeroDivisionError", "then", "Notebook  "):
        assert text in done.stdout
    assert server.token not in done.stdout + done.stderr
    session_id = done.stdout.partition("Session ")[2].partition(" ")[0]
    with server.client() as client:
        sessions = client.get("/v2/sessions").json()["sessions"]
    assert session_id not in [session["id"] for session in sessions]

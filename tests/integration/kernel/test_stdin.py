"""Cells that ask the person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.conftest import Notebook


def test_input(notebook: Notebook) -> None:
    """A cell may ask, again and again."""
    ran = notebook.run("[input('?') for _ in range(3)]", answers=iter(["a", "b", "c"]))
    assert ran.result == "['a', 'b', 'c']"


def test_getpass(notebook: Notebook) -> None:
    """A password is asked for as one."""
    msg_id = notebook.client.execute("import getpass\ngetpass.getpass('Key: ')", allow_stdin=True)
    question = notebook.client.get_stdin_msg(timeout=20)
    assert question["content"] == {"prompt": "Key: ", "password": True}
    notebook.client.input("opensesame")
    assert notebook.follow(msg_id).result == "'opensesame'"


def test_a_front_end_that_cannot_be_asked(notebook: Notebook) -> None:
    """The cell fails at once instead of waiting for nobody."""
    ran = notebook.run("input()")
    assert ran.reply["ename"] == "StdinNotImplementedError"


def test_an_interrupt_while_waiting(notebook: Notebook) -> None:
    """A question can be given up, and a late answer is not taken for that of the next one."""
    msg_id = notebook.client.execute("input('first')", allow_stdin=True)
    notebook.client.get_stdin_msg(timeout=20)
    notebook.manager.interrupt_kernel()
    assert notebook.follow(msg_id).reply["ename"] == "KeyboardInterrupt"
    notebook.client.input("late")
    assert notebook.run("input('second')", answers=iter(["new"])).result == "'new'"


def test_output_goes_on_while_a_question_waits(notebook: Notebook) -> None:
    """A thread may print while the cell waits for the person."""
    code = "import threading\nthreading.Timer(0.3, print, ['meanwhile']).start()\ninput('?')"
    msg_id = notebook.client.execute(code, allow_stdin=True)
    notebook.client.get_stdin_msg(timeout=20)

    def on_message(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            notebook.client.input("done")

    assert notebook.follow(msg_id, on_message=on_message).result == "'done'"


def test_a_local_question(notebook: Notebook) -> None:
    """A local cell asks as in ipykernel."""
    assert notebook.run("%%local\ninput('?')", answers=iter(["near"])).result == "'near'"

"""Comm messages find the side that knows the comm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Notebook, Server

ECHO = (
    "from comm import create_comm\n"
    "def echo(message):\n"
    "    c.send(message['content']['data'], buffers=message['buffers'])\n"
    "c = create_comm(target_name='test', data={'hello': 1})\n"
    "c.on_msg(echo)\n"
)


def _send(
    notebook: Notebook, msg_type: str, *, buffers: list[bytes] | None = None, **content: Any
) -> str:
    session = notebook.client.session
    message = session.msg(msg_type, {"data": {}, **content})
    channel: Any = notebook.client.shell_channel
    session.send(channel.socket, message, buffers=buffers)
    msg_id: str = message["header"]["msg_id"]
    return msg_id


def _next(notebook: Notebook, msg_type: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        message: dict[str, Any] = notebook.client.get_iopub_msg(timeout=20)
        if message["msg_type"] == msg_type:
            return message
    raise AssertionError(f"no {msg_type}")


def test_a_remote_comm_echoes(notebook: Notebook) -> None:
    """What the front end sends to a remote comm comes back, with its buffers and its parent."""
    opened = notebook.run(ECHO).contents("comm_open")[0]
    assert (opened["target_name"], opened["data"]) == ("test", {"hello": 1})
    msg_id = _send(
        notebook, "comm_msg", comm_id=opened["comm_id"], data={"n": 7}, buffers=[b"\x00\xff"]
    )
    answer = _next(notebook, "comm_msg")
    assert answer["content"]["data"] == {"n": 7}
    assert [bytes(buffer) for buffer in answer["buffers"]] == [b"\x00\xff"]
    assert answer["parent_header"]["msg_id"] == msg_id


def test_a_comm_is_served_while_a_cell_runs(notebook: Notebook) -> None:
    """A slider moves while the notebook computes, and is told when it has been dealt with."""
    opened = notebook.run(ECHO).contents("comm_open")[0]
    cell = notebook.client.execute("input('?')", allow_stdin=True)
    notebook.client.get_stdin_msg(timeout=20)
    msg_id = _send(notebook, "comm_msg", comm_id=opened["comm_id"], data={"n": 8})
    seen: list[str] = []
    while "idle" not in seen:
        message = notebook.client.get_iopub_msg(timeout=20)
        if message["parent_header"].get("msg_id") == msg_id:
            seen.append(message["content"].get("execution_state", message["msg_type"]))
    assert "comm_msg" in seen
    notebook.client.input("done")
    notebook.follow(cell)


def test_output_after_a_comm_message_is_still_that_of_the_cell(
    start_kernel: Callable[..., Notebook], server: Server
) -> None:
    """A widget that is touched during a cell does not take its output away."""
    notebook = start_kernel("deepnote", server)
    opened = notebook.run(ECHO).contents("comm_open")[0]
    cell = notebook.client.execute("input('?')\nprint('mine')", allow_stdin=True)
    notebook.client.get_stdin_msg(timeout=20)
    _send(notebook, "comm_msg", comm_id=opened["comm_id"], data={"n": 8})
    _next(notebook, "comm_msg")
    notebook.client.input("done")
    assert notebook.follow(cell).text() == "mine\n"


def test_messages_of_one_comm_keep_their_order(notebook: Notebook) -> None:
    """A slider that is dragged ends where it was let go."""
    opened = notebook.run(ECHO).contents("comm_open")[0]
    for number in range(20):
        _send(notebook, "comm_msg", comm_id=opened["comm_id"], data={"n": number})
    numbers = [_next(notebook, "comm_msg")["content"]["data"]["n"] for _ in range(20)]
    assert numbers == list(range(20))


def test_a_comm_of_local_code_is_local(notebook: Notebook) -> None:
    """Widgets of a ``%%local`` cell work as in ipykernel."""
    opened = notebook.run(f"%%local\n{ECHO}").contents("comm_open")[0]
    _send(notebook, "comm_msg", comm_id=opened["comm_id"], data={"n": 9})
    assert _next(notebook, "comm_msg")["content"]["data"] == {"n": 9}


def test_comms_of_both_sides_are_listed(notebook: Notebook) -> None:
    """A front end that reconnects finds them all."""
    there = notebook.run(ECHO).contents("comm_open")[0]["comm_id"]
    here = notebook.run(f"%%local\n{ECHO}").contents("comm_open")[0]["comm_id"]
    listed = notebook.client.comm_info(reply=True, timeout=10)["content"]["comms"]
    assert {there, here} <= set(listed)
    assert listed[there] == {"target_name": "test"}


def test_a_target_nobody_knows(notebook: Notebook) -> None:
    """A comm for a target that does not exist is closed, and the front end goes on."""
    notebook.run("pass")
    _send(notebook, "comm_open", comm_id="nobody", target_name="nobody.knows")
    assert _next(notebook, "comm_close")["content"]["comm_id"] == "nobody"

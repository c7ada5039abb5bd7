"""Completion, inspection and what else a front end asks, before, between and during cells."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import Notebook


def _complete(notebook: Notebook, code: str) -> dict[str, Any]:
    reply: dict[str, Any] = notebook.client.complete(code, reply=True, timeout=10)["content"]
    return reply


def _complete_in_time(notebook: Notebook, code: str) -> list[str]:
    """Ask again where the far side was not ready in the second a completion may take."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        matches: list[str] = _complete(notebook, code)["matches"]
        if matches:
            return matches
    return []


def _inspect(notebook: Notebook, code: str) -> dict[str, Any]:
    reply: dict[str, Any] = notebook.client.inspect(code, reply=True, timeout=10)["content"]
    return reply


def test_remote_names_are_completed(notebook: Notebook) -> None:
    """What a cell has defined there is offered here."""
    notebook.run("class Apple:\n    colour = 'red'\napple = Apple()")
    assert _complete_in_time(notebook, "appl") == ["apple"]
    assert "colour" in "".join(_complete_in_time(notebook, "apple.col"))


def test_local_names_are_not_offered(notebook: Notebook) -> None:
    """What only this process knows would fail in a remote cell."""
    notebook.run("%%local\nonly_here = 1")
    assert _complete(notebook, "only_h")["matches"] == []
    assert _complete(notebook, "%%local\nonly_h")["matches"] == ["only_here"]


def test_our_magics_are_completed(notebook: Notebook) -> None:
    """``%deepnote`` is offered although the far side does not know it, and so are its verbs."""
    notebook.run("pass")
    assert "%deepnote" in _complete(notebook, "%deep")["matches"]
    assert _complete(notebook, "%deepnote st")["matches"] == ["start", "status", "stop"]
    assert _complete(notebook, "%deepnote start --mo")["matches"] == ["--mode"]
    assert _complete(notebook, "%deepnote start --mode ")["matches"] == ["direct", "live"]


def test_remote_names_are_described(notebook: Notebook) -> None:
    """Shift-Tab shows the docstring of a remote function."""
    notebook.run("def pick():\n    'Pick an apple.'")
    reply = _inspect(notebook, "pick")
    assert reply["found"]
    assert "Pick an apple." in reply["data"]["text/plain"]


@pytest.mark.parametrize(
    ("code", "status"),
    [("x = 1", "complete"), ("for x in y:", "incomplete"), ("x = = 1", "invalid")],
)
def test_a_console_knows_when_a_cell_is_complete(
    notebook: Notebook, code: str, status: str
) -> None:
    """``is_complete`` answers as in ipykernel."""
    notebook.client.is_complete(code)
    assert notebook.client.get_shell_msg(timeout=10)["content"]["status"] == status


def test_everything_is_answered_while_a_cell_runs(notebook: Notebook) -> None:
    """No question waits for the end of a cell, and none of them ends it for the front end."""
    client = notebook.client
    msg_id = client.execute("tree = 1\ninput('?')", allow_stdin=True)
    client.get_stdin_msg(timeout=20)
    assert "tree" in _complete_in_time(notebook, "tre")
    assert client.inspect("tree", reply=True, timeout=10)["content"]["found"]
    client.is_complete("x")
    assert client.get_shell_msg(timeout=10)["content"]["status"] == "complete"
    assert client.history(reply=True, timeout=10)["content"]["status"] == "ok"
    assert client.comm_info(reply=True, timeout=10)["content"]["status"] == "ok"
    assert client.kernel_info(reply=True, timeout=10)["content"]["status"] == "ok"
    client.input("done")
    assert notebook.follow(msg_id).result == "'done'"


def test_the_latest_status_is_that_of_the_cell(notebook: Notebook) -> None:
    """A question that is answered during a cell does not make the kernel look idle."""
    client = notebook.client
    msg_id = client.execute("input('?')", allow_stdin=True)
    client.get_stdin_msg(timeout=20)
    question = client.complete("tre")
    states = list(itertools.islice(_statuses(notebook, question, msg_id), 3))
    assert states == [(question, "busy"), (question, "idle"), (msg_id, "busy")]
    client.input("done")
    notebook.follow(msg_id)


def _statuses(notebook: Notebook, *parents: str) -> Iterator[tuple[str, str]]:
    """Yield the states told on iopub, after the cell's first."""
    first = (parents[-1], "busy")
    seen_first = False
    while True:
        message = notebook.client.get_iopub_msg(timeout=10)
        parent = message["parent_header"].get("msg_id")
        if message["msg_type"] == "status" and parent in parents:
            state = (parent, message["content"]["execution_state"])
            if state == first and not seen_first:
                seen_first = True
            else:
                yield state


def test_kernel_info_promises_what_there_is(notebook: Notebook) -> None:
    """Neither subshells nor a debugger are offered, and the language is Python."""
    info = notebook.client.kernel_info(reply=True, timeout=10)["content"]
    assert info["implementation"] == "deepnote-kernel"
    assert info["language_info"]["name"] == "python"
    assert info["language_info"]["pygments_lexer"] == "ipython3"
    assert not {"kernel subshells", "debugger"} & set(info["supported_features"])


def test_without_a_session_only_what_is_sure_is_offered(
    start_kernel: Callable[..., Notebook],
) -> None:
    """Before the first cell: keywords, builtins, magics, and no guesses."""
    notebook = start_kernel("deepnote")
    assert _complete(notebook, "prin")["matches"] == ["print"]
    assert _complete(notebook, "impor")["matches"] == ["import"]
    assert _complete(notebook, "get_ipyth")["matches"] == []
    assert _inspect(notebook, "print")["found"]
    assert not _inspect(notebook, "notebook")["found"]


def test_a_debugger_is_declined(notebook: Notebook) -> None:
    """Whoever asks for one all the same gets an answer."""
    request = {"type": "request", "seq": 1, "command": "initialize", "arguments": {}}
    message = notebook.client.session.msg("debug_request", request)
    notebook.client.control_channel.send(message)
    reply = notebook.client.get_control_msg(timeout=10)
    assert reply["msg_type"] == "debug_reply"
    assert reply["content"]["success"] is False

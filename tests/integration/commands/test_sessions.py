"""Sessions from a shell: one that a command starts outlives it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.commands.conftest import Place, Shell


@pytest.fixture(autouse=True)
def _own_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the sessions that other tests have started out of the record."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))


@pytest.fixture
def session_id(shell: Shell, place: Place) -> Iterator[str]:
    """A session that ``jupyter deepnote start`` left running."""
    session_id = shell("start", place.notebook_id, "--json").json["session_id"]
    yield session_id
    shell("stop", session_id)


def test_a_session_is_asked_after(shell: Shell, session_id: str) -> None:
    """The only one need not be named; a name from nowhere is said to be one."""
    assert session_id in shell("status").out
    assert shell("status", session_id, "--json").json["state"] == "idle"
    done = shell("status", "00000000-0000-0000-0000-000000000000")
    assert done.status == 4
    assert "Session not found" in done.err


def test_code_runs_in_it(shell: Shell, session_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables last from one command to the next; code may come from a pipe."""
    assert shell("sessions", "execute", session_id, "x = 6").status == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("print(x * 7)"))
    assert shell("sessions", "execute", session_id, "-").out == "42\n"


def test_code_that_fails(shell: Shell, session_id: str) -> None:
    """Its traceback is shown, and the status says that it was the remote code."""
    done = shell("sessions", "execute", session_id, "1/0")
    assert done.status == 7
    assert "ZeroDivisionError" in done.err


def test_attach_and_interrupt(shell: Shell, session_id: str) -> None:
    """Neither ends the session."""
    assert shell("interrupt").status == 0
    assert shell("attach", "--json").json["session_id"] == session_id
    assert shell("status").status == 0


def test_a_session_from_elsewhere(shell: Shell, place: Place) -> None:
    """The server knows it, and it can be asked after and used by its id."""
    with place.server.client() as client:
        answer = client.post("/v2/sessions", json={"notebookId": place.notebook_id})
        session_id = answer.json()["session"]["id"]
    assert session_id not in shell("sessions").out
    assert session_id in shell("sessions", "--everywhere").out
    assert shell("status", session_id).status == 0
    with place.server.client() as client:
        client.delete(f"/v2/sessions/{session_id}")


def test_start_and_stop(shell: Shell, place: Place) -> None:
    """One starts and is said to; the only one need not be named; afterwards there is none."""
    started = shell("start", place.notebook_id)
    [session] = shell("sessions", "--json").json
    assert started.out.startswith(f"Session {session['id']} is ready after ")
    assert shell("stop").status == 0
    assert shell("sessions", "--json").json == []
    none = shell("stop")
    assert none.status == 4
    assert "No session started from this computer is running." in none.err


def test_a_server_of_another_address(shell: Shell, session_id: str) -> None:
    """A session is never looked for where it does not run."""
    done = shell("attach", session_id, "--base-url", "http://127.0.0.1:9")
    assert done.status == 1
    assert "--base-url" in done.err

"""Starting, stopping, leaving and taking over sessions on a real server."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.config import SCRATCH, Secret, Settings
from deepnote_kernel.errors import (
    ConfigError,
    ConflictError,
    ConnectionFailedError,
    DeepnoteError,
    NotFoundError,
    PermissionDeniedError,
    SessionError,
    SessionGoneError,
    UnauthorizedError,
    UnknownNameError,
)
from deepnote_kernel.session import inventory
from deepnote_kernel.session.record import Record
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Server
    from tests.integration.session.conftest import Tester


# A cell that ends just as the relay's thread is about to signal it: the signal comes only once
# nobody takes it any more, or after a while.
LATE_SIGNAL = """
import signal, time
number, send = signal.SIGRTMAX - 3, signal.pthread_kill
def send_late(*where):
    deadline = time.monotonic() + 0.3
    while signal.getsignal(number) is not signal.SIG_DFL and time.monotonic() < deadline:
        time.sleep(0.01)
    send(*where)
signal.pthread_kill = send_late
time.sleep(0.2)
"""


# Starting


def test_first_cell_starts_the_session(tester: Tester) -> None:
    """Nothing runs and nothing is recorded before the first cell; then there is one session."""
    assert (tester.remote.session, tester.records.all()) == (None, [])
    tester.run("x = 1")
    assert [record.id for record in tester.records.all()] == [tester.session_id]


def test_anchor_notebook_runs_first(server: Server, connect: Callable[..., Tester]) -> None:
    """Starting runs the notebook: its variables are there, and the stages were told."""
    tester = connect(server, notebook_id=server.new_notebook("import time; time.sleep(0.5); x = 5"))
    assert tester.value("x") == "5"
    assert tester.lines == ["machine starting", "running the notebook", "ready"]


def test_failing_anchor_notebook_is_no_obstacle(
    server: Server, connect: Callable[..., Tester]
) -> None:
    """A cell that raises in the first run is told, and cells run all the same."""
    tester = connect(server, notebook_id=server.new_notebook("x = 5\n1/0"))
    assert tester.value("x") == "5"
    assert "the notebook's first run ended with status error" in tester.lines


def test_scratch_notebook_is_used_again(server: Server, connect: Callable[..., Tester]) -> None:
    """Two sessions share one empty notebook, and not their variables."""
    first, second = connect(server), connect(server)
    first.run("x = 1")
    assert second.reply("x")["ename"] == "NameError"
    notebooks = {first.remote.status().notebook_id, second.remote.status().notebook_id}
    assert len(notebooks) == 1


def test_starting_twice_is_starting_once(tester: Tester) -> None:
    """A second start returns the session that runs."""
    assert tester.remote.start() is tester.remote.start()
    assert len(tester.records.all()) == 1


def test_settings_change_for_the_next_session(tester: Tester) -> None:
    """What is used next leaves the running session alone, and nonsense is refused."""
    tester.run("x = 1")
    tester.remote.use(notebook_id="another")
    assert tester.value("x") == "1"
    with pytest.raises(ConfigError, match="mode"):
        tester.remote.use(mode="telepathic")


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"token": Secret("")}, ConfigError, r"DEEPNOTE_TOKEN.*Deepnote \(local\)"),
        ({"token": Secret("wrong")}, UnauthorizedError, "401"),
        ({"notebook_id": ""}, ConfigError, "DEEPNOTE_NOTEBOOK_ID"),
        ({"notebook_id": "f" * 32}, NotFoundError, "Notebook not found"),
        ({"base_url": "http://127.0.0.1:9"}, ConnectionFailedError, "Is the server running"),
    ],
)
def test_wrong_settings_are_explained_in_one_line(
    server: Server,
    connect: Callable[..., Tester],
    settings: dict[str, object],
    error: type[DeepnoteError],
    said: str,
) -> None:
    """The first cell says what to set; nothing stays recorded, and the token is never shown."""
    tester = connect(server)
    # Not through use(): None and empty values count as absent there and in the environment.
    tester.remote.settings = tester.remote.settings.replace(**settings)
    with pytest.raises(error, match=said) as caught:
        tester.run("1")
    assert "\n" not in str(caught.value)
    assert server.token not in str(caught.value)
    assert tester.records.all() == []


def test_suspended_project_is_told(server: Server, connect: Callable[..., Tester]) -> None:
    """A suspended project starts no session, and the error says who can help."""
    notebook_id = server.new_notebook()
    tester = connect(server, notebook_id=notebook_id)
    project = tester.ask("GET", f"/v2/notebooks/{notebook_id}")["notebook"]["projectId"]
    tester.ask("PUT", f"/faults/projects/{project}", suspended=True)
    with pytest.raises(ConflictError, match="suspended"):
        tester.run("1")
    assert tester.records.all() == []


def test_start_can_be_interrupted(server: Server, connect: Callable[..., Tester]) -> None:
    """An interrupt while the notebook runs gives the start up, and the session is stopped."""
    tester = connect(server, notebook_id=server.new_notebook("import time; time.sleep(100)"))

    def interrupt() -> None:
        wait_until(lambda: "running the notebook" in tester.lines)
        tester.remote.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert tester.reply("1")["ename"] == "KeyboardInterrupt"
    thread.join()
    assert (tester.remote.session, tester.records.all()) == (None, [])


def test_control_c_gives_a_start_up(server: Server, connect: Callable[..., Tester]) -> None:
    """Ctrl-C in ``%deepnote start`` stops what had been started."""
    tester = connect(server, notebook_id=server.new_notebook("import time; time.sleep(100)"))

    def press_control_c() -> None:
        wait_until(lambda: "running the notebook" in tester.lines)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=press_control_c).start()
    with pytest.raises(KeyboardInterrupt):
        tester.remote.start(tester.lines.append)
    wait_until(lambda: tester.records.all() == [])
    assert tester.remote.session is None


def test_start_can_be_tried_again(server: Server, connect: Callable[..., Tester]) -> None:
    """A start that failed stands in nobody's way."""
    tester = connect(server, notebook_id="f" * 32)
    with pytest.raises(NotFoundError):
        tester.run("1")
    tester.remote.use(notebook_id=SCRATCH)
    assert tester.value("1") == "1"


# Ending


def test_stopped_session_is_gone_from_server_and_record(tester: Tester) -> None:
    """Stopping ends the machine and forgets the session."""
    tester.run("x = 1")
    session_id = tester.session_id
    tester.remote.stop()
    assert tester.records.all() == []
    assert session_id not in tester.session_ids_at_server()


def test_no_session_follows_by_itself(tester: Tester) -> None:
    """After an end, cells say so until a start is asked for: variables are never lost unnoticed."""
    tester.run("x = 1")
    tester.remote.stop()
    for _ in range(2):
        with pytest.raises(SessionGoneError, match="%deepnote start"):
            tester.run("x")
    assert tester.remote.status().state == "ended"
    tester.remote.start()
    assert tester.reply("x")["ename"] == "NameError"


def test_expired_session_is_told_and_forgotten(tester: Tester) -> None:
    """A session that has ended by itself says that its variables are lost."""
    tester.run("x = 1")
    tester.ask("POST", f"/faults/sessions/{tester.session_id}/expire_session")
    with pytest.raises(SessionGoneError, match=r"variables are lost.*%deepnote start"):
        tester.run("x")
    assert (tester.remote.session, tester.records.all()) == (None, [])


def test_start_notices_that_the_session_has_ended(tester: Tester) -> None:
    """Asking for a start after an expiry starts another session."""
    tester.run("x = 1")
    old = tester.session_id
    tester.ask("POST", f"/faults/sessions/{old}/expire_session")
    assert tester.remote.start().session_id != old


def test_closing_stops_the_session_and_ends_the_thread(tester: Tester) -> None:
    """A kernel that shuts down leaves nothing behind; closing twice is closing once."""
    tester.run("x = 1")
    tester.remote.close(timeout_s=10)
    tester.remote.close()
    assert tester.records.all() == []
    assert "deepnote-session" not in [thread.name for thread in threading.enumerate()]


def test_close_gives_up_in_time_and_keeps_the_record(tester: Tester) -> None:
    """A server that does not answer cannot keep a kernel from ending."""
    tester.run("x = 1")
    session_id = tester.session_id
    path = f"/v2/sessions/{session_id}"
    tester.ask("POST", "/faults", path=path, method="DELETE", effect="delay", seconds=30)
    tester.remote.close(timeout_s=0.2)
    assert [record.id for record in tester.records.all()] == [session_id]
    tester.ask("DELETE", "/faults")


def test_stop_in_the_middle_of_a_cell(tester: Tester) -> None:
    """The cell ends with the session, and says why."""
    tester.remote.start()

    def stop() -> None:
        wait_until(lambda: tester.remote.status().state == "busy")
        tester.remote.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(SessionGoneError):
        tester.run("import time; time.sleep(100)")
    thread.join()
    assert tester.records.all() == []


# Leaving and taking over


def test_leaving_a_kernel_does_not_kill_it(server: Server, connect: Callable[..., Tester]) -> None:
    """A signal of the relay's that is under way when it goes is no danger to the process."""
    first, second = connect(server, mode="live"), connect(server, mode="live")
    first.run(LATE_SIGNAL)
    session_id = first.session_id
    first.remote.detach()
    second.remote.attach(session_id)
    assert second.value("send is not signal.pthread_kill") == "True"


def test_detached_session_can_be_attached_to(
    server: Server, connect: Callable[..., Tester]
) -> None:
    """Variables wait for whoever takes the session over."""
    first, second = connect(server), connect(server)
    first.run("x = 1")
    session_id = first.session_id
    first.remote.detach()
    with pytest.raises(SessionGoneError, match=f"%deepnote attach {session_id}"):
        first.run("x")
    second.remote.attach(session_id)
    assert second.value("x") == "1"


def test_attaching_to_an_ended_session_says_so(tester: Tester) -> None:
    """The id of a session that is gone leads nowhere."""
    tester.remote.use(notebook_id=tester.server.new_notebook())
    with pytest.raises(SessionGoneError, match="has ended"):
        tester.remote.attach("00000000-0000-0000-0000-000000000000")


def test_a_slip_does_not_cost_the_session(server: Server, connect: Callable[..., Tester]) -> None:
    """Where the session named does not exist the held one stays; else it is left running."""
    first, second = connect(server), connect(server)
    first.run("x = 1")
    with pytest.raises(ConfigError, match="not recorded here"):
        first.remote.attach("00000000-0000-0000-0000-000000000000")
    assert first.value("x") == "1"
    held = first.session_id
    second.run("y = 2")
    other = second.session_id
    second.remote.detach()
    first.remote.attach(other)
    assert first.value("y") == "2"
    second.remote.attach(held)
    assert second.value("x") == "1"


# The record


def test_recorded_sessions_are_listed_with_their_state(
    server: Server, connect: Callable[..., Tester]
) -> None:
    """The server is asked for each; those that ended, and only those, are forgotten."""
    kept, expired = connect(server), connect(server)
    kept.run("1")
    expired.run("1")
    expired.ask("POST", f"/faults/sessions/{expired.session_id}/expire_session")
    elsewhere = Record(id="e", notebook_id="n", base_url="https://example.org", state="ready")
    off = Record(id="o", notebook_id="n", base_url="local")
    kept.records.save(elsewhere)
    kept.records.save(off)
    assert {(r.id, r.state) for r in kept.remote.sessions()} == {
        (kept.session_id, "idle"),
        ("e", "ready"),
    }


def test_session_of_another_process_can_be_stopped(
    server: Server, connect: Callable[..., Tester]
) -> None:
    """What a crashed kernel has left is stopped by its id."""
    crashed, other = connect(server), connect(server)
    crashed.run("1")
    session_id = crashed.session_id
    crashed.remote.detach()
    other.remote.stop_recorded(session_id)
    assert other.records.all() == []
    assert session_id not in other.session_ids_at_server()


def test_stopping_ones_own_session_by_id(tester: Tester) -> None:
    """The running session may be named like any other."""
    tester.run("1")
    tester.remote.stop_recorded(tester.session_id)
    assert (tester.remote.session, tester.records.all()) == (None, [])


def test_all_sessions_of_a_server_are_stopped(
    server: Server, connect: Callable[..., Tester]
) -> None:
    """Stopping all ends one's own and those left behind; other servers' are not touched."""
    crashed, tester = connect(server), connect(server)
    crashed.run("1")
    left = crashed.session_id
    crashed.remote.detach()
    tester.run("1")
    own = tester.session_id
    elsewhere = Record(id="e", notebook_id="n", base_url="https://example.org")
    tester.records.save(elsewhere)
    assert set(tester.remote.stop_all()) == {left, own}
    assert tester.records.all() == [elsewhere]


def test_failure_to_stop_one_of_all_is_told(tester: Tester) -> None:
    """The session stays recorded, so that it can be stopped later."""
    tester.run("1")
    session_id = tester.session_id
    fault = tester.fault("", "status", method="DELETE", status=403)
    tester.remote.detach()
    with pytest.raises(SessionError, match=f"1 of 1 sessions were not stopped.*{session_id}"):
        tester.remote.stop_all()
    assert [record.id for record in tester.records.all()] == [session_id]
    tester.ask("DELETE", f"/faults/{fault}")
    assert tester.remote.stop_all() == [session_id]


def test_a_session_ends_with_its_server(tester: Tester) -> None:
    """What ran on a server of this computer that is off can be stopped: it is forgotten."""
    gone = Record(id="gone", notebook_id="n", base_url="http://127.0.0.1:9", state="idle")
    tester.records.save(gone)
    settings = Settings(token=Secret("t"), base_url=gone.base_url)
    asyncio.run(inventory.stop(settings, tester.records, "gone"))
    assert tester.records.load("gone") is None


def test_state_of_an_unreachable_session_is_unknown(tester: Tester) -> None:
    """A server in trouble does not mean that its sessions have ended."""
    tester.run("1")
    tester.fault("status", "status", status=403)
    assert [record.state for record in tester.remote.sessions()] == ["unknown"]


def test_start_in_trouble_does_not_forget_the_session(tester: Tester) -> None:
    """A session whose state cannot be asked may well run: no other is started beside it."""
    tester.run("x = 1")
    tester.fault("status", "status", status=403, ordinals=[1])
    with pytest.raises(PermissionDeniedError):
        tester.remote.start()
    assert tester.value("x") == "1"


def test_restart_of_an_ended_session_starts_another(tester: Tester) -> None:
    """Whoever asks for an empty namespace gets one."""
    tester.run("x = 1")
    tester.ask("POST", f"/faults/sessions/{tester.session_id}/expire_session")
    tester.remote.restart(tester.lines.append)
    assert tester.reply("x")["ename"] == "NameError"


def test_restart_in_trouble_is_told(tester: Tester) -> None:
    """A restart that was refused leaves the session as it was."""
    tester.run("x = 1")
    tester.fault("execute", "status", status=403, ordinals=[1])
    with pytest.raises(PermissionDeniedError):
        tester.remote.restart()
    assert tester.value("x") == "1"


def test_unknown_session_cannot_be_stopped(tester: Tester) -> None:
    """A mistyped id is told."""
    with pytest.raises(UnknownNameError, match="%deepnote sessions"):
        tester.remote.stop_recorded("nowhere")


def test_session_of_another_server_cannot_be_stopped(tester: Tester) -> None:
    """The token is not sent to an address that the settings do not name."""
    tester.records.save(Record(id="e", notebook_id="n", base_url="https://example.org"))
    with pytest.raises(SessionError, match="DEEPNOTE_BASE_URL"):
        tester.remote.stop_recorded("e")


def test_pending_session_can_only_be_forgotten(tester: Tester) -> None:
    """A session whose id was never learned is listed, until the person has dealt with it."""
    pending = Record.pending("x", notebook_id="n", base_url=tester.server.url, owner="")
    tester.records.save(pending)
    assert tester.remote.sessions() == [pending]
    tester.remote.stop_recorded(pending.id)
    assert tester.records.all() == []

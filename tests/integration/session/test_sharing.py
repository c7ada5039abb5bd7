"""Notebooks that share a session: who joins which, and when its machine stops."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.errors import (
    DeepnoteError,
    PermissionDeniedError,
    SessionError,
    SessionGoneError,
)
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Server
    from tests.integration.session.conftest import Tester


@pytest.fixture
def pair(server: Server) -> tuple[str, str]:
    """The ids of two notebooks of one project, the second with a variable."""
    with server.client() as client:
        first = server.new_notebook()
        project_id = client.get(f"/v2/notebooks/{first}").json()["notebook"]["projectId"]
        body = {"projectId": project_id, "name": "Second"}
        second: str = client.post("/v2/notebooks", json=body).json()["notebook"]["id"]
        block = {"notebookId": second, "type": "code", "content": "ran = 'yes'"}
        client.post("/v2/blocks", json=block).raise_for_status()
    return first, second


@pytest.fixture
def join(
    server: Server, connect: Callable[..., Tester], pair: tuple[str, str]
) -> Callable[..., Tester]:
    """Make testers that share: ``join(0)`` for the first notebook of the pair."""

    def make(number: int, **settings: object) -> Tester:
        chosen = {"share_session": True, "notebook_id": pair[number]}
        return connect(server, **(chosen | settings))

    return make


# Joining


@pytest.mark.parametrize("mode", ["direct", "live"])
def test_a_second_notebook_of_the_project_joins(join: Callable[..., Tester], mode: str) -> None:
    """Both are in one session with a kernel each, in the state that a start would leave."""
    first, second = join(0, mode=mode), join(1, mode=mode)
    first.run("x = 1")
    assert second.value("ran") == "'yes'"
    assert second.reply("x")["ename"] == "NameError"
    assert second.session_id == first.session_id
    assert second.lines[0] == "joining another notebook's machine"


def test_only_who_shares_joins(join: Callable[..., Tester]) -> None:
    """By default each notebook has a machine of its own."""
    first, second = join(0), join(1, share_session=False)
    first.remote.start()
    second.remote.start()
    assert second.session_id != first.session_id


def test_the_files_are_shared(join: Callable[..., Tester]) -> None:
    """What one writes, the other reads."""
    first, second = join(0), join(1)
    first.run("open('pear.txt', 'w').write('green')")
    assert second.value("open('pear.txt').read()") == "'green'"


def test_notebooks_that_start_at_once_start_one_machine(join: Callable[..., Tester]) -> None:
    """Whoever comes second waits for the first."""
    both = [join(0), join(1)]
    threads = [threading.Thread(target=tester.remote.start) for tester in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert both[0].session_id == both[1].session_id


def test_another_project_has_its_own_machine(join: Callable[..., Tester], server: Server) -> None:
    """A session holds notebooks of one project only."""
    first, other = join(0), join(1, notebook_id=server.new_notebook())
    first.remote.start()
    other.remote.start()
    assert other.session_id != first.session_id


def test_rights_to_the_storage_are_not_widened(join: Callable[..., Tester]) -> None:
    """Who must not write to the project's files joins nobody who may."""
    first, second = join(0), join(1, storage_mode="readonly")
    first.remote.start()
    second.remote.start()
    assert second.session_id != first.session_id


def test_one_notebook_twice_is_two_machines(join: Callable[..., Tester]) -> None:
    """A session has one kernel for a notebook; two users of it would disturb each other."""
    first, second = join(0), join(0)
    first.run("x = 1")
    assert second.reply("x")["ename"] == "NameError"
    assert second.session_id != first.session_id


def test_scratch_notebooks_share_a_machine(server: Server, connect: Callable[..., Tester]) -> None:
    """Who names no notebook gets another empty one in the same session."""
    first, second = (connect(server, share_session=True) for _ in range(2))
    first.run("x = 1")
    assert second.reply("x")["ename"] == "NameError"
    assert second.session_id == first.session_id
    notebooks = {tester.remote.status().notebook_id for tester in (first, second)}
    assert len(notebooks) == 2


def test_a_session_left_running_is_joined_with_an_empty_namespace(
    join: Callable[..., Tester],
) -> None:
    """A machine that somebody has left running serves, but their variables are not found."""
    first, second = join(0, mode="live"), join(0, mode="live")
    first.run("x = 1")
    session_id = first.session_id
    first.remote.detach()
    assert second.reply("x")["ename"] == "NameError"
    assert second.session_id == session_id


def test_a_session_that_has_ended_is_not_joined(join: Callable[..., Tester]) -> None:
    """What is recorded may be gone; then another machine is started."""
    first, second = join(0), join(1)
    first.remote.start()
    gone = first.session_id
    first.ask("POST", f"/faults/sessions/{gone}/expire_session")
    second.remote.start()
    assert second.session_id != gone


def test_a_session_that_refuses_the_notebook_is_not_joined(join: Callable[..., Tester]) -> None:
    """That a session takes any notebook of its project is not promised; then each has its own."""
    first, second = join(0), join(1, mode="live")
    first.run("x = 1")
    first.fault("execute", "status", status=404, ordinals=[1])
    second.remote.start(second.lines.append)
    assert second.session_id != first.session_id
    assert [user.notebook_id for user in first.remote.users(first.session_id)] == [
        first.remote.settings.notebook_id
    ]
    assert first.value("x") == "1"


def test_an_attachment_that_fails_leaves_the_record_as_it_was(join: Callable[..., Tester]) -> None:
    """Nobody counts as a user of what could not be connected to."""
    first, second = join(0), join(1, mode="live")
    first.remote.start()
    before = first.records.all()
    first.fault("execute", "status", status=403, ordinals=[1])
    with pytest.raises(PermissionDeniedError):
        second.remote.attach(first.session_id)
    assert first.records.all() == before


def test_a_notebook_that_cannot_be_run_joins_all_the_same(join: Callable[..., Tester]) -> None:
    """No page of Deepnote's promises that runs inside a session work."""
    first, second = join(0), join(1)
    first.remote.start()
    first.fault("runs", "status", status=400)
    second.remote.start(second.lines.append)
    assert second.session_id == first.session_id
    assert any(line.startswith("the notebook was not run") for line in second.lines)


# Attaching


def test_attaching_beside_another_kernel(
    join: Callable[..., Tester], pair: tuple[str, str]
) -> None:
    """Who names another notebook of the project shares the session, whatever is configured."""
    first, second = join(0), join(0, share_session=False)
    first.run("x = 1")
    second.remote.attach(first.session_id, notebook_id=pair[1])
    assert second.reply("x")["ename"] == "NameError"
    assert first.value("x") == "1"


def test_attaching_uses_ones_own_notebook(join: Callable[..., Tester]) -> None:
    """Where the recorded notebook is in use, the one of the settings is taken."""
    first, second = join(0), join(1, share_session=False)
    first.run("x = 1")
    second.remote.attach(first.session_id)
    assert second.reply("x")["ename"] == "NameError"


def test_a_kernel_in_use_is_not_taken_away(join: Callable[..., Tester]) -> None:
    """The error names the session, who uses it, and how to join."""
    first, second = join(0, document="a.ipynb"), join(0)
    first.remote.start()
    with pytest.raises(SessionError, match=r"a\.ipynb.*--notebook NOTEBOOK"):
        second.remote.attach(first.session_id)


def test_a_notebook_of_another_project_cannot_be_attached(
    join: Callable[..., Tester], server: Server
) -> None:
    """The session has no such notebook, and does not count as ended for it."""
    first, second = join(0), join(1)
    first.run("x = 1")
    with pytest.raises(SessionError, match="has no notebook"):
        second.remote.attach(first.session_id, notebook_id=server.new_notebook())
    assert first.value("x") == "1"


# Leaving


@pytest.mark.parametrize("mode", ["direct", "live"])
def test_the_last_to_leave_stops_the_machine(join: Callable[..., Tester], mode: str) -> None:
    """Whoever started it may leave first."""
    first, second = join(0, mode=mode), join(1, mode=mode)
    first.run("x = 1")
    second.run("y = 2")
    session_id = first.session_id
    first.remote.close(timeout_s=10)
    assert second.value("y") == "2"
    assert [record.id for record in second.records.all()] == [session_id]
    second.remote.close(timeout_s=10)
    assert session_id not in second.session_ids_at_server()
    assert second.records.all() == []


def test_who_leaves_takes_their_variables_along(
    join: Callable[..., Tester], pair: tuple[str, str]
) -> None:
    """The machine's memory is for those who stay."""
    first, second = join(0, mode="live"), join(1)
    first.run("x = 1")
    second.remote.start()
    session_id = first.session_id
    first.remote.close(timeout_s=10)
    third = join(0)
    third.remote.attach(session_id, notebook_id=pair[0])

    def is_empty() -> bool:
        with contextlib.suppress(DeepnoteError):  # the process is being replaced
            return third.reply("x").get("ename") == "NameError"
        return False

    wait_until(is_empty)


def test_a_crashed_kernel_keeps_no_machine(join: Callable[..., Tester]) -> None:
    """Who has died does not count, nor is anybody asked about them."""
    first, second = join(0), join(1)
    first.remote.start()
    second.remote.start()
    session_id = second.session_id
    first.remote._records.release()  # as the system does when a process ends
    assert [user.notebook_id for user in second.remote.users(session_id)] == [
        second.remote.settings.notebook_id
    ]
    second.remote.close(timeout_s=10)
    assert session_id not in second.session_ids_at_server()


def test_a_machine_left_running_on_purpose_stays(join: Callable[..., Tester]) -> None:
    """Who has detached wants to come back."""
    first, second = join(0), join(1)
    first.run("x = 1")
    second.remote.start()
    session_id = first.session_id
    first.remote.detach()
    second.remote.close(timeout_s=10)
    assert [record.state for record in first.remote.sessions()] == ["idle"]
    first.remote.attach(session_id)
    assert first.value("x") == "1"


def test_stop_is_for_all(join: Callable[..., Tester]) -> None:
    """The others learn of it from their next cell."""
    first, second = join(0), join(1)
    first.remote.start()
    second.remote.start()
    first.remote.stop()
    with pytest.raises(SessionGoneError):
        second.run("1")
    assert second.records.all() == []


# Beside each other


def test_interrupt_and_restart_are_ones_own(join: Callable[..., Tester]) -> None:
    """What happens to one kernel does not touch the other's cell."""
    first, second = join(0, mode="live"), join(1, mode="live")
    first.run("x = 1")
    replies: list[str] = []
    sleep = "import time; time.sleep(100)"
    thread = threading.Thread(target=lambda: replies.append(first.reply(sleep)["ename"]))
    thread.start()
    wait_until(lambda: first.remote.status().state == "busy")
    second.run("y = 2")
    second.remote.restart()
    assert second.reply("y")["ename"] == "NameError"
    second.remote.interrupt()
    assert replies == []
    first.remote.interrupt()
    thread.join()
    assert replies == ["KeyboardInterrupt"]
    assert first.value("x") == "1"


def test_a_restart_that_fails_leaves_the_others_alone(join: Callable[..., Tester]) -> None:
    """The session that takes the place of a stuck kernel is another one."""
    first, second = join(0), join(1)
    first.run("x = 1")
    second.remote.start()
    shared = second.session_id
    second.fault("execute", "status", status=409, ordinals=[1])
    second.remote.restart(second.lines.append)
    assert second.session_id != shared
    assert first.value("x") == "1"


def test_status_tells_who_shares(join: Callable[..., Tester]) -> None:
    """By the name of their notebooks, where those are known."""
    first, second = join(0, document="work/a.ipynb"), join(1)
    first.remote.start()
    assert "Shared with" not in first.remote.status().details
    second.remote.start()
    assert second.remote.status().details["Shared with"] == "work/a.ipynb"
    assert first.remote.status().details["Shared with"] == second.remote.settings.notebook_id

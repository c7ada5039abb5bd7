"""The façade over a session that does as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.config import Settings
from deepnote_kernel.errors import SessionError
from deepnote_kernel.outputs import Message
from deepnote_kernel.session.protocol import Cell, Reply, Session, Status
from deepnote_kernel.session.record import HANDED_OVER, Record, Records
from deepnote_kernel.session.remote import Remote

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from deepnote_kernel.session.protocol import Event

CELL = Cell(id="c1", code="1")
COMM = Message(msg_type="comm_msg", content={"comm_id": "k"}, buffers=[b"x"])


class ScriptedSession(Session):
    """A place where cells run that remembers what it was asked and does what the test says."""

    settings = Settings()
    session_id = "s1"
    notebook_id = "nb1"

    def __init__(self) -> None:
        self.on_message = None
        self.asked: list[Any] = []
        self.script: list[Event | Exception] = [Reply(content={"status": "ok"})]

    async def run(self, cell: Cell) -> AsyncIterator[Event]:
        """Yield or raise what the script says."""
        self.asked.append(cell)
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            yield step

    async def answer(self, text: str) -> None:
        """Remember the line."""
        self.asked.append(text)

    async def interrupt(self) -> None:
        """Remember the interrupt."""
        self.asked.append("interrupt")

    async def complete(self, code: str, cursor_pos: int) -> dict[str, Any]:
        """Fail, as a session in trouble does."""
        raise SessionError(f"no completion of {code} at {cursor_pos}")

    async def inspect(self, code: str, cursor_pos: int, detail_level: int = 0) -> dict[str, Any]:
        """Fail, as a session in trouble does."""
        raise SessionError(f"no inspection of {code} at {cursor_pos}, level {detail_level}")

    async def send_comm(self, message: Message) -> None:
        """Remember the message."""
        self.asked.append(message)

    async def comm_info(self, target_name: str = "") -> dict[str, Any]:
        """Return one comm of the target asked for."""
        return {"status": "ok", "comms": {"k": {"target_name": target_name}}}

    async def restart(self) -> None:
        """Remember the restart."""
        self.asked.append("restart")

    async def status(self) -> Status:
        """Return that nothing runs."""
        return Status(session_id="s1", notebook_id="nb1", state="idle", mode="live", where="here")

    @property
    def has_left_cell(self) -> bool:
        """Nothing was left running."""
        return False

    def follow(self) -> AsyncIterator[Event]:
        """Do as a cell does that was left running."""
        return self.run(CELL)

    async def hand_over(self) -> dict[str, Any]:
        """Have nothing to hand over."""
        return {}

    async def take_over(self, handed_over: dict[str, Any]) -> None:
        """Remember what was handed over."""
        self.asked.append(handed_over)

    async def detach(self) -> None:
        """Remember the detaching."""
        self.asked.append("detach")

    async def stop(self) -> None:
        """Remember the stop."""
        self.asked.append("stop")


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    """A remote without a session."""
    remote = Remote(Settings(), records=Records(tmp_path))
    yield remote
    remote.close()


@pytest.fixture
def session(remote: Remote) -> ScriptedSession:
    """The session that the remote holds."""
    session = ScriptedSession()
    remote._keeper.session = session
    return session


def test_events_are_the_sessions(remote: Remote, session: ScriptedSession) -> None:
    """What the session yields arrives in order, up to the reply."""
    session.script = [COMM, Reply(content={"status": "ok"})]
    assert list(remote.events(CELL)) == session.script
    assert session.asked == [CELL]


def test_session_that_ends_a_cell_without_a_reply_is_an_error(
    remote: Remote, session: ScriptedSession
) -> None:
    """Nobody waits for ever for a reply that does not come."""
    session.script = [COMM]
    with pytest.raises(SessionError, match="without a reply"):
        list(remote.events(CELL))


@pytest.mark.parametrize("error", [SessionError("no"), ValueError("a mistake of ours")])
def test_errors_reach_the_caller(
    remote: Remote, session: ScriptedSession, error: Exception
) -> None:
    """Errors are raised where the cell was asked for, expected ones and others."""
    session.script = [error]
    with pytest.raises(type(error), match=str(error)):
        list(remote.events(CELL))


def test_answers_and_comms_reach_the_session(remote: Remote, session: ScriptedSession) -> None:
    """What the front end sends is passed on, buffers included."""
    remote.answer("a line")
    remote.send_comm(COMM)
    remote.interrupt()
    assert session.asked == ["a line", COMM, "interrupt"]


def test_open_comms_are_the_sessions(remote: Remote, session: ScriptedSession) -> None:
    """The target asked about is passed on."""
    assert remote.comm_info("jupyter.widget")["comms"] == {"k": {"target_name": "jupyter.widget"}}


def test_questions_that_fail_are_answered_with_nothing(
    remote: Remote, session: ScriptedSession
) -> None:
    """An editor's questions never raise."""
    assert remote.complete("x", 1)["matches"] == []
    assert remote.inspect("x", 1)["found"] is False


def test_late_messages_are_delivered(remote: Remote) -> None:
    """What arrives while no cell runs goes to whoever takes it, or nowhere."""
    heard: list[Message] = []
    remote._deliver(COMM)
    remote.on_message = heard.append
    remote._deliver(COMM)
    assert heard == [COMM]


def test_restart_and_stop_reach_the_session(remote: Remote, session: ScriptedSession) -> None:
    """Both are the session's to carry out; after the stop none is held."""
    remote.restart()
    remote.stop()
    assert session.asked == ["restart", "stop"]
    assert remote.session is None


def test_detached_session_is_not_stopped(remote: Remote, session: ScriptedSession) -> None:
    """Closing a remote that has let go of its session leaves that running."""
    remote.detach()
    remote.close()
    assert session.asked == ["detach"]


def test_without_a_session_there_is_nobody_to_talk_to(remote: Remote) -> None:
    """An answer or a comm message without a session says how to get one."""
    with pytest.raises(SessionError, match="%deepnote start"):
        remote.answer("a line")
    with pytest.raises(SessionError, match="%deepnote start"):
        remote.send_comm(COMM)


def test_without_a_session_there_is_nothing_to_end(remote: Remote) -> None:
    """Ending what never began starts no thread."""
    remote.interrupt()
    remote.detach()
    remote.stop()
    remote.close()
    assert not remote._io.is_running


def test_status_without_a_session_says_where_it_would_be(remote: Remote) -> None:
    """The settings are shown as what the next session will use."""
    remote.use(notebook_id="nb7", mode="direct")
    assert remote.status() == Status(
        session_id="",
        notebook_id="nb7",
        state="not started",
        mode="direct",
        where="https://api.deepnote.com",
    )


@pytest.mark.parametrize(("owner", "is_left"), [("kernel-1.json", True), ("kernel-2.json", False)])
def test_a_left_session_is_its_owners(tmp_path: Path, owner: str, *, is_left: bool) -> None:
    """A kernel that has restarted takes its own session over, and asks for no notebook."""
    records = Records(tmp_path)
    records.save(
        Record(
            id="s1",
            notebook_id="nb1",
            base_url="https://api.deepnote.com",
            owner="kernel-1.json",
            state=HANDED_OVER,
        )
    )
    assert Remote(Settings(), owner=owner, records=records).has_left_session is is_left

"""How many requests cells cost: one for a trivial cell, and never more a minute than was agreed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.config import Secret, Settings
from deepnote_kernel.session.protocol import Cell, Message, Reply
from deepnote_kernel.session.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.integration.conftest import Server

CALLS_PER_MINUTE = 30

QUIET = "import time; time.sleep(5)"
CHATTY = """
import time
for i in range(300):
    print(i)
    time.sleep(0.02)
"""
WIDGETS = """
import time
from comm import create_comm
progress = create_comm(target_name="progress")
for i in range(300):
    progress.send({"text": str(i)})
    time.sleep(0.02)
progress.close()
"""


class Session:
    """A live session with a small budget, and a count of what it asks the server."""

    def __init__(self, server: Server, faults: httpx.Client) -> None:
        self.remote = Remote(
            Settings(
                base_url=server.url,
                token=Secret(server.token),
                notebook_id=server.new_notebook(),
                calls_per_minute=CALLS_PER_MINUTE,
            )
        )
        self.faults = faults
        self.cells = 0

    def run(self, code: str, **options: Any) -> list[Message | Reply]:
        """Run a cell; return its messages and its reply."""
        self.cells += 1
        cell = Cell(id=f"cell {self.cells}", code=code, **options)
        events = list(self.remote.events(cell))
        return [event for event in events if isinstance(event, Message | Reply)]

    def add_fault(self, **fault: Any) -> Callable[[], dict[str, Any]]:
        """Put a fault in force; return what reports on it."""
        answer = self.faults.post("/faults", json=fault).raise_for_status().json()
        name = answer["fault"]["id"]

        def report() -> dict[str, Any]:
            faults = self.faults.get("/faults").json()["faults"]
            return next(dict(fault) for fault in faults if fault["id"] == name)

        return report

    def count(self, path: str = "*/execute") -> Callable[[], int]:
        """Count the requests from now on; return what tells their number."""
        report = self.add_fault(path=path, effect="count")
        return lambda: int(report()["matched"])


@pytest.fixture(scope="module")
def shared(server: Server) -> Iterator[Session]:
    """A session for all tests of the module."""
    with server.client() as faults:
        session = Session(server, faults)
        session.remote.start()
        try:
            yield session
        finally:
            session.remote.close()


@pytest.fixture
def session(shared: Session) -> Iterator[Session]:
    """The session; nothing is counted any more afterwards."""
    yield shared
    shared.remote.on_message = None
    shared.faults.delete("/faults").raise_for_status()


def text(events: list[Message | Reply]) -> str:
    """Return what was printed."""
    messages = [event for event in events if isinstance(event, Message)]
    return "".join(m.content["text"] for m in messages if m.msg_type == "stream")


def test_cells_are_counted_from_one(server: Server) -> None:
    """What the relay ran to get there does not count."""
    with server.client() as faults:
        session = Session(server, faults)
        try:
            reply = session.run("1 + 1")[-1]
        finally:
            session.remote.close()
    assert reply.content["execution_count"] == 1


@pytest.mark.parametrize(
    "code", ["1 + 1", "print('x')", "x = 5", "1 / 0", "%who", "", "import os; os.system('echo x')"]
)
def test_trivial_cell_costs_one_request(code: str, session: Session) -> None:
    """The call that brings the cell takes its outputs and its reply home.

    On a machine that is held up between the two, it takes a second one: never more.
    """
    counts: list[int] = []
    while 1 not in counts:
        assert len(counts) < 20
        count = session.count("*")
        session.run(code)
        counts.append(count())
        assert counts[-1] in {1, 2}


def texts(events: list[Message | Reply]) -> list[str]:
    """Return the lines that were printed."""
    return text(events).splitlines()


def comm_data(events: list[Message | Reply]) -> list[str]:
    """Return what was sent over comms."""
    messages = [event for event in events if isinstance(event, Message)]
    return [m.content["data"]["text"] for m in messages if m.msg_type == "comm_msg"]


@pytest.mark.parametrize(
    ("code", "shown"), [(CHATTY, texts), (WIDGETS, comm_data)], ids=["chatty", "widgets"]
)
def test_cell_stays_within_the_budget(
    code: str, shown: Callable[[list[Message | Reply]], list[str]], session: Session
) -> None:
    """A third of a minute's calls may go at once, the rest evenly, and all outputs are there."""
    count = session.count("*")
    begin = time.monotonic()
    events = session.run(code)
    elapsed_s = time.monotonic() - begin
    polls = count() - 1
    assert 1 <= polls <= CALLS_PER_MINUTE * (1 / 3 + 2 / 3 * elapsed_s / 60)
    assert shown(events) == [str(i) for i in range(300)]


def test_quiet_cell_costs_one_request_in_twenty_seconds(session: Session) -> None:
    """As long as nothing comes, one call waits on the far side."""
    count = session.count("*")
    session.run(QUIET)
    assert count() == 1


def test_server_that_limits_every_call_costs_only_time(session: Session) -> None:
    """Each call is refused once, obeys the wait it is told, and the cell notices nothing."""
    refusals = session.add_fault(
        path="*/execute",
        effect="status",
        status=429,
        retryAfter=1,
        ordinals=list(range(1, 100, 2)),
    )
    begin = time.monotonic()
    events = session.run("import time\nfor i in range(3):\n    print(i)\n    time.sleep(0.3)\ni")
    elapsed_s = time.monotonic() - begin
    assert text(events) == "0\n1\n2\n"
    assert events[-1].content["status"] == "ok"
    report = refusals()
    assert report["applied"] >= 2
    assert report["matched"] == 2 * report["applied"]
    assert elapsed_s >= report["applied"]


def test_idle_session_makes_no_requests(session: Session) -> None:
    """Between cells there is nothing to ask for."""
    session.run("pass")
    count = session.count("*")
    end = time.monotonic() + 3
    while time.monotonic() < end:
        assert count() == 0


def test_session_with_a_thread_is_looked_at(session: Session) -> None:
    """What a thread prints after its cell has ended arrives without another cell."""
    heard: list[Message] = []
    session.remote.on_message = heard.append
    session.run(
        "import threading, time\n"
        "def work():\n    time.sleep(1)\n    print('late')\n"
        "thread = threading.Thread(target=work)\nthread.start()"
    )
    deadline = time.monotonic() + 20
    while not heard:
        assert time.monotonic() < deadline, "the thread was not heard"
        time.sleep(0.01)
    assert heard[0].content["text"] == "late\n"

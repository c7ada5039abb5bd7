"""How a session comes to be, and that none is left running or forgotten on the way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from deepnote_kernel.config import Settings
from deepnote_kernel.errors import (
    ConfigError,
    ConnectionFailedError,
    DeepnoteError,
    NotFoundError,
    ServerError,
    SessionGoneError,
    SessionStartError,
)
from deepnote_kernel.session.lifecycle import Lifecycle
from deepnote_kernel.session.record import Record, Records

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from deepnote_kernel.session.protocol import Session
    from tests.unit.session.conftest import Api

SETTINGS = Settings(notebook_id="nb1", mode="direct")
GONE = httpx.Response(404, json={"message": "Session not found"})
CREATED = httpx.Response(
    202,
    json={
        "session": {"id": "s1", "notebookId": "nb1", "sessionNotebookId": "copy1"},
        "run": {"runId": "r1", "status": "pending"},
    },
)


def run(status: str) -> httpx.Response:
    """Answer a question about the first run."""
    return httpx.Response(200, json={"run": {"runId": "r1", "status": status}})


class Start:
    """Starts sessions on a scripted server, and keeps what was said and recorded."""

    def __init__(self, api: Api, folder: Path) -> None:
        self.api = api
        self.records = Records(folder)
        self.lines: list[str] = []
        api.on("POST sessions", CREATED)
        api.on("GET r1", run("success"))

    def start(self, settings: Settings = SETTINGS) -> Session:
        """Start a session."""
        session: Session = self.use(lambda lifecycle: lifecycle.start(), settings)
        return session

    def attach(self, session_id: str) -> Session:
        """Take over a session."""
        session: Session = self.use(lambda lifecycle: lifecycle.attach(session_id))
        return session

    def use(
        self,
        use: Callable[[Lifecycle], Awaitable[Any]],
        settings: Settings = SETTINGS,
        **options: Any,
    ) -> Any:
        """Run a coroutine function on a life cycle."""
        given: dict[str, Any] = {"owner": "k.json", "progress": self.lines.append, **options}
        return self.api.run(lambda client: use(Lifecycle(client, settings, self.records, **given)))

    @property
    def recorded(self) -> list[tuple[str, str]]:
        """Id and state of each record; the id of a pending one cut to that word."""
        records = self.records.all()
        return [("pending" if r.is_pending else r.id, r.state) for r in records]


@pytest.fixture
def world(api: Api, tmp_path: Path) -> Start:
    """A server that starts a session at once."""
    return Start(api, tmp_path)


def test_session_is_created_waited_for_and_recorded(world: Start) -> None:
    """A start creates, waits for the first run, and leaves one record."""
    session = world.start()
    assert (session.session_id, session.notebook_id) == ("s1", "nb1")
    assert world.api.routes == ["POST sessions", "GET r1", "GET status"]
    assert world.recorded == [("s1", "ready")]


def test_record_says_whose_and_where(world: Start) -> None:
    """The record holds what a later process needs, and no token."""
    world.start()
    [record] = world.records.all()
    assert (record.notebook_id, record.base_url, record.owner) == (
        "nb1",
        "https://api.deepnote.com",
        "k.json",
    )


def test_progress_follows_the_first_run(world: Start) -> None:
    """Each stage is told once, in words for people."""
    world.api.on("GET r1", run("pending"), run("running"), run("running"), run("success"))
    world.start()
    assert world.lines == ["machine starting", "running the notebook", "ready"]


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({}, {"storageMode": "read_write"}),
        ({"storage_mode": "readonly"}, {"storageMode": "readonly"}),
        ({"idle_shutdown_s": 1800}, {"storageMode": "read_write", "idleShutdownSeconds": 1800}),
    ],
)
def test_settings_reach_the_server(
    world: Start, changes: dict[str, Any], sent: dict[str, Any]
) -> None:
    """The idle limit is sent only where it is set: its range is not documented."""
    world.start(SETTINGS.replace(**changes))
    assert world.api.bodies("POST sessions") == [{"notebookId": "nb1", **sent}]


def test_refused_idle_limit_is_left_out(world: Start) -> None:
    """A session without the limit is better than none; the server's words are passed on."""
    refusal = world.api.refusal(400, "idleShutdownSeconds must be at least 60")
    world.api.on("POST sessions", refusal, CREATED)
    world.start(SETTINGS.replace(idle_shutdown_s=5))
    assert "idleShutdownSeconds" not in world.api.bodies("POST sessions")[1]
    assert "no idle limit: idleShutdownSeconds must be at least 60" in world.lines


def test_no_notebook_is_an_error_before_anything_is_sent(world: Start) -> None:
    """The one line names each way to give one."""
    with pytest.raises(ConfigError, match=r"%deepnote start.*DEEPNOTE_NOTEBOOK_ID"):
        world.start(Settings(mode="direct"))
    assert (world.api.routes, world.recorded) == ([], [])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(404, json={"message": "Notebook not found"}), NotFoundError),
        (httpx.Response(400, json={"message": "bad"}), DeepnoteError),
        (httpx.ConnectError("refused"), ConnectionFailedError),
    ],
)
def test_refused_session_leaves_no_record(
    world: Start, answer: httpx.Response | Exception, error: type[DeepnoteError]
) -> None:
    """What was surely not created need not be remembered."""
    world.api.on("POST sessions", answer)
    with pytest.raises(error):
        world.start()
    assert world.recorded == []


@pytest.mark.parametrize("answer", [httpx.Response(502, html="<html>"), httpx.ReadError("reset")])
def test_session_that_may_exist_stays_recorded(
    world: Start, answer: httpx.Response | Exception
) -> None:
    """A lost answer may have started a machine; the record keeps the trace of it."""
    world.api.on("POST sessions", answer)
    with pytest.raises(DeepnoteError):
        world.start()
    assert world.recorded == [("pending", "starting")]


def test_failed_first_run_is_not_fatal(world: Start) -> None:
    """A notebook whose cell raises leaves a kernel that works; that is tried, and told."""
    busy = world.api.refusal(409, "Notebook is busy with a tracked run")
    world.api.on("GET r1", run("error"))
    world.api.on("POST execute", busy, world.api.outputs())
    world.start()
    assert world.api.routes.count("POST execute") == 2
    assert "the notebook's first run ended with status error" in world.lines


def test_kernel_that_stays_away_is_told(world: Start) -> None:
    """A first run that failed together with its kernel ends the start, and the session."""
    world.api.on("GET r1", run("internal_error"))
    world.api.on("POST execute", world.api.refusal(409, "Session kernel is unavailable"))
    with pytest.raises(SessionStartError, match=r"did not come up.*--scratch"):
        world.use(lambda lifecycle: lifecycle.start(), kernel_limit_s=0.2)
    assert world.api.routes[-1] == "DELETE s1"


def test_unknown_run_is_not_waited_for(world: Start) -> None:
    """A server that names no run, or forgets it, is waited for when the first cell comes."""
    world.api.on("GET r1", httpx.Response(404, json={"message": "Run not found"}))
    assert world.start().session_id == "s1"
    world.api.on("POST sessions", httpx.Response(202, json={"session": {"id": "s2"}}))
    assert world.start().session_id == "s2"


def test_copy_stands_in_where_the_source_is_not_known(world: Start) -> None:
    """Servers may address the session's kernel by the copy of the notebook."""
    world.api.on("GET status", GONE)
    assert world.start().notebook_id == "copy1"
    assert world.records.all()[0].notebook_id == "copy1"


def test_session_without_copy_that_is_not_known_is_stopped(world: Start) -> None:
    """Where neither id answers, the start has failed."""
    world.api.on("POST sessions", httpx.Response(202, json={"session": {"id": "s1"}}))
    world.api.on("GET status", GONE)
    with pytest.raises(NotFoundError):
        world.start()
    assert "DELETE s1" in world.api.routes


def test_start_that_takes_too_long_is_stopped_again(world: Start) -> None:
    """A machine that never gets ready is not left to cost money."""
    world.api.on("GET r1", run("pending"))
    with pytest.raises(SessionStartError, match=r"not ready after 0.2 s .*DEEPNOTE_START_TIMEOUT"):
        world.start(SETTINGS.replace(start_timeout_s=0.2))
    assert world.api.routes[-1] == "DELETE s1"
    assert world.recorded == []


def test_failure_while_waiting_stops_the_session(world: Start) -> None:
    """Whatever goes wrong before the session is ready, it is stopped."""
    world.api.on("GET r1", httpx.Response(403, json={"message": "no"}))
    with pytest.raises(DeepnoteError, match="no"):
        world.start()
    assert world.api.routes[-1] == "DELETE s1"
    assert world.recorded == []


def test_session_that_cannot_be_stopped_stays_recorded(world: Start) -> None:
    """Where even the stop fails, the record remains to stop it later."""
    world.api.on("GET r1", httpx.Response(403, json={"message": "no"}))
    world.api.on("DELETE s1", httpx.Response(500, json={"message": "down"}))
    with pytest.raises(DeepnoteError, match="no"):
        world.start()
    assert world.recorded == [("s1", "starting")]


@pytest.mark.parametrize("route", ["POST sessions", "GET r1"])
def test_cancelled_start_is_stopped_again(world: Start, route: str) -> None:
    """Wherever a start is given up, also before its id is known, the session is stopped."""

    async def use(lifecycle: Lifecycle) -> None:
        gate = world.api.hold(route)
        starting = asyncio.ensure_future(lifecycle.start())
        await world.api.has_been_asked(route)
        starting.cancel()
        asyncio.get_running_loop().call_soon(gate.set)
        with pytest.raises(asyncio.CancelledError):
            await starting

    world.use(use)
    assert world.api.routes[-1] == "DELETE s1"
    assert world.recorded == []


def test_attaching_takes_over_the_record(world: Start) -> None:
    """A session that another process has left changes its owner and keeps its notebook."""
    record = Record(id="s7", notebook_id="nb7", base_url=SETTINGS.base_url, owner="old.json")
    world.records.save(record)
    session = world.attach("s7")
    assert (session.session_id, session.notebook_id) == ("s7", "nb7")
    user = {"owner": "k.json", "holder": world.records.hold()}
    assert world.records.all() == [msgspec.structs.replace(record, state="ready", **user)]


def test_attaching_without_a_record_uses_the_settings(world: Start) -> None:
    """A session started on another computer can be attached to by its id."""
    assert world.attach("s8").notebook_id == "nb1"
    assert world.records.all()[0].id == "s8"


@pytest.mark.parametrize("notebook_id", ["", "scratch"])
def test_attaching_needs_to_know_the_notebook(world: Start, notebook_id: str) -> None:
    """Each call on a session names its notebook; where nobody knows it, the person must."""
    settings = Settings(mode="direct", notebook_id=notebook_id)
    with pytest.raises(ConfigError, match=r"s8.*DEEPNOTE_NOTEBOOK_ID"):
        world.use(lambda lifecycle: lifecycle.attach("s8"), settings)
    assert world.api.routes == []


def test_attaching_to_what_has_ended_says_so(world: Start) -> None:
    """A session that is gone is forgotten, and the error says what to do."""
    world.records.save(Record(id="s7", notebook_id="nb7", base_url=SETTINGS.base_url))
    world.api.on("GET status", GONE)
    with pytest.raises(SessionGoneError, match="%deepnote start"):
        world.attach("s7")
    assert world.recorded == []


def test_server_error_while_attaching_keeps_the_record(world: Start) -> None:
    """A server in trouble does not mean that the session has ended."""
    record = Record(id="s7", notebook_id="nb7", base_url=SETTINGS.base_url)
    world.records.save(record)
    world.api.on("GET status", httpx.Response(500, json={"message": "down"}))
    with pytest.raises(ServerError):
        world.attach("s7")
    assert world.records.all() == [record]

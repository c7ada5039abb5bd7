"""When scheduled notebooks come due, by a clock that the test sets."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnote_kernel.server.errors import BadRequestError, ConflictError, NotFoundError
from deepnote_kernel.server.execution.schedules import Schedules, next_run
from deepnote_kernel.server.storage.store import (
    Notebook,
    Project,
    Schedule,
    Store,
    new_hex_id,
    new_uuid,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NINE = "0 9 * * *"


def at(text: str) -> float:
    """Return a time in seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("cron", "zone", "after", "due"),
    [
        (NINE, "UTC", "2026-11-20T08:59:59+00:00", "2026-11-20T09:00:00+00:00"),
        (NINE, "UTC", "2026-11-20T09:00:00+00:00", "2026-11-21T09:00:00+00:00"),
        (NINE, "Europe/Prague", "2026-11-20T08:30:00+00:00", "2026-11-21T09:00:00+01:00"),
        ("*/15 * * * *", "UTC", "2026-11-20T09:01:00+00:00", "2026-11-20T09:15:00+00:00"),
        ("0 9 * * 1-5", "UTC", "2026-11-20T10:00:00+00:00", "2026-11-23T09:00:00+00:00"),
        ("0 9 * * MON", "UTC", "2026-11-20T10:00:00+00:00", "2026-11-23T09:00:00+00:00"),
        ("0 0 29 2 *", "UTC", "2026-11-20T10:00:00+00:00", "2028-02-29T00:00:00+00:00"),
        # The clocks go forward over half past two, and back to it a second time.
        ("30 2 * * *", "Europe/Prague", "2027-03-28T00:00:00+01:00", "2027-03-28T03:00:00+02:00"),
        ("30 2 * * *", "Europe/Prague", "2027-10-31T02:30:00+02:00", "2027-11-01T02:30:00+01:00"),
    ],
)
def test_the_next_run_is_where_cron_puts_it(cron: str, zone: str, after: str, due: str) -> None:
    """In the schedule's own time zone, strictly later, also where the clocks change."""
    assert next_run(cron, zone, at(after)) == at(due)


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "0 0 30 2 *",
        "@daily",
        "a b c d e",
        "* * * * 1#2/2",
    ],
)
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    """Four fields or six, values out of range, and dates that never come."""
    with pytest.raises(BadRequestError, match=r"^Invalid cron expression$"):
        next_run(cron, "UTC", 0.0)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../UTC", "/etc/passwd", "Europe", "\0"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    """A name that the database of zones lacks, and whatever only looks like a file of it."""
    with pytest.raises(BadRequestError, match="Invalid timezone"):
        next_run(NINE, zone, 0.0)


@given(
    cron=st.text("0123456789*,-/#LWAMON ", max_size=30) | st.text(max_size=20),
    zone=st.sampled_from(["UTC", "Asia/Kolkata"]) | st.text(max_size=10),
)
def test_any_text_is_a_schedule_or_is_refused(cron: str, zone: str) -> None:
    """Nothing a caller sends makes the server fail."""
    try:
        due_s = next_run(cron, zone, 0.0)
    except BadRequestError:
        return
    assert due_s > 0.0


class Keeper:
    """Schedules over a store in memory, with a clock to be set and a list of what was started."""

    def __init__(self) -> None:
        self.now_s = at("2026-11-20T08:00:00+00:00")
        self.started: list[str] = []
        self.refusal: ConflictError | None = None
        self.store = Store(":memory:")
        self.schedules = Schedules(self.store, self._start, clock=lambda: self.now_s)

    def _start(self, notebook: Notebook) -> None:
        if self.refusal:
            raise self.refusal
        self.started.append(notebook.id)

    def new_notebook(self, project_id: str | None = None) -> Notebook:
        """Return a notebook, in a project of its own unless one is named."""
        times: dict[str, Any] = {"created_at": "", "updated_at": ""}
        if project_id is None:
            project = Project(
                id=new_uuid(), name="P", project_type="standard", is_suspended=False, **times
            )
            self.store.insert(project)
            project_id = project.id
        notebook = Notebook(
            id=new_hex_id(), project_id=project_id, name=new_hex_id(), source_id=None, **times
        )
        self.store.insert(notebook)
        return notebook

    def pass_to(self, text: str) -> None:
        """Set the clock, and look at it."""
        self.now_s = at(text)
        self.schedules.start_due()


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """Give schedules at eight o'clock."""
    keeper = Keeper()
    yield keeper
    keeper.store.close()


def test_a_notebook_starts_when_it_comes_due(keeper: Keeper) -> None:
    """Not before, once, and then again the next time."""
    notebook = keeper.new_notebook()
    keeper.schedules.put(notebook, NINE, "UTC")
    keeper.pass_to("2026-11-20T08:59:59+00:00")
    assert keeper.started == []
    keeper.pass_to("2026-11-20T09:00:00+00:00")
    keeper.pass_to("2026-11-20T09:00:01+00:00")
    assert keeper.started == [notebook.id]
    assert keeper.schedules.get(notebook).next_run_at == "2026-11-21T09:00:00.000Z"
    keeper.pass_to("2026-11-21T09:00:30+00:00")
    assert keeper.started == [notebook.id, notebook.id]


def test_what_was_missed_is_passed_over(keeper: Keeper) -> None:
    """A computer that wakes up late does not make up for its sleep, and keeps the next time."""
    notebook = keeper.new_notebook()
    keeper.schedules.put(notebook, NINE, "UTC")
    keeper.pass_to("2026-11-23T12:00:00+00:00")
    assert keeper.started == []
    assert keeper.schedules.get(notebook).next_run_at == "2026-11-24T09:00:00.000Z"


def test_a_suspended_project_runs_nothing(keeper: Keeper) -> None:
    """Its schedule stays and comes due again."""
    notebook = keeper.new_notebook()
    keeper.schedules.put(notebook, NINE, "UTC")
    keeper.store.update(Project, notebook.project_id, is_suspended=True)
    keeper.pass_to("2026-11-20T09:00:00+00:00")
    assert keeper.started == []
    assert keeper.schedules.get(notebook).next_run_at == "2026-11-21T09:00:00.000Z"


def test_a_run_that_is_refused_is_logged(keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    """One notebook that cannot run does not end the schedules of the others."""
    first, second = keeper.new_notebook(), keeper.new_notebook()
    keeper.schedules.put(first, NINE, "UTC")
    keeper.schedules.put(second, "0 10 * * *", "UTC")
    keeper.refusal = ConflictError("10 runs are in progress")
    keeper.pass_to("2026-11-20T09:00:00+00:00")
    assert f"The scheduled notebook {first.id} did not run: 10 runs" in caplog.text
    keeper.refusal = None
    keeper.pass_to("2026-11-20T10:00:00+00:00")
    assert keeper.started == [second.id]


def test_a_schedule_whose_zone_is_gone_is_removed(
    keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    """The database of zones belongs to the system, which may lose one; the log says so."""
    notebook = keeper.new_notebook()
    keeper.schedules.put(notebook, NINE, "UTC")
    keeper.store.update(Schedule, notebook.project_id, timezone="Mars/Olympus")
    keeper.pass_to("2026-11-20T09:00:00+00:00")
    assert 'was removed: Invalid timezone "Mars/Olympus"' in caplog.text
    with pytest.raises(NotFoundError, match="Notebook has no schedule"):
        keeper.schedules.get(notebook)


def test_a_project_has_one_schedule(keeper: Keeper) -> None:
    """Scheduling another notebook takes the schedule from the first and keeps its age."""
    first = keeper.new_notebook()
    second = keeper.new_notebook(first.project_id)
    before = keeper.schedules.put(first, NINE, "UTC")
    keeper.now_s += 60
    after = keeper.schedules.put(second, "0 10 * * *", "Europe/Prague")
    assert after.created_at == before.created_at < after.updated_at
    assert keeper.schedules.get(second) == after
    with pytest.raises(NotFoundError, match="Notebook has no schedule"):
        keeper.schedules.get(first)


def test_a_deleted_notebook_takes_its_schedule_along(keeper: Keeper) -> None:
    """Nothing is left that could come due."""
    notebook = keeper.new_notebook()
    keeper.schedules.put(notebook, NINE, "UTC")
    keeper.store.delete(Notebook, notebook.id)
    assert keeper.store.find(Schedule) == []


def test_a_failure_is_logged_and_the_schedules_go_on(
    keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that is full, say, has room again later."""
    keeper.schedules.put(keeper.new_notebook(), NINE, "UTC")
    keeper.now_s = at("2026-11-20T09:00:00+00:00")

    async def until_logged() -> None:
        failing = Schedules(keeper.store, lambda _: 1 / 0, clock=lambda: keeper.now_s)
        keeping = asyncio.create_task(failing.keep())
        await asyncio.sleep(0)
        assert not keeping.done()
        keeping.cancel()
        await asyncio.wait([keeping])

    asyncio.run(until_logged())
    assert "The schedules could not be kept" in caplog.text


def test_the_keeper_notices_a_new_schedule_at_once(keeper: Keeper) -> None:
    """It sleeps until the next run it knows of, and a new one wakes it up."""
    began_s, almost_due_s = time.monotonic(), at("2026-11-20T08:59:59.900+00:00")
    notebook = keeper.new_notebook()

    async def until_started() -> None:
        started = asyncio.Event()
        schedules = Schedules(
            keeper.store,
            lambda _: started.set(),
            clock=lambda: almost_due_s + time.monotonic() - began_s,
        )
        keeping = asyncio.create_task(schedules.keep())
        await asyncio.sleep(0)  # it has found nothing to wait for
        schedules.put(notebook, NINE, "UTC")
        await asyncio.wait_for(started.wait(), timeout=10)
        keeping.cancel()
        await asyncio.wait([keeping])

    asyncio.run(until_started())

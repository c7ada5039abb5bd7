"""Schedules: notebooks that run by themselves, one in a project at most."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from cronsim import CronSim, CronSimError

from deepnote_kernel.server.errors import BadRequestError, NotFoundError, RequestError
from deepnote_kernel.server.storage.store import Notebook, Project, Schedule, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.server.storage.store import Store

__all__ = ["Schedules", "next_run"]

FIELDS = 5

# How late a run may start. Whatever came due before that, while the server was off or the computer
# asleep, is passed over, as cron does.
_GRACE_S = 60.0

# How long the wait for the next run may be without a look at the clock, which people set and
# computers that sleep jump over.
_LOOK_S = 30.0

logger = logging.getLogger(__name__)


def next_run(cron: str, zone_name: str, after_s: float) -> float:
    """Return when a schedule comes due next, in seconds since the epoch.

    Args:
        cron: Minute, hour, day of the month, month, day of the week.
        zone_name: IANA name of the time zone these are in.
        after_s: The time to look from, in seconds since the epoch.

    Raises:
        BadRequestError: The expression, or the zone, is none; or that time never comes.
    """
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequestError(f'Invalid timezone "{zone_name}"') from None
    if len(cron.split()) != FIELDS:  # cronsim takes a sixth, for seconds
        raise BadRequestError("Invalid cron expression")
    try:
        # cronsim asserts, or finds out on the way, what it does not check.
        found = next(CronSim(cron, datetime.fromtimestamp(after_s, zone)))
    except (CronSimError, AssertionError, TypeError, ValueError, StopIteration):
        raise BadRequestError("Invalid cron expression") from None
    return found.timestamp()


class Schedules:
    """The schedules of all projects, and the task that keeps them.

    Args:
        store: Where they are kept.
        start: Starts a run of a notebook.
        clock: Gives the time, in seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        start: Callable[[Notebook], object],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._start = start
        self._clock = clock
        self._changed = asyncio.Event()

    def put(self, notebook: Notebook, cron: str, zone_name: str) -> Schedule:
        """Schedule a notebook, in place of whatever its project had scheduled.

        Raises:
            BadRequestError: The expression or the zone is none.
        """
        now_s = self._clock()
        at = timestamp(now_s)
        before = self._store.find(Schedule, id=notebook.project_id)
        schedule = Schedule(
            id=notebook.project_id,
            notebook_id=notebook.id,
            cron=cron,
            timezone=zone_name,
            next_run_at=timestamp(next_run(cron, zone_name, now_s)),
            created_at=before[0].created_at if before else at,
            updated_at=at,
        )
        if before:
            self._store.update(Schedule, schedule.id, **msgspec.structs.asdict(schedule))
        else:
            self._store.insert(schedule)
        self._changed.set()
        return schedule

    def get(self, notebook: Notebook) -> Schedule:
        """Return the schedule of a notebook.

        Raises:
            NotFoundError: It has none.
        """
        found = self._store.find(Schedule, notebook_id=notebook.id)
        if not found:
            raise NotFoundError("Notebook has no schedule")
        return found[0]

    def remove(self, notebook: Notebook) -> None:
        """Remove the schedule of a notebook.

        Raises:
            NotFoundError: It has none.
        """
        self._store.delete(Schedule, self.get(notebook).id)

    async def keep(self) -> None:
        """Start notebooks when they come due, until cancelled."""
        while True:
            self._changed.clear()
            wait_s = _LOOK_S
            try:
                self.start_due()
                wait_s = self._wait_s()
            except Exception:  # the edge of a background task; a full disk has room again later
                logger.exception("The schedules could not be kept")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait_s)

    def start_due(self) -> None:
        """Start the notebooks that have come due, and note when they will again."""
        now_s = self._clock()
        for schedule in self._store.find(Schedule):
            late_s = now_s - _seconds(schedule.next_run_at)
            if late_s < 0:
                continue
            try:
                following = next_run(schedule.cron, schedule.timezone, now_s)
                self._store.update(Schedule, schedule.id, next_run_at=timestamp(following))
            except BadRequestError as error:  # the zone has left the database of zones
                self._store.delete(Schedule, schedule.id)
                logger.warning("The schedule of %s was removed: %s", schedule.notebook_id, error)
            if late_s <= _GRACE_S and not self._store.get(Project, schedule.id).is_suspended:
                self._run(schedule.notebook_id)

    def _run(self, notebook_id: str) -> None:
        try:
            self._start(self._store.get(Notebook, notebook_id))
        except RequestError as error:
            logger.warning("The scheduled notebook %s did not run: %s", notebook_id, error)

    def _wait_s(self) -> float:
        due = [_seconds(schedule.next_run_at) for schedule in self._store.find(Schedule)]
        return max(0.0, min([_LOOK_S, *(due_s - self._clock() for due_s in due)]))


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc).timestamp()

"""Runs outside of sessions: detached on a machine of their own, or live on the project's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from deepnote_kernel.server.errors import TooManyRunsError
from deepnote_kernel.server.execution.idle import IdleTimer
from deepnote_kernel.server.execution.runs import Selection, TrackedRun
from deepnote_kernel.server.storage.store import Block

if TYPE_CHECKING:
    from deepnote_kernel.server.execution.machines import Machine, MachineFactory
    from deepnote_kernel.server.storage.folders import StorageMode
    from deepnote_kernel.server.storage.store import Notebook, Store

__all__ = ["Runner"]


class Runner:
    """Carries out runs that belong to no session.

    Args:
        store: Where runs are recorded.
        machines: Where they are carried out.
        idle_shutdown_s: Seconds without a run after which a project's machine stops.
        max_runs: How many runs may be in progress or wait at a time; ``None`` sets no limit.
    """

    def __init__(
        self,
        store: Store,
        machines: MachineFactory,
        *,
        idle_shutdown_s: float,
        max_runs: int | None = None,
    ) -> None:
        self._store = store
        self._machines = machines
        self._idle_shutdown_s = idle_shutdown_s
        self._max_runs = max_runs
        self._projects: dict[str, tuple[Machine, IdleTimer]] = {}
        self._runs: list[TrackedRun] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def run_detached(
        self,
        notebook: Notebook,
        blocks: list[Block],
        inputs: dict[str, object],
        mode: StorageMode = "read_write",
        *,
        triggered_by: str = "api",
    ) -> TrackedRun:
        """Run blocks on a fresh machine that stops with the run.

        Raises:
            TooManyRunsError: As many runs as may be are in progress.
        """
        self._refuse_too_many()
        selection = Selection(blocks)
        run = TrackedRun(self._store, notebook, selection, inputs=inputs, triggered_by=triggered_by)
        self._runs.append(run)
        machine = self._machines.start(notebook.project_id, mode)
        machine.kernel(notebook.id).submit(run).add_done_callback(lambda _: self._stop(machine))
        return run

    def run_scheduled(self, notebook: Notebook) -> TrackedRun:
        """Run a notebook detached because its time has come.

        Raises:
            TooManyRunsError: As many runs as may be are in progress.
        """
        blocks = self._store.find(Block, "position", notebook_id=notebook.id)
        return self.run_detached(notebook, blocks, {}, triggered_by="schedule")

    def run_live(
        self, notebook: Notebook, selection: Selection, inputs: dict[str, object]
    ) -> TrackedRun:
        """Run blocks in the notebook's kernel on the project's machine.

        Raises:
            TooManyRunsError: As many runs as may be are in progress.
        """
        self._refuse_too_many()
        run = TrackedRun(self._store, notebook, selection, inputs=inputs)
        self._runs.append(run)
        machine, timer = self._project_machine(notebook.project_id)
        machine.kernel(notebook.id).submit(run).add_done_callback(lambda _: timer.touch())
        return run

    def is_running(self, notebook: Notebook) -> bool:
        """Whether a live run of a notebook is in progress."""
        machine, _ = self._projects.get(notebook.project_id, (None, None))
        kernel = machine.running(notebook.id) if machine else None
        return kernel is not None and kernel.is_busy

    def has_machine(self, project_id: str) -> bool:
        """Whether the project's machine runs."""
        return project_id in self._projects

    async def stop_project(self, project_id: str) -> None:
        """Stop whatever runs of a project: its machine, and those of detached runs."""
        await self._stop_project_machine(project_id)
        await self._machines.stop_project(project_id)

    async def _stop_project_machine(self, project_id: str) -> None:
        machine, timer = self._projects.pop(project_id, (None, None))
        if machine is not None and timer is not None:
            timer.cancel()
            await self._machines.stop(machine)

    def _project_machine(self, project_id: str) -> tuple[Machine, IdleTimer]:
        if project_id not in self._projects:
            machine = self._machines.start(project_id)
            timer = IdleTimer(
                self._idle_shutdown_s,
                is_busy=lambda: machine.is_busy,
                end=lambda: self._stop_project_machine(project_id),
            )
            self._projects[project_id] = machine, timer
        machine, timer = self._projects[project_id]
        timer.touch()
        return machine, timer

    def _refuse_too_many(self) -> None:
        self._runs = [run for run in self._runs if not run.is_finished]
        if self._max_runs is not None and len(self._runs) >= self._max_runs:
            raise TooManyRunsError(self._max_runs)

    def _stop(self, machine: Machine) -> None:
        task = asyncio.ensure_future(self._machines.stop(machine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

"""The one kernel of a notebook: code and tracked runs take turns in it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from deepnote_kernel.server.errors import ConflictError, KernelUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from deepnote_kernel.server.execution.kernels import Execution, Kernel, KernelState
    from deepnote_kernel.server.execution.runs import TrackedRun

__all__ = ["NotebookKernel"]

JSON = dict[str, Any]

logger = logging.getLogger(__name__)


class NotebookKernel:
    """The one kernel of a notebook, in a session or by itself, and the runs that wait for it.

    Args:
        launch: Starts the kernel.
    """

    def __init__(self, launch: Callable[[], Awaitable[Kernel]]) -> None:
        self._kernel: Kernel | None = None
        self._starting = asyncio.ensure_future(self._launch(launch))
        self._runs: list[TrackedRun] = []
        self._worker: asyncio.Task[None] | None = None

    @property
    def state(self) -> KernelState:
        """What the kernel is doing."""
        if self._kernel is not None:
            return "busy" if self._runs and self._kernel.state == "idle" else self._kernel.state
        return "unavailable" if self._starting.done() else "starting"

    @property
    def is_busy(self) -> bool:
        """Whether code or a tracked run is in progress, or the kernel still starts."""
        return bool(self._runs) or self.state in ("busy", "starting")

    def status(self) -> JSON:
        """Return the kernel's state as ``GET /sessions/{id}/status`` shows it."""
        waiting = [block_id for run in self._runs for block_id in run.pending_block_ids]
        is_executing = bool(waiting) and self.state == "busy"
        return {
            "status": self.state,
            "executingBlockId": waiting.pop(0) if is_executing else None,
            "queuedBlockIds": waiting,
        }

    async def execute(self, code: str, **options: Any) -> Execution:
        """Run code outside of any run; options as in :meth:`.Kernel.execute`.

        Raises:
            ConflictError: A tracked run or other code is in progress, or the kernel is gone.
            ExecutionTimedOutError: The code took longer than allowed.
        """
        kernel = self._kernel or await self._started()
        if self._runs:
            raise ConflictError("Notebook is busy with a tracked run")
        return await kernel.execute(code, **options)

    def submit(self, run: TrackedRun) -> asyncio.Task[None]:
        """Queue a run; it begins when no other run and no code is in progress."""
        self._runs.append(run)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return self._worker

    async def interrupt(self) -> None:
        """Stop the runs in progress and in the queue, and whatever code the kernel runs."""
        for run in self._runs:
            run.is_stopped = True
        with contextlib.suppress(KernelUnavailableError):
            await (await self._started()).interrupt()

    async def kill(self) -> None:
        """Kill the kernel's process."""
        await (await self._started()).kill()

    async def stop(self) -> None:
        """End the kernel; runs in progress are recorded as stopped."""
        for run in self._runs:
            run.is_stopped = True
        # A launch in progress is waited for: a process nobody knows of could not be ended.
        await asyncio.gather(self._starting, return_exceptions=True)
        if self._kernel is not None:
            await self._kernel.stop()
        if self._worker is not None:
            await self._worker

    async def _launch(self, launch: Callable[[], Awaitable[Kernel]]) -> None:
        try:
            self._kernel = await launch()
        except Exception:  # the edge of a background task
            logger.exception("The kernel did not start")

    async def _started(self) -> Kernel:
        await asyncio.shield(self._starting)
        if self._kernel is None:
            raise KernelUnavailableError
        return self._kernel

    async def _work(self) -> None:
        while self._runs:
            run = self._runs[0]
            try:
                kernel = await self._started()
                await kernel.ready()
                await kernel.free()
                await run.carry_out(kernel)
            except KernelUnavailableError as error:
                died = str(error) if self._kernel else "Hardware unable to start"
                run.finish(*(("stopped",) if run.is_stopped else ("internal_error", died)))
            except Exception as error:  # the edge of a background task
                logger.exception("A tracked run failed")
                run.finish("internal_error", str(error))
            finally:
                self._runs.pop(0)

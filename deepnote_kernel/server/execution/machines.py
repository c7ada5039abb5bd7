"""Machines: where the kernels of a session, of a detached run or of a project run."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from deepnote_kernel.server.execution.notebook_kernel import NotebookKernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deepnote_kernel.server.execution.kernels import Kernel, KernelFactory
    from deepnote_kernel.server.storage.folders import Folders, StorageMode

__all__ = ["Machine", "MachineFactory"]


class Machine:
    """Kernels that share one working folder, one for each notebook. Ended with :meth:`stop`."""

    def __init__(
        self, kernels: KernelFactory, folders: Folders, *, project_id: str, mode: StorageMode
    ) -> None:
        self._kernel_factory = kernels
        self.project_id = project_id
        self._storage = contextlib.AsyncExitStack()
        self._folder = asyncio.ensure_future(
            self._storage.enter_async_context(folders.lend(project_id, mode))
        )
        self._kernels: dict[str, NotebookKernel] = {}
        self._stopping: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether any kernel starts or runs something."""
        return any(kernel.is_busy for kernel in self)

    def __iter__(self) -> Iterator[NotebookKernel]:
        return iter(self._kernels.values())

    def kernel(self, notebook_id: str) -> NotebookKernel:
        """Return the kernel of a notebook, started if need be."""
        if notebook_id not in self._kernels:
            self._kernels[notebook_id] = NotebookKernel(self._launch)
        return self._kernels[notebook_id]

    def running(self, notebook_id: str) -> NotebookKernel | None:
        """Return the kernel of a notebook if it was started."""
        return self._kernels.get(notebook_id)

    async def kill(self) -> None:
        """Kill the processes of all kernels."""
        await asyncio.gather(*(kernel.kill() for kernel in self))

    async def stop(self) -> None:
        """End all kernels and give the folder back; all who ask wait for the same end."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop())
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        await asyncio.gather(*(kernel.stop() for kernel in self))
        await asyncio.gather(self._folder, return_exceptions=True)
        await self._storage.aclose()

    async def _launch(self) -> Kernel:
        folder: Path = await asyncio.shield(self._folder)
        return await self._kernel_factory.start(folder, {"DEEPNOTE_PROJECT_ID": self.project_id})


class MachineFactory:
    """Starts machines and ends those that are left.

    Args:
        kernels: Starts the kernels.
        folders: Holds the projects' files.
    """

    def __init__(self, kernels: KernelFactory, folders: Folders) -> None:
        self._kernels = kernels
        self._folders = folders
        self._machines: set[Machine] = set()
        self._used_at = time.monotonic()

    @property
    def unused_s(self) -> float:
        """Seconds since the last machine stopped; 0 while there is one."""
        return 0.0 if self._machines else time.monotonic() - self._used_at

    def start(self, project_id: str, mode: StorageMode = "read_write") -> Machine:
        """Return a new machine on a project's storage."""
        machine = Machine(self._kernels, self._folders, project_id=project_id, mode=mode)
        self._machines.add(machine)
        return machine

    async def stop(self, machine: Machine) -> None:
        """End a machine."""
        try:
            await machine.stop()
        finally:
            self._machines.discard(machine)
            self._used_at = time.monotonic()

    async def stop_project(self, project_id: str) -> None:
        """End all machines of a project, and wait for those that are ending already."""
        machines = [each for each in self._machines if each.project_id == project_id]
        await asyncio.gather(*map(self.stop, machines))

    async def close(self) -> None:
        """End all machines."""
        try:
            await asyncio.gather(*map(self.stop, list(self._machines)))
        finally:
            await self._kernels.close()

"""Real Jupyter kernels: start them, run code in them one call at a time, notice when they die."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
from typing import TYPE_CHECKING, Any, Literal, cast

import zmq
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.multikernelmanager import AsyncMultiKernelManager
from traitlets.config import Config

from deepnote_kernel.server.errors import (
    ConflictError,
    ExecutionTimedOutError,
    KernelUnavailableError,
)
from deepnote_kernel.server.execution.calls import Call, Execution, execute_request
from deepnote_kernel.server.execution.channels import Channels, KernelMessage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_client.manager import AsyncKernelManager

__all__ = ["AfterTimeout", "Execution", "Kernel", "KernelFactory", "KernelState"]

AfterTimeout = Literal["keep", "interrupt"]
KernelState = Literal["starting", "idle", "busy", "unavailable"]

logger = logging.getLogger(__name__)

_HANDSHAKE_INTERVAL_S = 0.05
_PROBE_TIMEOUT_S = 1.0
_WATCH_INTERVAL_S = 0.5
_START_TIMEOUT_S = 60.0
_START_RETRIES = 2
_BEGIN_TIMEOUT_S = 5.0  # on a busy computer a kernel takes a request up late
_RECONNECT_MS = 10

_IPYKERNEL_ARGUMENTS = [
    # Deepnote's machines keep no history database either (source: deepnote-toolkit 2.9.0).
    "--HistoryManager.enabled=False",
    # ipykernel 7 warns at each start that loopback connections are not encrypted.
    "--log-level=ERROR",
]


class Kernel:
    """One running kernel. Made by :class:`KernelFactory`, ended with :meth:`stop`."""

    def __init__(self, managers: AsyncMultiKernelManager, kernel_id: str) -> None:
        self._managers = managers
        self._kernel_id = kernel_id
        self._manager = cast("AsyncKernelManager", managers.get_kernel(kernel_id))
        self._last_call: Call | None = None
        self._probes: set[str] = set()
        self._answers: set[str] = set()
        self._answered = asyncio.Event()
        self._ready = asyncio.Event()
        self._lost = asyncio.Event()
        self._dead = asyncio.Event()
        self._restarting = asyncio.Lock()
        self._channels = self._connect()
        self._supervisor = asyncio.create_task(self._supervise())

    @property
    def state(self) -> KernelState:
        """What the kernel is doing."""
        if self._dead.is_set():
            return "unavailable"
        if not self._ready.is_set():
            return "starting"
        return "idle" if self._call is None else "busy"

    async def ready(self) -> None:
        """Wait until the kernel takes requests.

        Raises:
            KernelUnavailableError: It died first.
        """
        if self._ready.is_set():
            return
        waiters = [asyncio.ensure_future(event.wait()) for event in (self._ready, self._dead)]
        try:
            await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
        if self._dead.is_set():
            raise KernelUnavailableError

    async def execute(
        self,
        code: str,
        *,
        timeout_s: float | None = None,
        after_timeout: AfterTimeout = "keep",
        silent: bool = False,
    ) -> Execution:
        """Run code and wait for its end.

        Args:
            code: Source in the kernel's language.
            timeout_s: Seconds the code may run; ``None`` sets no limit. Waiting for a kernel that
                is still starting does not count.
            after_timeout: Whether code that took longer is left running or interrupted.
            silent: Run without counting the execution.

        Raises:
            ConflictError: Other code runs; or the kernel died, also as
                :class:`KernelUnavailableError`.
            ExecutionTimedOutError: The time is over. Until the code ends, the kernel stays busy.
        """
        if self._dead.is_set():
            raise KernelUnavailableError
        if self._call is not None:
            raise ConflictError("Notebook is busy")
        call = self._last_call = Call(self._probe)
        try:
            await self.ready()
        except BaseException:
            call.cancel()
            raise
        call.msg_id = self._channels.send("execute_request", execute_request(code, silent=silent))
        if timeout_s is None:
            return await call.answer
        timer = asyncio.get_running_loop().call_later(timeout_s, call.time_out)
        try:
            return await call.answer
        except ExecutionTimedOutError:
            if after_timeout == "interrupt":
                await self.interrupt()
            raise
        finally:
            timer.cancel()

    async def free(self) -> None:
        """Wait until no code runs."""
        while self._call is not None:
            await self._call.ended.wait()

    async def interrupt(self) -> None:
        """Signal the kernel to stop what it runs; a call in progress is left to end by itself."""
        call = self._call
        if call is not None:
            with contextlib.suppress(KernelUnavailableError):
                await self.ready()
            # Kernels ignore the signal until they have taken up the request.
            await _happens(call.begun, _BEGIN_TIMEOUT_S)
            call.is_interrupted = True
        # The signal would kill a process that is still starting, and nothing runs in it.
        if self.state in ("idle", "busy"):
            await self._manager.interrupt_kernel()

    async def kill(self) -> None:
        """Kill the process, as the system does when memory runs out."""
        if self._manager.provisioner is not None:
            await self._manager.provisioner.kill()

    async def stop(self) -> None:
        """End the kernel and all processes of its group; calls in progress fail."""
        self._dead.set()
        async with self._restarting:
            self._supervisor.cancel()
        await asyncio.gather(self._supervisor, return_exceptions=True)
        await self._channels.close()
        if self._kernel_id in self._managers:
            await self._managers.shutdown_kernel(self._kernel_id, now=True)

    def _connect(self) -> Channels:
        self._lost.clear()
        self._probes.clear()
        self._answers.clear()
        self._answered.clear()
        return Channels(self._manager, on_message=self._receive, on_lost=self._lost.set)

    async def _supervise(self) -> None:
        try:
            await self._follow()
        except Exception:  # the edge of a background task
            logger.exception("The kernel is given up")
        finally:
            self._dead.set()
            self._abandon_call()

    async def _follow(self) -> None:
        """Shake hands with each process this kernel becomes, until there is none any more."""
        is_up = await self._shake_hands()
        for _ in range(_START_RETRIES):
            if is_up or await self._manager.is_alive():
                break
            # Another program may have taken one of its ports after they were chosen.
            await self._channels.close()
            # Cut off in the middle, the manager would lose sight of the process.
            async with self._restarting:
                await self._manager.restart_kernel(now=True, newports=True)
            self._channels = self._connect()
            is_up = await self._shake_hands()
        while is_up:
            self._ready.set()
            await self._until_lost()
            self._ready.clear()
            self._abandon_call()
            if not await self._manager.is_alive():
                break
            # The process replaced itself. What it never read must not reach its successor.
            await self._channels.close()
            self._channels = self._connect()
            is_up = await self._shake_hands()

    async def _shake_hands(self) -> bool:
        """Ask for kernel info until an answer comes on both channels; say whether one came."""
        clock = asyncio.get_running_loop().time
        deadline, probe_at = clock() + _START_TIMEOUT_S, 0.0
        while clock() < deadline and await self._manager.is_alive():
            # A request waits for a process that is still starting. It is lost with a process on its
            # way out; its answer is lost on a channel that was not yet open.
            if clock() >= probe_at or self._answers or self._lost.is_set():
                probe_at = clock() + _PROBE_TIMEOUT_S
                self._lost.clear()
                self._probes.add(self._probe())
            if await _happens(self._answered, _HANDSHAKE_INTERVAL_S):
                return True
        return False

    async def _until_lost(self) -> None:
        while await self._manager.is_alive() and not await _happens(self._lost, _WATCH_INTERVAL_S):
            pass

    def _probe(self) -> str:
        return self._channels.send("kernel_info_request", {})

    def _receive(self, message: KernelMessage) -> None:
        if message.parent_id in self._probes:
            self._answers.add(message.channel)
            if self._answers == {"shell", "iopub"}:
                # A process on its way out may have taken up a connection first, and lost it again.
                self._lost.clear()
                self._answered.set()
            return
        call = self._call
        if call is not None and call.msg_id:
            call.take(message)
            if call.ended.is_set():
                self._last_call = None  # its outputs may be large

    @property
    def _call(self) -> Call | None:
        """The call that keeps the kernel busy."""
        if self._last_call is None or self._last_call.ended.is_set():
            return None
        return self._last_call

    def _abandon_call(self) -> None:
        # A call that is not sent yet waits for the kernel, and hears there of its death.
        if self._call is not None and self._call.msg_id:
            self._call.abandon()


class KernelFactory:
    """Starts kernels of one kind.

    Args:
        kernel_name: The kernelspec to start.
        environ: The environment kernels inherit.
        connection_folder: Where connection files and sockets are kept.
        kernel_manager_class: Importable name of a ``jupyter_client`` kernel manager; with another
            one, kernels run where that manager puts them.
    """

    def __init__(
        self,
        kernel_name: str,
        *,
        environ: Mapping[str, str],
        connection_folder: Path,
        kernel_manager_class: str = "jupyter_client.manager.AsyncKernelManager",
    ) -> None:
        self._kernel_name = kernel_name
        self._environ = dict(environ)
        self._specs = KernelSpecManager()
        self._socket = connection_folder / "kernel-01234567-ipc-1"  # how one is called
        self._managers = AsyncMultiKernelManager(
            kernel_manager_class=kernel_manager_class,
            connection_dir=str(connection_folder),
            kernel_spec_manager=self._specs,
        )
        # A kernel that starts, or starts over, is found at once; a flood of output is not cut off.
        self._managers.context.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        self._managers.context.setsockopt(zmq.RCVHWM, 0)

    async def start(self, folder: Path, environ: Mapping[str, str]) -> Kernel:
        """Start a kernel process; the kernel becomes ready by and by.

        Args:
            folder: The kernel's working directory.
            environ: Variables set on top of the inherited ones.
        """
        self._managers.config = Config(ConnectionFileMixin={"transport": self._transport()})
        kernel_id = await self._managers.start_kernel(
            kernel_name=self._kernel_name,
            kernel_id=secrets.token_hex(4),
            cwd=str(folder),
            env={**self._environ, **environ},
            extra_arguments=self._extra_arguments(),
        )
        return Kernel(self._managers, kernel_id)

    def check(self) -> None:
        """Raise ``jupyter_client.kernelspec.NoSuchKernel`` where the kernelspec is missing."""
        self._spec()

    async def close(self) -> None:
        """End whatever still runs."""
        await self._managers.shutdown_all(now=True)
        self._managers.context.destroy(linger=0)

    def _spec(self) -> Any:
        return self._specs.get_kernel_spec(self._kernel_name)

    def _is_ipykernel(self) -> bool:
        return any("ipykernel" in argument for argument in self._spec().argv)

    def _extra_arguments(self) -> list[str]:
        return _IPYKERNEL_ARGUMENTS if self._is_ipykernel() else []

    def _transport(self) -> str:
        """Return how to reach a kernel.

        A kernel that replaces itself takes up its old addresses. A port may be another program's by
        then; a socket's path may not. But not every kernel knows such sockets, nor every system,
        nor can they be reached on another computer; and their paths must be short.
        """
        is_here = "kernel_provisioner" not in self._spec().metadata
        is_short = len(os.fsencode(self._socket)) <= zmq.IPC_PATH_MAX_LEN
        return "ipc" if self._is_ipykernel() and is_here and is_short else "tcp"


async def _happens(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for an event; say whether it came in time."""
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except asyncio.TimeoutError:
        return False
    return True

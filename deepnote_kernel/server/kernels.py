"""Real Jupyter kernels: start them, run code in them one call at a time, notice when they die."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.multikernelmanager import AsyncMultiKernelManager

from deepnote_kernel.server.channels import Channels, KernelMessage
from deepnote_kernel.server.errors import (
    ConflictError,
    ExecutionTimedOutError,
    KernelUnavailableError,
)
from deepnote_kernel.server.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_client.manager import AsyncKernelManager

__all__ = ["AfterTimeout", "Execution", "Kernel", "KernelFactory", "KernelState"]

logger = logging.getLogger(__name__)

AfterTimeout = Literal["keep", "interrupt"]
KernelState = Literal["starting", "idle", "busy", "unavailable"]

_HANDSHAKE_INTERVAL_S = 0.1  # subscriptions take a moment: the first answers may be missed
_WATCH_INTERVAL_S = 0.5
_START_TIMEOUT_S = 60.0
_BEGIN_TIMEOUT_S = 1.0
_LATE_S = 3.0

_INTERRUPTED = {
    "output_type": "error",
    "ename": "KeyboardInterrupt",
    "evalue": "",
    "traceback": ["KeyboardInterrupt"],
}

_IPYKERNEL_ARGUMENTS = [
    # Deepnote's machines keep no history database either (source: deepnote-toolkit 2.9.0).
    "--HistoryManager.enabled=False",
    # ipykernel 7 warns at each start that loopback connections are not encrypted.
    "--log-level=ERROR",
]


class Execution(msgspec.Struct, frozen=True):
    """How an execution ended."""

    status: str
    """``ok``, ``error`` or ``aborted``, as in an ``execute_reply``."""

    outputs: list[dict[str, Any]]
    execution_count: int | None


class _Reply(msgspec.Struct):
    status: str = "error"
    execution_count: int | None = None


class _Status(msgspec.Struct):
    execution_state: str


_decode_reply = msgspec.json.Decoder(_Reply).decode
_decode_status = msgspec.json.Decoder(_Status).decode


class _Call:
    """One execute request: what it has printed so far, and who waits for its end."""

    def __init__(self) -> None:
        self.msg_id = ""
        self.outputs = Outputs()
        self.reply: _Reply | None = None
        self.is_idle = False
        self.is_interrupted = False
        self.answer: asyncio.Future[Execution] = asyncio.get_running_loop().create_future()
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    def time_out(self) -> None:
        """Let the waiter go; the code goes on."""
        if not self.answer.done():
            self.answer.set_exception(ExecutionTimedOutError())

    def finish(self) -> None:
        """Give the waiter the outputs, unless it has gone."""
        self.begun.set()
        self.ended.set()
        if self.answer.done():
            return
        outputs = self.outputs.result()
        if self.reply is not None:
            execution = Execution(self.reply.status, outputs, self.reply.execution_count)
            self.answer.set_result(execution)
        elif self.is_interrupted:
            self.answer.set_result(Execution("error", [*outputs, _INTERRUPTED], None))
        else:
            self.answer.set_exception(KernelUnavailableError())


class Kernel:
    """One running kernel. Made by :class:`KernelFactory`, ended with :meth:`stop`."""

    def __init__(self, managers: AsyncMultiKernelManager, kernel_id: str) -> None:
        self._managers = managers
        self._kernel_id = kernel_id
        self._manager = cast("AsyncKernelManager", managers.get_kernel(kernel_id))
        self._call: _Call | None = None
        self._heard_at = 0.0
        self._probes: set[str] = set()
        self._answers: set[str] = set()
        self._answered = asyncio.Event()
        self._ready = asyncio.Event()
        self._lost = asyncio.Event()
        self._dead = asyncio.Event()
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
        call = self._call = _Call()
        try:
            await self.ready()
        except BaseException:
            call.answer.cancel()
            self._end(call)
            raise
        call.msg_id = self._channels.send("execute_request", _execute_request(code, silent=silent))
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
        if call is not None and call.msg_id:
            # Kernels ignore the signal until they have taken up the request.
            await _happens(call.begun, _BEGIN_TIMEOUT_S)
            call.is_interrupted = True
        if not self._dead.is_set():
            await self._manager.interrupt_kernel()

    async def kill(self) -> None:
        """Kill the process, as the system does when memory runs out."""
        if self._manager.provisioner is not None:
            await self._manager.provisioner.kill()

    async def stop(self) -> None:
        """End the kernel and all processes of its group; calls in progress fail."""
        self._supervisor.cancel()
        self._dead.set()
        self._fail_call()
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
        """Shake hands with each process this kernel becomes, until there is none any more."""
        while await self._shake_hands():
            self._ready.set()
            await self._until_lost()
            self._ready.clear()
            self._fail_call()
            if not await self._manager.is_alive():
                break
            # The process replaced itself. What it never read must not reach its successor.
            await self._channels.close()
            self._channels = self._connect()
        self._dead.set()
        self._fail_call()

    async def _shake_hands(self) -> bool:
        """Ask for kernel info until an answer comes on both channels; say whether one came."""
        deadline = asyncio.get_running_loop().time() + _START_TIMEOUT_S
        while asyncio.get_running_loop().time() < deadline and await self._manager.is_alive():
            self._probes.add(self._channels.send("kernel_info_request", {}))
            if await _happens(self._answered, _HANDSHAKE_INTERVAL_S):
                return True
        return False

    async def _until_lost(self) -> None:
        while await self._manager.is_alive() and not await _happens(self._lost, _WATCH_INTERVAL_S):
            pass

    def _receive(self, message: KernelMessage) -> None:
        if message.parent_id in self._probes:
            self._answers.add(message.channel)
            if self._answers == {"shell", "iopub"}:
                # A process on its way out may have taken up a connection first, and lost it again.
                self._lost.clear()
                self._answered.set()
            return
        call = self._call
        if call is None or not call.msg_id:
            return
        is_own = message.parent_id == call.msg_id
        self._heard_at = asyncio.get_running_loop().time()
        if message.channel == "shell":
            if is_own:
                call.reply = _decode_reply(message.content)
                self._end_soon(call, is_whole=call.is_idle)
        elif message.msg_type == "status":
            if is_own and _decode_status(message.content).execution_state == "idle":
                call.is_idle = True
                self._end_soon(call, is_whole=call.reply is not None)
        elif message.msg_type == "execute_input":
            call.begun.set()
        else:
            # Output of another parent comes from a thread or child an earlier cell left behind.
            call.outputs.add(message.msg_type, message.content)

    def _end_soon(self, call: _Call, *, is_whole: bool) -> None:
        """End a call whose reply and idle status have come; give the one that is late a moment.

        An interrupt that hits ipykernel outside of user code costs the reply; a flood of output can
        cost the idle status.
        """
        if is_whole:
            self._end(call)
        else:
            asyncio.get_running_loop().call_later(_LATE_S, self._end_late, call)

    def _end_late(self, call: _Call) -> None:
        if asyncio.get_running_loop().time() - self._heard_at < _LATE_S:
            self._end_soon(call, is_whole=False)
        else:
            self._end(call)

    def _end(self, call: _Call) -> None:
        if self._call is call:
            self._call = None
        call.finish()

    def _fail_call(self) -> None:
        # A call that is not sent yet waits for the kernel, and hears there of its death.
        if self._call is not None and self._call.msg_id:
            self._end(self._call)


class KernelFactory:
    """Starts kernels of one kind.

    Args:
        kernel_name: The kernelspec to start.
        environ: The environment kernels inherit.
        connection_folder: Where connection files are kept.
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
        self._managers = AsyncMultiKernelManager(
            kernel_manager_class=kernel_manager_class,
            connection_dir=str(connection_folder),
            kernel_spec_manager=self._specs,
        )

    async def start(self, folder: Path, environ: Mapping[str, str]) -> Kernel:
        """Start a kernel process; the kernel becomes ready by and by.

        Args:
            folder: The kernel's working directory.
            environ: Variables set on top of the inherited ones.
        """
        kernel_id = await self._managers.start_kernel(
            kernel_name=self._kernel_name,
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

    def _extra_arguments(self) -> list[str]:
        is_ipykernel = any("ipykernel" in argument for argument in self._spec().argv)
        return _IPYKERNEL_ARGUMENTS if is_ipykernel else []


async def _happens(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for an event; say whether it came in time."""
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except asyncio.TimeoutError:
        return False
    return True


def _execute_request(code: str, *, silent: bool) -> dict[str, Any]:
    return {
        "code": code,
        "silent": silent,
        "store_history": not silent,
        "user_expressions": {},
        "allow_stdin": False,
        # One request at a time is sent; a next one must not be dropped because this one failed.
        "stop_on_error": False,
    }

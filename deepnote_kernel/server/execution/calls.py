"""One execute request, from its sending to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.server.errors import ExecutionTimedOutError, KernelUnavailableError
from deepnote_kernel.server.execution.outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.server.execution.channels import KernelMessage

__all__ = ["Call", "Execution", "execute_request"]

_LATE_S = 0.5  # how long an end that is half there waits before it asks for the other half

_INTERRUPTED = {
    "output_type": "error",
    "ename": "KeyboardInterrupt",
    "evalue": "",
    "traceback": ["KeyboardInterrupt"],
}


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


class Call:
    """What a request has put out so far, and who waits for its end.

    It ends when both the reply and the idle status have come. An interrupt that hits ipykernel
    outside of user code costs the reply, a flood of output can cost the idle status. Each channel
    keeps its order, so a half that is still missing when a later request is answered was lost.

    Args:
        probe: Sends such a later request and returns its id.
    """

    def __init__(self, probe: Callable[[], str]) -> None:
        self._probe = probe
        self._probe_id: str | None = None
        self.msg_id = ""
        self.is_interrupted = False
        self.answer: asyncio.Future[Execution] = asyncio.get_running_loop().create_future()
        self.begun = asyncio.Event()
        """Set once the kernel has taken the request up, or the call has ended."""

        self.ended = asyncio.Event()
        """Set once the kernel is free again, whether or not somebody still waited."""

        self._outputs = Outputs()
        self._reply: _Reply | None = None
        self._is_idle = False
        self._late: asyncio.TimerHandle | None = None

    def take(self, message: KernelMessage) -> None:
        """Take a message the kernel sent while the call was open."""
        if message.parent_id == self._probe_id:
            is_lost = self._reply is None if message.channel == "shell" else not self._is_idle
            if is_lost:
                self._finish()
            return
        is_own = message.parent_id == self.msg_id
        if message.channel == "shell":
            self._reply = _decode_reply(message.content) if is_own else self._reply
        elif message.msg_type == "status":
            state = _decode_status(message.content).execution_state
            self._is_idle |= is_own and state == "idle"
        elif message.msg_type == "execute_input":
            self.begun.set()
        elif not self.answer.done():
            # Output of another parent comes from a thread or child an earlier cell left behind.
            self._outputs.add(message.msg_type, message.content)
        if self._reply is not None and self._is_idle:
            self._finish()
        elif (self._reply is not None or self._is_idle) and self._late is None:
            self._late = asyncio.get_running_loop().call_later(_LATE_S, self._ask)

    def time_out(self) -> None:
        """Let the waiter go; the code goes on, and nobody will read what it puts out."""
        self._outputs = Outputs()
        if not self.answer.done():
            self.answer.set_exception(ExecutionTimedOutError())

    def abandon(self) -> None:
        """End the call because its kernel is gone."""
        if not self.answer.done():
            self.answer.set_exception(KernelUnavailableError())
        self._close()

    def cancel(self) -> None:
        """End a call that was never sent; nobody waits for it."""
        self.answer.cancel()
        self._close()

    def _ask(self) -> None:
        self._probe_id = self._probe()

    def _finish(self) -> None:
        if not self.answer.done():
            outputs = self._outputs.result()
            if self._reply is not None:
                execution = Execution(self._reply.status, outputs, self._reply.execution_count)
                self.answer.set_result(execution)
            elif self.is_interrupted:
                self.answer.set_result(Execution("error", [*outputs, _INTERRUPTED], None))
            else:
                self.answer.set_exception(KernelUnavailableError())
        self._close()

    def _close(self) -> None:
        if self._late is not None:
            self._late.cancel()
        self.begun.set()
        self.ended.set()


def execute_request(code: str, *, silent: bool) -> dict[str, Any]:
    """Return the content of an ``execute_request``."""
    return {
        "code": code,
        "silent": silent,
        "store_history": not silent,
        "user_expressions": {},
        "allow_stdin": False,
        # One request at a time is sent; a next one must not be dropped because this one failed.
        "stop_on_error": False,
    }

"""The end of a call whose reply or idle status never comes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from deepnote_kernel.server.errors import KernelUnavailableError
from deepnote_kernel.server.execution.calls import Call, Execution
from deepnote_kernel.server.execution.channels import KernelMessage

REPLY = KernelMessage("shell", "execute_reply", "call", b'{"status": "ok", "execution_count": 3}')
IDLE = KernelMessage("iopub", "status", "call", b'{"execution_state": "idle"}')
LATER_REPLY = KernelMessage("shell", "kernel_info_reply", "probe", b"{}")
LATER_IDLE = KernelMessage("iopub", "status", "probe", b'{"execution_state": "idle"}')


def call_with(*messages: KernelMessage, is_interrupted: bool = False) -> Any:
    """Feed messages to a call, those after the first once it has asked; return how it ended."""

    async def feed() -> Execution | None:
        asked = asyncio.Event()

        def probe() -> str:
            asked.set()
            return "probe"

        call = Call(probe)
        call.msg_id = "call"
        call.is_interrupted = is_interrupted
        call.take(messages[0])
        await asyncio.wait_for(asked.wait(), 10)
        for message in messages[1:]:
            call.take(message)
        return await call.answer if call.ended.is_set() else None

    return asyncio.run(feed())


def test_a_lost_idle_status_is_not_waited_for() -> None:
    """A later status proves that it is lost."""
    assert call_with(REPLY, LATER_IDLE) == Execution("ok", [], 3)


def test_output_of_no_request_is_part_of_the_call() -> None:
    """Some threads print without a parent."""
    orphan = KernelMessage("iopub", "stream", "", b'{"name": "stdout", "text": "a"}')
    execution = call_with(REPLY, orphan, IDLE)
    assert [output["text"] for output in execution.outputs] == ["a"]


def test_a_late_idle_status_is_waited_for() -> None:
    """A later reply proves nothing about the other channel."""
    assert call_with(REPLY, LATER_REPLY) is None
    assert call_with(REPLY, LATER_REPLY, IDLE) == Execution("ok", [], 3)


def test_a_lost_reply_of_an_interrupted_call_is_an_interrupt() -> None:
    """What else could have cost it."""
    execution = call_with(IDLE, LATER_REPLY, is_interrupted=True)
    assert execution.status == "error"
    assert execution.outputs[0]["ename"] == "KeyboardInterrupt"


def test_a_lost_reply_of_another_call_is_a_kernel_out_of_order() -> None:
    """Nothing is known of its end."""
    with pytest.raises(KernelUnavailableError):
        call_with(IDLE, LATER_REPLY)

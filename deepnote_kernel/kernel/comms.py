"""Bring comm messages to the side that knows the comm."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from deepnote_kernel.kernel.kernel import DeepnoteKernel
    from deepnote_kernel.outputs import JSON

__all__ = ["Comms"]

_INFO_TIMEOUT_S = 1.0


class Comms:
    """Comm messages from the front end: to local code if it opened the comm, else to the far side.

    Args:
        kernel: Knows the session and the local comms.
        local_handlers: What handles each type of comm message here.
    """

    def __init__(self, kernel: DeepnoteKernel, local_handlers: dict[str, Any]) -> None:
        self._kernel = kernel
        self._local_handlers = local_handlers
        # Messages of one comm must arrive in order, and each takes a round trip.
        self._order = asyncio.Lock()

    def is_remote(self, message: JSON) -> bool:
        """Whether a comm message is for the far side."""
        return (
            self._kernel.is_running
            and message["content"].get("comm_id") not in self._kernel.local_comms
        )

    async def handle(self, stream: Any, ident: Any, message: JSON) -> None:
        """Handle a comm message of the front end."""
        if self.is_remote(message):
            await self._send(message)
        else:
            self._local_handlers[message["msg_type"]](stream, ident, message)

    async def open_comms(self, target_name: str) -> JSON:
        """Return the far side's open comms by id; none if it does not say in time."""
        if not self._kernel.is_running:
            return {}
        remote = self._kernel.remote
        try:
            info = await asyncio.wait_for(
                remote.wait(remote.comm_info, target_name), _INFO_TIMEOUT_S
            )
        except (DeepnoteError, asyncio.TimeoutError) as error:
            self._kernel.log.debug("The far side's comms are not known: %s", error)
            return {}
        comms: JSON = info.get("comms", {})
        return comms

    async def _send(self, message: JSON) -> None:
        from deepnote_kernel.outputs import Message  # noqa: PLC0415 - msgspec is not needed to start

        self._kernel.parents.remember(message)
        outgoing = Message(
            msg_type=message["msg_type"],
            content=message["content"],
            metadata=message["metadata"],
            buffers=[bytes(buffer) for buffer in message["buffers"]],
            parent=message["header"]["msg_id"],
        )
        remote = self._kernel.remote
        try:
            async with self._order:
                await remote.wait(remote.send_comm, outgoing)
        except DeepnoteError as error:
            self._kernel.log.debug("A %s did not reach the far side: %s", outgoing.msg_type, error)
            if outgoing.msg_type == "comm_open":
                closed = {"comm_id": message["content"]["comm_id"], "data": {}}
                self._kernel.publish("comm_close", closed, parent=message)

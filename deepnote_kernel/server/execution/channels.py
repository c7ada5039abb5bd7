"""The shell and iopub channels of one kernel process, read as fast as messages come.

jupyter_client's own client decodes every part of every message and polls before each; here one task
per channel reads in bursts and decodes only the two headers. Signatures are checked as there.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import logging
from typing import TYPE_CHECKING, Any

import msgspec
import zmq
import zmq.asyncio
from jupyter_client.session import DELIM

from deepnote_kernel.server.storage.store import now

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from jupyter_client.manager import KernelManager

__all__ = ["Channels", "KernelMessage"]

logger = logging.getLogger(__name__)

_BURST = 64  # messages read before other tasks get their turn

_encode = msgspec.json.Encoder().encode


class _Header(msgspec.Struct):
    msg_type: str = ""
    msg_id: str = ""


_decode_header = msgspec.json.Decoder(_Header).decode


class KernelMessage(msgspec.Struct, frozen=True):
    """A message from a kernel, its content still packed."""

    channel: str
    msg_type: str
    parent_id: str
    content: bytes


class Channels:
    """Connections to one kernel process.

    Args:
        manager: The kernel's manager; it knows the ports and the key.
        on_message: Called with every message that is well formed and carries a valid signature.
        on_lost: Called when the kernel's process closed the connection: it died, or replaced
            itself. A new connection is made as soon as something listens there again.
    """

    def __init__(
        self,
        manager: KernelManager,
        *,
        on_message: Callable[[KernelMessage], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._session = manager.session
        self._on_message = on_message
        self._on_lost = on_lost
        self._ids = (f"{self._session.session}_{n}" for n in itertools.count())
        self._shell: Any = manager.connect_shell()
        self._iopub: Any = manager.connect_iopub()
        # The socket itself knows when its peer is gone; a heartbeat would take seconds to notice.
        self._monitor: Any = self._shell.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._tasks = [
            self._spawn(self._read("shell", self._shell)),
            self._spawn(self._read("iopub", self._iopub)),
            self._spawn(self._watch()),
        ]

    def send(self, msg_type: str, content: dict[str, Any]) -> str:
        """Send a request on the shell channel.

        Returns:
            The request's ``msg_id``: the parent id of all that answers it.
        """
        msg_id = next(self._ids)
        header = {
            "msg_id": msg_id,
            "msg_type": msg_type,
            "username": self._session.username,
            "session": self._session.session,
            "date": now(),
            "version": "5.3",
        }
        parts = [_encode(header), b"{}", b"{}", _encode(content)]
        # Through the asyncio socket: a send may take notice of an answer, and must wake the reader.
        self._shell.send_multipart([DELIM, self._session.sign(parts), *parts])
        return msg_id

    async def close(self) -> None:
        """Close the connections; requests not yet delivered are dropped."""
        if self._shell.closed:
            return
        for task in self._tasks:
            task.cancel()
        self._shell.disable_monitor()
        for socket in (self._shell, self._iopub, self._monitor):
            socket.close(linger=0)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(coroutine)

    async def _read(self, channel: str, socket: Any) -> None:
        for count in itertools.count(1):
            parts = await socket.recv_multipart()
            try:
                self._on_message(self._unpack(channel, parts))
            except (ValueError, msgspec.MsgspecError) as error:
                logger.warning("A message from the kernel cannot be read: %s", error)
            if count % _BURST == 0:
                # A receive that need not wait does not yield by itself.
                await asyncio.sleep(0)

    def _unpack(self, channel: str, parts: list[bytes]) -> KernelMessage:
        start = parts.index(DELIM) + 1
        signature, header, parent, metadata, content = parts[start : start + 5]
        signed = self._session.sign([header, parent, metadata, content])
        if not hmac.compare_digest(signature, signed):
            raise ValueError("its signature is wrong")
        return KernelMessage(
            channel, _decode_header(header).msg_type, _decode_header(parent).msg_id, content
        )

    async def _watch(self) -> None:
        while True:
            await self._monitor.recv_multipart()
            self._on_lost()

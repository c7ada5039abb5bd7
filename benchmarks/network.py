"""A TCP proxy that holds every byte back for a while: a network with a long way, on one computer.

Bandwidth stays that of the computer: this adds time, as distance does, and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["distant"]


class _End(asyncio.Protocol):
    """One end of a connection through the proxy.

    What arrives here goes out at ``other`` after ``delay_s``; after the time of a handshake more
    where the connection is new.
    """

    def __init__(self, delay_s: float) -> None:
        self.other: _End | None = None
        self.open_at = 0.0
        self._delay_s = delay_s
        self._held: deque[bytes] = deque()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self._held.append(data)
        loop = asyncio.get_running_loop()
        loop.call_at(max(loop.time(), self.open_at) + self._delay_s, self._pass_on)

    def connection_lost(self, _error: Exception | None) -> None:
        self.data_received(b"")

    def write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if data:
            self._transport.write(data)
        else:
            self._transport.close()

    def _pass_on(self) -> None:
        data = self._held.popleft()
        if self.other is not None:
            self.other.write(data)


class _Entrance(_End):
    """The end that clients connect to."""

    def __init__(self, delay_s: float, host: str, port: int) -> None:
        super().__init__(delay_s)
        self._address = host, port
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        # A client may send only once the server's answer to its first packet is here.
        self.open_at = loop.time() + 2 * self._delay_s
        self._connecting = loop.create_task(self._connect())

    async def _connect(self) -> None:
        _, exit_ = await asyncio.get_running_loop().create_connection(
            lambda: _End(self._delay_s), *self._address
        )
        exit_.other, self.other = self, exit_


@contextmanager
def distant(url: str, round_trip_s: float) -> Iterator[str]:
    """Put a distance between this computer and a server on it, until the end of the block.

    In a process of its own, so that nothing else delays it.

    Args:
        url: The server's address.
        round_trip_s: Seconds from a request to its answer, where the server takes none.

    Yields:
        The address that lies so far away.
    """
    address = urlsplit(url)
    command = [sys.executable, __file__, f"{address.hostname}:{address.port}", f"{round_trip_s}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline() if process.stdout else "")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


async def _serve(host: str, port: int, delay_s: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Entrance(delay_s, host, port), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Run the proxy until a signal ends it; print its port first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="host:port")
    parser.add_argument("round_trip_s", type=float, help="seconds of delay for both ways together")
    arguments = parser.parse_args()
    host, port = arguments.server.rsplit(":", 1)
    asyncio.run(_serve(host, int(port), arguments.round_trip_s / 2))


if __name__ == "__main__":
    main()

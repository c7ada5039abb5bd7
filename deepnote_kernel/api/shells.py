"""What the clients of every system share: a core, and two thin shells that block or await."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from deepnote_kernel.api import requests
from deepnote_kernel.api.exchange import exchange, finished
from deepnote_kernel.api.responses import Reader
from deepnote_kernel.api.retry import Retry
from deepnote_kernel.config import Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from typing_extensions import Self

    from deepnote_kernel.api.call import Call
    from deepnote_kernel.api.exchange import Wire
    from deepnote_kernel.api.requests import Request
    from deepnote_kernel.api.transport import AsyncBaseTransport, BaseTransport

__all__ = ["AsyncShell", "BlockingShell", "Core", "Server"]

T = TypeVar("T")


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where calls go."""

    reader: Reader
    """Reads the answers; knows the address."""

    credentials: dict[str, Secret]
    """Headers that say who asks."""

    allow_http: bool = False
    """Whether an address that is not on this computer may be without encryption."""


class Core:
    """Turns calls into requests, and what comes of those into results."""

    def __init__(self, server: Server, retry: Retry | None, clock: Callable[[], float]) -> None:
        self.base_url = server.reader.base_url
        self._server = server
        self._retry = retry or Retry()
        self._clock = clock

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    def _request(self, call: Call[Any]) -> Request:
        credentials = {name: value.reveal() for name, value in self._server.credentials.items()}
        return requests.build(
            call,
            base_url=self.base_url,
            credentials=credentials,
            allow_http=self._server.allow_http,
        )

    async def _exchange(self, call: Call[T], wire: Wire) -> T:
        return await exchange(
            call,
            self._request(call),
            wire,
            reader=self._server.reader,
            retry=self._retry,
            clock=self._clock,
        )


class BlockingShell(Core):
    """Blocks until the answer to a call is there. Threads may share it."""

    def __init__(
        self,
        server: Server,
        *,
        transport: BaseTransport | None,
        sleep: Callable[[float], None] | None,
        retry: Retry | None,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(server, retry, clock)
        from deepnote_kernel.api.transport import BlockingWire  # noqa: PLC0415 - httpx takes 100 ms

        is_loopback = server.reader.is_loopback
        self._wire = BlockingWire(is_loopback=is_loopback, transport=transport, sleep=sleep)

    def send(self, call: Call[T]) -> T:
        """Send a call and return its result.

        Raises:
            DeepnoteError: What went wrong, after the retries the call allows.
        """
        return finished(self._exchange(call, self._wire))

    def close(self) -> None:
        """Close the connections. Nothing can be sent afterwards."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncShell(Core):
    """Awaits the answers to calls; several may be under way at once, on one event loop."""

    def __init__(
        self,
        server: Server,
        *,
        transport: AsyncBaseTransport | None,
        sleep: Callable[[float], Awaitable[None]] | None,
        retry: Retry | None,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(server, retry, clock)
        from deepnote_kernel.api.transport import AsyncWire  # noqa: PLC0415 - httpx takes 100 ms

        is_loopback = server.reader.is_loopback
        self._wire = AsyncWire(is_loopback=is_loopback, transport=transport, sleep=sleep)

    async def send(self, call: Call[T]) -> T:
        """Send a call and return its result.

        Raises:
            DeepnoteError: What went wrong, after the retries the call allows.
        """
        return await self._exchange(call, self._wire)

    async def aclose(self) -> None:
        """Close the connections. Nothing can be sent afterwards."""
        await self._wire.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

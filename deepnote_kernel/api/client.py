"""Two clients, one that blocks and one that awaits, over one core."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from deepnote_kernel.api import requests
from deepnote_kernel.api.call import next_page
from deepnote_kernel.api.exchange import exchange, finished
from deepnote_kernel.api.responses import Reader
from deepnote_kernel.api.retry import Retry
from deepnote_kernel.config import DEFAULT_BASE_URL, Secret, normalized_base_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from deepnote_kernel.api.call import Call
    from deepnote_kernel.api.exchange import Wire
    from deepnote_kernel.api.models import Page
    from deepnote_kernel.api.transport import AsyncBaseTransport, BaseTransport

__all__ = ["AsyncClient", "Client"]

T = TypeVar("T")


class _Core:
    def __init__(
        self,
        *,
        token: Secret,
        base_url: str = DEFAULT_BASE_URL,
        allow_http: bool = False,
        retry: Retry | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.base_url = requests.check_url(normalized_base_url(base_url), allow_http=allow_http)
        self._token = requests.check_token(token)
        self._allow_http = allow_http
        self._retry = retry or Retry()
        self._clock = clock
        self._is_loopback = requests.is_loopback(self.base_url)
        self._reader = Reader(
            base_url=self.base_url, is_loopback=self._is_loopback, secrets=(self._token,)
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    async def _exchange(self, call: Call[T], wire: Wire) -> T:
        request = requests.build(
            call,
            base_url=self.base_url,
            credentials={"Authorization": f"Bearer {self._token.reveal()}"},
            allow_http=self._allow_http,
        )
        return await exchange(
            call, request, wire, reader=self._reader, retry=self._retry, clock=self._clock
        )


class Client(_Core):
    """Sends calls and blocks until the answer is there. May be shared between threads.

    Args:
        token: API key of a workspace.
        base_url: The API's address without a version suffix.
        allow_http: Whether an address that is not on this computer may be without encryption.
        retry: When to send a call again.
        transport: Takes the network's place: an httpx transport.
        sleep: Waits before a retry, for a number of seconds.
        clock: Gives the time in seconds since the epoch.

    Raises:
        ConfigError: The token or the address cannot work; nothing was sent.
    """

    def __init__(  # noqa: PLR0913 - one knob each
        self,
        *,
        token: Secret,
        base_url: str = DEFAULT_BASE_URL,
        allow_http: bool = False,
        retry: Retry | None = None,
        transport: BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            token=token, base_url=base_url, allow_http=allow_http, retry=retry, clock=clock
        )
        from deepnote_kernel.api.transport import BlockingWire  # noqa: PLC0415 - httpx takes 100 ms

        self._wire = BlockingWire(is_loopback=self._is_loopback, transport=transport, sleep=sleep)

    def send(self, call: Call[T]) -> T:
        """Send a call and return its result.

        Raises:
            DeepnoteError: What went wrong, after the retries the call allows.
        """
        return finished(self._exchange(call, self._wire))

    def iterate(self, call: Call[Page[T]]) -> Iterator[T]:
        """Yield the items of a listing, fetching pages as they are needed."""
        following: Call[Page[T]] | None = call
        while following:
            page = self.send(following)
            yield from page.items
            following = next_page(following, page)

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


class AsyncClient(_Core):
    """Sends calls and awaits the answers; several may be under way at once, on one event loop.

    Takes the arguments of :class:`Client`; ``transport`` and ``sleep`` are asynchronous here.

    Raises:
        ConfigError: The token or the address cannot work; nothing was sent.
    """

    def __init__(  # noqa: PLR0913 - one knob each
        self,
        *,
        token: Secret,
        base_url: str = DEFAULT_BASE_URL,
        allow_http: bool = False,
        retry: Retry | None = None,
        transport: AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            token=token, base_url=base_url, allow_http=allow_http, retry=retry, clock=clock
        )
        from deepnote_kernel.api.transport import AsyncWire  # noqa: PLC0415 - httpx takes 100 ms

        self._wire = AsyncWire(is_loopback=self._is_loopback, transport=transport, sleep=sleep)

    async def send(self, call: Call[T]) -> T:
        """Send a call and return its result.

        Raises:
            DeepnoteError: What went wrong, after the retries the call allows.
        """
        return await self._exchange(call, self._wire)

    async def iterate(self, call: Call[Page[T]]) -> AsyncIterator[T]:
        """Yield the items of a listing, fetching pages as they are needed."""
        following: Call[Page[T]] | None = call
        while following:
            page = await self.send(following)
            for item in page.items:
                yield item
            following = next_page(following, page)

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

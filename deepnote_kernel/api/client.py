"""Two clients, one that blocks and one that awaits, over one core.

The core is a coroutine that waits through its wire alone. With the asynchronous wire it suspends
where asyncio needs it to; with the blocking one it runs from start to end in a single step.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from deepnote_kernel.api import requests
from deepnote_kernel.api.call import next_page
from deepnote_kernel.api.responses import Reader
from deepnote_kernel.api.retry import Retry
from deepnote_kernel.config import DEFAULT_BASE_URL, Secret, normalized_base_url
from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from deepnote_kernel.api.call import Call
    from deepnote_kernel.api.models import Page
    from deepnote_kernel.api.requests import Request
    from deepnote_kernel.api.responses import Answer, Failure
    from deepnote_kernel.api.transport import AsyncBaseTransport, BaseTransport

__all__ = ["AsyncClient", "Client"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


class _Wire(Protocol):
    async def send(self, request: Request) -> Answer | Failure: ...
    async def sleep(self, delay_s: float) -> None: ...


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
            base_url=self.base_url, is_loopback=self._is_loopback, token=self._token
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    async def _exchange(self, call: Call[T], wire: _Wire) -> T:
        request = requests.build(
            call, base_url=self.base_url, token=self._token, allow_http=self._allow_http
        )
        attempt = 1
        while True:
            outcome = await wire.send(request)
            try:
                return self._reader.read(call, outcome, attempt=attempt, now_s=self._clock())
            except DeepnoteError as error:
                delay_s = self._retry.delay_s(error, attempt=attempt, replay_safe=call.replay_safe)
                if delay_s is None:
                    raise
                _log.debug("%s Trying again in %.1f s.", error.message, delay_s)
            await wire.sleep(delay_s)
            attempt += 1


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
        return _finished(self._exchange(call, self._wire))

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


def _finished(coroutine: Coroutine[None, None, T]) -> T:
    """Run a coroutine that never suspends, as those over the blocking wire are."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value  # type: ignore[no-any-return]
    raise AssertionError("a blocking call has suspended")

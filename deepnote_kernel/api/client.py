"""Two clients of Deepnote's API, one that blocks and one that awaits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from deepnote_kernel.api import requests
from deepnote_kernel.api.call import next_page
from deepnote_kernel.api.responses import Reader
from deepnote_kernel.api.shells import AsyncShell, BlockingShell, Server
from deepnote_kernel.config import DEFAULT_BASE_URL, Secret, normalized_base_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from deepnote_kernel.api.call import Call
    from deepnote_kernel.api.models import Page
    from deepnote_kernel.api.retry import Retry
    from deepnote_kernel.api.transport import AsyncBaseTransport, BaseTransport

__all__ = ["AsyncClient", "Client"]

T = TypeVar("T")


class Client(BlockingShell):
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
        server = _server(token, base_url, allow_http=allow_http)
        super().__init__(server, transport=transport, sleep=sleep, retry=retry, clock=clock)

    def iterate(self, call: Call[Page[T]]) -> Iterator[T]:
        """Yield the items of a listing, fetching pages as they are needed."""
        following: Call[Page[T]] | None = call
        while following:
            page = self.send(following)
            yield from page.items
            following = next_page(following, page)


class AsyncClient(AsyncShell):
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
        server = _server(token, base_url, allow_http=allow_http)
        super().__init__(server, transport=transport, sleep=sleep, retry=retry, clock=clock)

    async def iterate(self, call: Call[Page[T]]) -> AsyncIterator[T]:
        """Yield the items of a listing, fetching pages as they are needed."""
        following: Call[Page[T]] | None = call
        while following:
            page = await self.send(following)
            for item in page.items:
                yield item
            following = next_page(following, page)


def _server(token: Secret, base_url: str, *, allow_http: bool) -> Server:
    url = requests.check_url(normalized_base_url(base_url), allow_http=allow_http)
    token = requests.check_token(token)
    reader = Reader(base_url=url, is_loopback=requests.is_loopback(url), secrets=(token,))
    credentials = {"Authorization": Secret(f"Bearer {token.reveal()}")}
    return Server(reader=reader, credentials=credentials, allow_http=allow_http)

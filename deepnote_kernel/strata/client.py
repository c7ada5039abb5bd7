"""Two clients of a Strata server, one that blocks and one that awaits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from deepnote_kernel.api import requests
from deepnote_kernel.api.exchange import finished
from deepnote_kernel.api.shells import AsyncShell, BlockingShell, Core, Server
from deepnote_kernel.config import Secret
from deepnote_kernel.errors import ConfigError, DeepnoteError
from deepnote_kernel.strata import features
from deepnote_kernel.strata.answers import StrataReader, is_unknown_route
from deepnote_kernel.strata.features import Features

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from deepnote_kernel.api.call import Call
    from deepnote_kernel.api.exchange import Wire
    from deepnote_kernel.api.responses import Answer, Failure
    from deepnote_kernel.api.retry import Retry
    from deepnote_kernel.api.transport import AsyncBaseTransport, BaseTransport

__all__ = ["DEFAULT_URL", "AsyncClient", "Client", "checked_headers", "checked_url"]

DEFAULT_URL = "http://127.0.0.1:8765"
"""Where a server listens unless told otherwise."""

T = TypeVar("T")


class _Core(Core):
    """A core that says of a call which the server's version lacks that it does."""

    _features: Features | None = None

    async def _exchange(self, call: Call[T], wire: Wire) -> T:
        try:
            return await super()._exchange(call, wire)
        except DeepnoteError as error:
            await self._explain(error, call, wire)
            raise

    async def _explain(self, error: DeepnoteError, call: Call[Any], wire: Wire) -> None:
        """Raise the better error where the server's version lacks the call."""
        if is_unknown_route(error):
            found = await self._find_features(wire)
            if found.routes and not found.has(call):
                raise found.missing(call) from None

    async def _find_features(self, wire: Wire) -> Features:
        if self._features is None:
            document = await super()._exchange(features.openapi(), wire)
            version = await super()._exchange(features.version(), wire)
            self._features = Features.read(document, version=version)
        return self._features

    def _events(self, call: Call[list[T]], outcome: Answer | Failure) -> list[T]:
        return self._server.reader.read(call, outcome, attempt=1, now_s=self._clock())


class Client(BlockingShell, _Core):
    """Sends calls to a Strata server and blocks until the answer is there. Threads may share it.

    Args:
        base_url: The server's address.
        headers: What goes along with every request: an authenticating proxy's headers, say. Their
            values appear in no message.
        allow_http: Whether an address that is not on this computer may be without encryption.
        retry: When to send a call again.
        transport: Takes the network's place: an httpx transport.
        sleep: Waits before a retry, for a number of seconds.
        clock: Gives the time in seconds since the epoch.

    Raises:
        ConfigError: The address or a header cannot work; nothing was sent.
    """

    def __init__(  # noqa: PLR0913 - one knob each
        self,
        base_url: str = DEFAULT_URL,
        *,
        headers: Mapping[str, str] | None = None,
        allow_http: bool = False,
        retry: Retry | None = None,
        transport: BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        server = _server(base_url, headers or {}, allow_http=allow_http)
        super().__init__(server, transport=transport, sleep=sleep, retry=retry, clock=clock)

    def stream(self, call: Call[list[T]]) -> Iterator[T]:
        """Send a call and yield the events of its answer as they come.

        Raises:
            UnsupportedError: The server's version has no such call.
            DeepnoteError: What else went wrong. Nothing is sent again.
        """
        for outcome in self._wire.stream(self._request(call)):
            try:
                yield from self._events(call, outcome)
            except DeepnoteError as error:
                finished(self._explain(error, call, self._wire))
                raise

    def features(self) -> Features:
        """Return what the server's version has; asks once."""
        return finished(self._find_features(self._wire))


class AsyncClient(AsyncShell, _Core):
    """Sends calls to a Strata server and awaits the answers; several may be under way at once.

    Takes the arguments of :class:`Client`; ``transport`` and ``sleep`` are asynchronous here.

    Raises:
        ConfigError: The address or a header cannot work; nothing was sent.
    """

    def __init__(  # noqa: PLR0913 - one knob each
        self,
        base_url: str = DEFAULT_URL,
        *,
        headers: Mapping[str, str] | None = None,
        allow_http: bool = False,
        retry: Retry | None = None,
        transport: AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        server = _server(base_url, headers or {}, allow_http=allow_http)
        super().__init__(server, transport=transport, sleep=sleep, retry=retry, clock=clock)

    async def stream(self, call: Call[list[T]]) -> AsyncIterator[T]:
        """Send a call and yield the events of its answer as they come.

        Raises:
            UnsupportedError: The server's version has no such call.
            DeepnoteError: What else went wrong. Nothing is sent again.
        """
        async for outcome in self._wire.stream(self._request(call)):
            try:
                events = self._events(call, outcome)
            except DeepnoteError as error:
                await self._explain(error, call, self._wire)
                raise
            for event in events:
                yield event

    async def features(self) -> Features:
        """Return what the server's version has; asks once."""
        return await self._find_features(self._wire)


def _server(base_url: str, headers: Mapping[str, str], *, allow_http: bool) -> Server:
    url = checked_url(base_url, allow_http=allow_http)
    secrets = {name: Secret(value) for name, value in checked_headers(headers).items()}
    reader = StrataReader(
        base_url=url, is_loopback=requests.is_loopback(url), secrets=tuple(secrets.values())
    )
    return Server(reader=reader, credentials=secrets, allow_http=allow_http)


def checked_url(url: str, *, allow_http: bool = False) -> str:
    """Return a server's address without closing slashes or version, or raise.

    Raises:
        ConfigError: It is no web address, holds credentials, or would carry data unencrypted.
    """
    if "@" in urlsplit(url).netloc:
        raise ConfigError(
            "The Strata address holds a user name or password.", "Give them as a header instead."
        )
    requests.check_url(url, allow_http=allow_http)
    return url.rstrip("/").removesuffix("/v1").rstrip("/")


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers that fit into a request, or raise.

    Raises:
        ConfigError: A name or a value holds a character that a header cannot.
    """
    for name, value in headers.items():
        if not (name.isascii() and name.isprintable() and value.isascii() and value.isprintable()):
            raise ConfigError(
                f"The header {name!r} holds a character that no header may.",
                "Give plain text without line breaks.",
            )
    return dict(headers)

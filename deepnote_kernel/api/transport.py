"""Bytes over HTTP: the only module that knows httpx.

Two wires with the same methods. The blocking one's are coroutines as well, but they never suspend,
so that :class:`~deepnote_kernel.api.client.Client` can run the core that both clients share.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import anyio
import httpx

from deepnote_kernel._version import __version__
from deepnote_kernel.api.responses import Answer, Failure
from deepnote_kernel.errors import ConnectionFailedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from deepnote_kernel.api.requests import Request
    from deepnote_kernel.api.transfer import Download, Progress

__all__ = ["AsyncBaseTransport", "AsyncWire", "BaseTransport", "BlockingWire"]

BaseTransport = httpx.BaseTransport
AsyncBaseTransport = httpx.AsyncBaseTransport

_ERRORS = (httpx.RequestError, httpx.InvalidURL)
_UNREACHED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)

_CONNECT_TIMEOUT_S = 5.0

# People pause between cells; a warm connection saves three round trips on the next one. Where the
# server has closed it meanwhile, httpx notices before a request goes out on it.
_KEEPALIVE_S = 60.0


class BlockingWire:
    """Sends requests and waits for the answers.

    Args:
        is_loopback: Whether the server is on this computer.
        transport: Takes the network's place.
        sleep: Waits for a number of seconds; ``None`` for the real thing.
    """

    def __init__(
        self,
        *,
        is_loopback: bool,
        transport: BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        with _setting_up():
            self._http = httpx.Client(transport=transport, **_options(is_loopback=is_loopback))
        self._sleep = sleep or time.sleep

    async def send(self, request: Request) -> Answer | Failure:
        """Send one request, once."""
        try:
            with _sending(request) as arguments, self._http.stream(**arguments) as response:
                if request.download is None or not response.is_success:
                    response.read()
                    return _answer(response)
                with _receiving(request.download, response) as receiver:
                    for chunk in response.iter_bytes():
                        receiver.write(chunk)
                    return receiver.answer()
        except _ERRORS as error:
            return _failure(error)

    def stream(self, request: Request) -> Iterator[Answer | Failure]:
        """Send one request and yield each event of its answer, as it comes, as an answer."""
        try:
            with self._http.stream(**_arguments(request)) as response:
                if not _has_events(response):
                    response.read()
                    yield _answer(response)
                    return
                events = _Events(response)
                for line in response.iter_lines():
                    yield from events.after(line)
        except _ERRORS as error:
            yield _failure(error)

    async def sleep(self, delay_s: float) -> None:
        """Wait before a retry."""
        self._sleep(delay_s)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class AsyncWire:
    """Sends requests and awaits the answers. Arguments as for :class:`BlockingWire`."""

    def __init__(
        self,
        *,
        is_loopback: bool,
        transport: AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        with _setting_up():
            self._http = httpx.AsyncClient(transport=transport, **_options(is_loopback=is_loopback))
        self._sleep = sleep or anyio.sleep

    async def send(self, request: Request) -> Answer | Failure:
        """Send one request, once."""
        # Files are read and written between the pieces: the system takes each in microseconds.
        try:
            with _sending(request) as arguments:
                async with self._http.stream(**arguments) as response:
                    if request.download is None or not response.is_success:
                        await response.aread()
                        return _answer(response)
                    with _receiving(request.download, response) as receiver:
                        async for chunk in response.aiter_bytes():
                            receiver.write(chunk)
                        return receiver.answer()
        except _ERRORS as error:
            return _failure(error)

    async def stream(self, request: Request) -> AsyncIterator[Answer | Failure]:
        """Send one request and yield each event of its answer, as it comes, as an answer."""
        try:
            async with self._http.stream(**_arguments(request)) as response:
                if not _has_events(response):
                    await response.aread()
                    yield _answer(response)
                    return
                events = _Events(response)
                async for line in response.aiter_lines():
                    for answer in events.after(line):
                        yield answer
        except _ERRORS as error:
            yield _failure(error)

    async def sleep(self, delay_s: float) -> None:
        """Wait before a retry."""
        await self._sleep(delay_s)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class _Events:
    """Cuts a stream of server-sent events, whose lines come one by one, where each event ends."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._lines: list[str] = []

    def after(self, line: str) -> Iterator[Answer]:
        if line:
            self._lines.append(line)
        elif self._lines:
            body = "\n".join(self._lines).encode()
            self._lines.clear()
            yield Answer(
                status=self._response.status_code, headers=self._response.headers, body=body
            )


class _Receiver:
    """Takes the body of a download piece by piece."""

    def __init__(self, file: BinaryIO, response: httpx.Response, progress: Progress | None) -> None:
        self._file = file
        self._response = response
        self._progress = progress
        length = response.headers.get("content-length", "")
        # The length is that of what travels, and says nothing of what was compressed for the way.
        is_known = length.isdecimal() and "content-encoding" not in response.headers
        self._size_bytes = int(length) if is_known else None

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        if self._progress:
            self._progress(self._file.tell(), self._size_bytes)

    def answer(self) -> Answer:
        body = self._file.getvalue() if isinstance(self._file, BytesIO) else b""
        return Answer(status=self._response.status_code, headers=self._response.headers, body=body)


@contextlib.contextmanager
def _receiving(download: Download, response: httpx.Response) -> Iterator[_Receiver]:
    with download.open() as file:
        yield _Receiver(file, response, download.progress)


@contextlib.contextmanager
def _sending(request: Request) -> Iterator[dict[str, Any]]:
    """Give the arguments of a request, whose file is open meanwhile."""
    arguments = _arguments(request)
    if (form := request.form) is None:
        yield arguments
        return
    with form.open() as source:
        # httpx writes the fields before the file, so that a server can check them first.
        file = (form.file_name, source, "application/octet-stream")
        yield arguments | {"data": form.fields, "files": {"file": file}}


def _has_events(response: httpx.Response) -> bool:
    content_type: str = response.headers.get("content-type", "")
    return content_type.startswith("text/event-stream")


@contextlib.contextmanager
def _setting_up() -> Iterator[None]:
    """Say in one line what is wrong with the proxies and certificates of this computer."""
    try:
        yield
    # An ImportError: a SOCKS proxy needs one package more.
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        raise ConnectionFailedError(
            f"Connections cannot be set up on this computer: {error}".rstrip(".") + ".",
            "Check the variables HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from None


def _options(*, is_loopback: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "headers": {"User-Agent": f"deepnote-kernel/{__version__}"},
        "limits": httpx.Limits(keepalive_expiry=_KEEPALIVE_S),
        "follow_redirects": False,
    }
    if is_loopback:
        # A proxy has no business between two programs of one computer, and no certificate needs
        # checking there: loading the authorities would double the time it takes to make a client.
        options |= {"trust_env": False, "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}
    return options


def _arguments(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.url,
        "headers": request.headers,
        "content": request.content,
        "timeout": httpx.Timeout(
            request.timeout_s, connect=_CONNECT_TIMEOUT_S, pool=_CONNECT_TIMEOUT_S
        ),
    }


def _answer(response: httpx.Response) -> Answer:
    return Answer(status=response.status_code, headers=response.headers, body=response.content)


def _failure(error: Exception) -> Failure:
    # A value, not an exception: httpx's own holds the request, and with it the token.
    reason = str(error) or type(error).__name__
    if isinstance(error, _UNREACHED):
        return Failure(kind="unreached", reason=reason)
    if isinstance(error, httpx.TimeoutException):
        return Failure(kind="timeout", reason=reason)
    return Failure(kind="broken", reason=reason)

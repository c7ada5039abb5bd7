"""A notebook's WebSocket: what happens in it, as it happens; and its inspector.

    async with Socket(session_id) as socket:
        async for frame in socket:
            print(frame.type, frame.payload)

The answers to what is sent come as frames among all others. A server works off one socket's frames
one after another, so an inspector deserves a socket of its own.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from deepnote_kernel.api import reading
from deepnote_kernel.api.requests import is_loopback
from deepnote_kernel.errors import (
    ConnectionFailedError,
    DeepnoteError,
    RequestTimeoutError,
    ResponseFormatError,
    TransportError,
)
from deepnote_kernel.strata.answers import START_SERVER
from deepnote_kernel.strata.client import DEFAULT_URL, checked_headers, checked_url
from deepnote_kernel.strata.refusals import SessionClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    from typing_extensions import Self
    from websockets.asyncio.client import ClientConnection

__all__ = ["Frame", "Socket"]

_OPEN_TIMEOUT_S = 10.0
_FORBIDDEN = 403

# websockets writes the headers of the handshake, secrets and all, into its log for debugging.
_SILENT = logging.Logger(__name__, logging.CRITICAL)  # noqa: LOG001 - no handler shall find it


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message, either way."""

    type: str
    payload: dict[str, Any] = {}
    seq: int = 0
    """Grows by one with each frame of a session since 0.8.0; earlier servers repeat numbers."""

    ts: str | float | None = None
    """When the server sent it."""


class Socket:
    """A connection to an open notebook. One task may read it while others send.

    Args:
        session_id: The notebook's session.
        base_url: The server's address.
        headers: What goes along with the request to connect.
        is_viewer: Whether the server shall refuse whatever would change the notebook.
        allow_http: Whether an address that is not on this computer may be without encryption.

    Raises:
        ConfigError: The address or a header cannot work.
    """

    def __init__(
        self,
        session_id: str,
        base_url: str = DEFAULT_URL,
        *,
        headers: Mapping[str, str] | None = None,
        is_viewer: bool = False,
        allow_http: bool = False,
    ) -> None:
        self.base_url = checked_url(base_url, allow_http=allow_http)
        self.session_id = session_id
        self._headers = checked_headers(headers or {})
        role = f"?{urlencode({'role': 'viewer'})}" if is_viewer else ""
        path = f"/v1/notebooks/ws/{quote(session_id, safe='')}{role}"
        self._address = f"ws{self.base_url.removeprefix('http')}{path}"
        self._connection: ClientConnection | None = None

    def __repr__(self) -> str:
        return f"Socket({self.session_id!r}, {self.base_url!r})"

    async def open(self) -> None:
        """Connect.

        Raises:
            ConnectionFailedError: The server cannot be reached.
            SessionClosedError: The server has no such session, or no longer.
        """
        from websockets.asyncio.client import connect  # noqa: PLC0415 - takes 50 ms
        from websockets.exceptions import InvalidHandshake, InvalidStatus  # noqa: PLC0415

        try:
            self._connection = await connect(
                self._address,
                additional_headers=self._headers,
                max_size=None,  # a frame holds all outputs of a notebook
                open_timeout=_OPEN_TIMEOUT_S,
                proxy=None if is_loopback(self.base_url) else True,
                logger=_SILENT,
            )
        except InvalidStatus as refused:
            raise self._refused(refused.response.status_code) from None
        except (InvalidHandshake, OSError, asyncio.TimeoutError) as error:
            reason = str(error) or "no answer"
            raise ConnectionFailedError(
                f"The notebook's socket at {self.base_url} did not open: {reason.rstrip('.')}.",
                START_SERVER,
            ) from None

    def _refused(self, status: int) -> DeepnoteError:
        message = f"The notebook's socket at {self.base_url} answered {status}."
        if status == _FORBIDDEN:
            advice = "Open the notebook by its path again, or check STRATA_HEADERS."
            return SessionClosedError(
                f"{message} The session has ended, or is not yours.", advice, status_code=status
            )
        return ConnectionFailedError(message, "Check STRATA_URL and STRATA_HEADERS.")

    async def send(self, kind: str, **payload: Any) -> None:
        """Send a message.

        Args:
            kind: ``cell_cancel``, ``notebook_sync`` and so on.
            **payload: What it says: ``cell_id`` and so on.

        Raises:
            TransportError: The connection has ended.
        """
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415

        message = msgspec.json.encode(Frame(type=kind, payload=payload)).decode()
        try:
            await self._connected().send(message)
        except ConnectionClosed:
            raise self._ended() from None

    async def __aiter__(self) -> AsyncIterator[Frame]:
        """Yield what comes until the connection ends; why it did may be a ``session_closed``."""
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415

        try:
            async for message in self._connected():
                yield _frame(message)
        except ConnectionClosed:
            return

    async def wait_for(self, *kinds: str, timeout_s: float = 30.0) -> Frame:
        """Return the next frame of one of these types, passing over all others.

        Args:
            *kinds: The types.
            timeout_s: Seconds to wait.

        Raises:
            RequestTimeoutError: None came in time.
            TransportError: The connection has ended.
        """
        try:
            return await asyncio.wait_for(self._next(kinds), timeout_s)
        except asyncio.TimeoutError:
            raise RequestTimeoutError(
                f"The notebook's socket sent no {' or '.join(kinds)} within {timeout_s:g} s.",
                "Try again in a moment.",
            ) from None

    async def _next(self, kinds: tuple[str, ...]) -> Frame:
        async for frame in self:
            if frame.type in kinds:
                return frame
        raise self._ended()

    def _connected(self) -> ClientConnection:
        if self._connection is None:
            raise TransportError("The notebook's socket is not open.", "Open it first.")
        return self._connection

    def _ended(self) -> TransportError:
        return TransportError(
            f"The notebook's socket at {self.base_url} has closed.",
            "The session or its server has ended: open the notebook by its path again.",
        )

    async def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            await self._connection.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _frame(message: str | bytes) -> Frame:
    body = message.encode() if isinstance(message, str) else message
    try:
        return reading.decode(body, Frame)
    except ValueError as error:
        raise ResponseFormatError(
            f"The notebook's socket sent what cannot be read: {error}.",
            "Check STRATA_URL, and that it is a Strata server.",
        ) from None

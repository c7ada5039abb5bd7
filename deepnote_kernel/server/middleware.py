"""What stands before every request handler: who may call, under which name, with how much."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from deepnote_kernel.server.errors import PayloadTooLargeError
from deepnote_kernel.server.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BearerMiddleware", "BodyLimitMiddleware", "HostMiddleware"]


class HostMiddleware:
    """Refuses requests that were not addressed to this server by a name it knows.

    A web page can make its own host name resolve to 127.0.0.1 and so reach a server that listens
    there; its requests still carry the page's host name (DNS rebinding).

    Args:
        app: The application behind.
        hosts: Names without port, lower case; empty lets all pass.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 400."""
        if scope["type"] == "http" and self._hosts and self._host(scope) not in self._hosts:
            answer = JSONResponse({"message": "Host is not allowed"}, HTTPStatus.BAD_REQUEST)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _host(self, scope: Scope) -> str:
        host = _header(scope, b"host").decode("latin-1").lower()
        name, colon, port = host.rpartition(":")
        return name if colon and port.isdecimal() else host


class BearerMiddleware:
    """Refuses requests without the server's token.

    Args:
        app: The application behind.
        token: The token.
        open_prefixes: Paths that carry a permission of their own, or need none.
    """

    def __init__(self, app: ASGIApp, token: str, open_prefixes: tuple[str, ...]) -> None:
        self._app = app
        self._token = token.encode()
        self._open_prefixes = open_prefixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] == "http" and not self._may_pass(scope):
            answer = JSONResponse(
                {"message": "Unauthorized"},
                HTTPStatus.UNAUTHORIZED,
                headers={"WWW-Authenticate": "Bearer"},
            )
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        scheme, _, token = _header(scope, b"authorization").partition(b" ")
        is_ours = hmac.compare_digest(token.strip(), self._token)
        return (scheme.lower() == b"bearer" and is_ours) or scope["path"].startswith(
            self._open_prefixes
        )


class BodyLimitMiddleware:
    """Refuses request bodies above a size.

    Args:
        app: The application behind.
        limit_bytes: The largest body, in bytes.
        exceptions: Other limits, by path.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int, exceptions: Mapping[str, int]) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._exceptions = exceptions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer 413 once its body grows too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        size = 0
        limit_bytes = self._exceptions.get(scope["path"], self._limit_bytes)
        error = PayloadTooLargeError(f"Body is larger than {limit_bytes} bytes")

        async def receive_some() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit_bytes:
                raise error
            return message

        announced = _header(scope, b"content-length")
        if announced.isdigit() and int(announced) > limit_bytes:
            answer = JSONResponse({"message": str(error)}, error.status_code)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive_some, send)


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")

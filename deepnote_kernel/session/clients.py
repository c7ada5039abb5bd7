"""Clients for the server a session runs on. A token never goes to another one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from deepnote_kernel.api import AsyncClient, Client
from deepnote_kernel.config import LOCAL, Secret
from deepnote_kernel.credentials import stored_token
from deepnote_kernel.errors import MissingTokenError, SessionError
from deepnote_kernel.session import local

if TYPE_CHECKING:
    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.local import LocalServer
    from deepnote_kernel.session.record import Record

__all__ = ["client_for", "open_blocking_client", "open_client"]


async def open_client(settings: Settings) -> AsyncClient:
    """Return a client for the server the settings name, having started it if it is the local one.

    Args:
        settings: Address and token.

    Raises:
        MissingTokenError: There is no token.
        SessionStartError: The local server did not start.
    """
    if settings.is_local:
        return _local_client(await asyncio.to_thread(local.find_or_start))
    return AsyncClient(
        token=await asyncio.to_thread(_token, settings),
        base_url=settings.base_url,
        allow_http=settings.allow_http,
    )


def open_blocking_client(settings: Settings) -> Client:
    """Return a client as :func:`open_client` does, for callers that have no event loop.

    Args:
        settings: Address and token.

    Raises:
        MissingTokenError: There is no token.
        SessionStartError: The local server did not start.
    """
    if settings.is_local:
        server = local.find_or_start()
        return Client(token=Secret(server.token), base_url=server.url)
    return Client(
        token=_token(settings), base_url=settings.base_url, allow_http=settings.allow_http
    )


async def client_for(settings: Settings, record: Record) -> AsyncClient | None:
    """Return a client for a recorded session; ``None`` where its server was local and is off.

    Args:
        settings: Address and token of the one server that may be asked besides the local one.
        record: The session.

    Raises:
        MissingTokenError: There is no token.
        SessionError: The session runs on another server.
    """
    if record.base_url == LOCAL:
        server = await asyncio.to_thread(local.find)
        return _local_client(server) if server else None
    if record.base_url != settings.base_url:
        raise SessionError(
            f"The session {record.id} runs at {record.base_url}.",
            "Set DEEPNOTE_BASE_URL to that address first.",
        )
    return await open_client(settings)


def _token(settings: Settings) -> Secret:
    token = settings.token or stored_token(settings.base_url)
    if not token:
        raise MissingTokenError(
            "There is no API key for Deepnote.",
            "Run `%deepnote login`, or set DEEPNOTE_TOKEN. Without an account, `%deepnote start "
            "--base-url local` runs cells on this computer, as the kernel Deepnote (local) does.",
        )
    return token


def _local_client(server: LocalServer) -> AsyncClient:
    return AsyncClient(token=Secret(server.token), base_url=server.url)

"""Both clients behind one face, with a scripted network under them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import httpx
import pytest

from deepnote_kernel.api import AsyncClient, Client, Retry
from deepnote_kernel.config import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.api import Call
    from deepnote_kernel.api.models import Page

T = TypeVar("T")
Reply: TypeAlias = "httpx.Response | Exception"

TOKEN = "canary-token-5d41402abc4b2a76"
NOW_S = 1_800_000_000.0
NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


class Api:
    """A client of either kind whose network answers from a script."""

    def __init__(self, kind: str) -> None:
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []
        self._kind = kind
        self._replies: list[Reply] = [httpx.Response(200, json={})]

    def replies(self, *replies: Reply) -> Api:
        """Script what the network does, request by request; the last reply goes on for ever."""
        self._replies = list(replies)
        return self

    def send(self, call: Call[T], **options: Any) -> T:
        """Send a call through the client and return its result."""
        result: T = self._through(lambda client: client.send(call), **options)
        return result

    def result(self, call: Call[Any], document: object, status: int = 200) -> Any:
        """Return what a call makes of an answer."""
        return self.replies(httpx.Response(status, json=document)).send(call)

    def listing(self, call: Call[Page[T]]) -> list[T]:
        """Return all items of a listing."""

        async def collect(client: AsyncClient) -> list[T]:
            return [item async for item in client.iterate(call)]

        items: list[T] = self._through(
            lambda client: (
                list(client.iterate(call)) if isinstance(client, Client) else collect(client)
            )
        )
        return items

    @property
    def request(self) -> httpx.Request:
        """The latest request."""
        return self.requests[-1]

    def _through(self, use: Callable[[Any], Any], **options: Any) -> Any:
        given = {"token": Secret(TOKEN), "clock": lambda: NOW_S, "retry": Retry(jitter=lambda: 1.0)}
        transport = httpx.MockTransport(self._answer)
        if self._kind == "Client":
            with Client(
                transport=transport, sleep=self.slept.append, **{**given, **options}
            ) as client:
                return use(client)
        return asyncio.run(self._use_async(use, transport, {**given, **options}))

    async def _use_async(
        self, use: Callable[[Any], Any], transport: httpx.MockTransport, options: dict[str, Any]
    ) -> Any:
        async def sleep(delay_s: float) -> None:
            self.slept.append(delay_s)

        async with AsyncClient(transport=transport, sleep=sleep, **options) as client:
            return await use(client)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
        self.requests.append(request)
        if isinstance(reply, Exception):
            raise reply
        # A response is read once, a script's last one perhaps often.
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)


@pytest.fixture(params=["Client", "AsyncClient"])
def api(request: pytest.FixtureRequest) -> Api:
    """Give a client of each kind."""
    return Api(request.param)

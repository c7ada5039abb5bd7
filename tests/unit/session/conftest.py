"""A server in a function: it answers from a script and remembers what it was asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import msgspec
import pytest

from deepnote_kernel.api import AsyncClient, Retry
from deepnote_kernel.config import Secret, Settings
from deepnote_kernel.session.direct import DirectSession
from deepnote_kernel.session.protocol import Cell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from deepnote_kernel.session.protocol import Event

T = TypeVar("T")

LIMIT_S = 20


class Api:
    """Answers each route from its script; the last answer is given again and again."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._scripts: dict[str, list[httpx.Response | Exception]] = {}
        self._gates: dict[str, asyncio.Event] = {}
        self._news = asyncio.Condition()
        self.on("POST execute", self.outputs())
        self.on("GET status", self.status("idle"))

    # The script

    def on(self, route: str, *answers: httpx.Response | Exception) -> None:
        """Script a route, such as ``POST execute``: method and last part of the path."""
        self._scripts[route] = list(answers)

    def hold(self, route: str) -> asyncio.Event:
        """Answer a route only when the event is set."""
        return self._gates.setdefault(route, asyncio.Event())

    @staticmethod
    def outputs(*items: Any) -> httpx.Response:
        """Answer an execute call."""
        return httpx.Response(200, json={"outputs": items})

    @staticmethod
    def status(kernel: str) -> httpx.Response:
        """Answer a status call."""
        return httpx.Response(200, json={"session": {"id": "s1"}, "kernel": {"status": kernel}})

    @staticmethod
    def refusal(code: int, message: str) -> httpx.Response:
        """Answer any call with an error."""
        return httpx.Response(code, json={"message": message})

    @staticmethod
    def answer(content: dict[str, Any]) -> dict[str, Any]:
        """Return the output by which the far side answers a question of ours."""
        text = "deepnote-kernel-answer:" + msgspec.json.encode(content).decode()
        return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}

    # The memory

    @property
    def routes(self) -> list[str]:
        """Every route asked, in order."""
        return [route for route, _ in self.asked]

    def bodies(self, route: str) -> list[dict[str, Any]]:
        """Return the bodies a route was asked with."""
        return [body for asked, body in self.asked if asked == route]

    async def has_been_asked(self, route: str, times: int = 1) -> None:
        """Wait until a route has been asked so often; the test's limit of time ends it else."""
        async with self._news:
            await self._news.wait_for(lambda: self.routes.count(route) >= times)

    # The use

    def run(self, use: Callable[[AsyncClient], Awaitable[T]]) -> T:
        """Run a coroutine function with a client of this server, within a limit of time."""

        async def main() -> T:
            transport = httpx.MockTransport(self._handle)
            retry = Retry(base_s=0)
            async with AsyncClient(token=Secret("t"), transport=transport, retry=retry) as client:
                return await use(client)

        async def limited() -> T:
            return await asyncio.wait_for(main(), LIMIT_S)

        return asyncio.run(limited())

    def run_session(self, use: Callable[[DirectSession], Awaitable[T]]) -> T:
        """Run a coroutine function with a session on this server."""
        settings = Settings(mode="direct")
        return self.run(
            lambda client: use(DirectSession(client, settings, session_id="s1", notebook_id="nb1"))
        )

    def run_cell(self, code: str = "1", **cell: Any) -> list[Event]:
        """Run one cell on a new session and return all its events."""
        return self.run_session(lambda session: self.collect(session, code, **cell))

    @staticmethod
    async def collect(session: DirectSession, code: str = "1", **cell: Any) -> list[Event]:
        """Run a cell and return all its events."""
        return [event async for event in session.run(Cell(id="c1", code=code, **cell))]

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        route = f"{request.method} {request.url.path.rpartition('/')[2]}"
        body = msgspec.json.decode(request.content) if request.content else {}
        async with self._news:
            self.asked.append((route, body))
            self._news.notify_all()
        if route in self._gates:
            await self._gates[route].wait()
        script = self._scripts.get(route) or [httpx.Response(200, json={})]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        # A response is read once: each request gets one of its own.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def api() -> Api:
    """A server whose kernel is idle and whose cells print nothing."""
    return Api()

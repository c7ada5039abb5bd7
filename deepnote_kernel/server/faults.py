"""Failures on demand: what a network, a proxy or a machine may do to a request, done on purpose.

A fault names the requests it is for by method, path and position, and says what happens to them.
Off until the first is added through ``POST /faults``; see :class:`Fault` for what may be asked for.
"""

from __future__ import annotations

import asyncio
import fnmatch
import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from deepnote_kernel.server.errors import BadRequestError, NotFoundError
from deepnote_kernel.server.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from deepnote_kernel.server.execution.sessions import Sessions

__all__ = [
    "SESSION_EFFECTS",
    "SNAPSHOT_DELAY",
    "TRANSPORT",
    "Effect",
    "Fault",
    "FaultMiddleware",
    "Faults",
]

TRANSPORT = "deepnote_transport"
"""Key of ``scope["state"]`` under which the server's protocol leaves the connection."""

SNAPSHOT_DELAY = "deepnote_snapshot_delay_s"
"""Key of ``scope["state"]``: seconds from a run's end until this request sees its snapshot."""

Effect = Literal[
    "count",
    "delay",
    "drop",
    "status",
    "duplicate",
    "kill_kernel",
    "expire_session",
    "late_snapshot",
]

SESSION_EFFECTS = ("kill_kernel", "expire_session")
"""Effects on the session that a request's path names."""

_SESSION_PATH = re.compile(r"/v2/sessions/([^/]+)")


class Fault(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One kind of failure, for some requests."""

    method: str = "*"
    """HTTP method, or ``*``."""

    path: str = "*"
    """Shell-style pattern of the whole path, such as ``/v2/sessions/*/execute``."""

    ordinals: list[int] | None = None
    """Which of the matching requests, counted from 1 since the fault was added; null: all."""

    effect: Effect
    """What happens.

    ``count``: nothing, the requests are counted. ``delay``: ``seconds`` pass. ``drop``: the
    connection is cut without an answer. ``status``: ``status`` is answered. ``duplicate``: the
    request is handled a second time once the first is done; the second answer is sent.
    ``kill_kernel``: the kernels of the path's session are killed. ``expire_session``: that session
    ends. ``late_snapshot``: a run that is asked for gets its snapshot ``seconds`` after its end.
    """

    when: Literal["before", "after"] = "before"
    """``before``: the server has done nothing yet. ``after``: it has done everything; its answer is
    what is delayed, lost or replaced."""

    seconds: float = 0.0
    """Length of a ``delay`` or ``late_snapshot``, in seconds."""

    status: int = 503
    """HTTP status of a ``status``."""

    retry_after: int | None = None
    """``Retry-After`` of a ``status``, in seconds."""

    html: bool = False
    """Whether a ``status`` has an HTML body, as a proxy's would, instead of a JSON one."""


class _Armed(msgspec.Struct):
    """A fault in force, and what it has met so far."""

    id: str
    fault: Fault
    matched: int = 0
    applied: int = 0

    def applies_to(self, method: str, path: str) -> bool:
        fault = self.fault
        if fault.method not in ("*", method) or not fnmatch.fnmatchcase(path, fault.path):
            return False
        self.matched += 1
        applies = fault.ordinals is None or self.matched in fault.ordinals
        self.applied += applies
        return applies


class Faults:
    """The faults in force.

    Args:
        sessions: The sessions that may be struck.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._armed: dict[str, _Armed] = {}
        self._count = 0

    def add(self, fault: Fault) -> dict[str, Any]:
        """Put a fault in force and return it with its id.

        Raises:
            BadRequestError: Its status is none that fails.
        """
        if not 300 <= fault.status <= 599:  # noqa: PLR2004 - HTTP's own bounds
            raise BadRequestError("status must be an integer from 300 to 599")
        self._count += 1
        armed = self._armed[str(self._count)] = _Armed(str(self._count), fault)
        return _view(armed)

    def report(self) -> list[dict[str, Any]]:
        """Return the faults in force with how many requests they met."""
        return [_view(armed) for armed in self._armed.values()]

    def remove(self, fault_id: str) -> None:
        """Take a fault out of force.

        Raises:
            NotFoundError: It is not in force.
        """
        if self._armed.pop(fault_id, None) is None:
            raise NotFoundError("Fault not found")

    def clear(self) -> None:
        """Take all faults out of force."""
        self._armed.clear()

    def meeting(self, method: str, path: str) -> list[Fault]:
        """Return the faults that hit this request, and count it."""
        return [a.fault for a in self._armed.values() if a.applies_to(method, path)]

    async def strike(self, effect: str, session_id: str) -> None:
        """Let one of :data:`SESSION_EFFECTS` happen to a session, if it lives."""
        session = self._sessions.find(session_id)
        if session is None:
            return
        if effect == "kill_kernel":
            await session.machine.kill()
        else:
            await self._sessions.end(session_id)


class FaultMiddleware:
    """Lets faults happen to requests. Requests to the fault endpoints themselves are spared."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with what is to happen to it."""
        hits: list[Fault] = []
        if scope["type"] == "http" and not scope["path"].startswith("/faults"):
            hits = self._faults.meeting(scope["method"], scope["path"])
        if not hits:
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        if await self._strike(hits, "before", scope, receive, send):
            return
        answer = await self._handle(scope, body)
        if any(fault.effect == "duplicate" for fault in hits):
            answer = await self._handle(scope, body)
        if await self._strike(hits, "after", scope, receive, send):
            return
        for message in answer:
            await send(message)

    async def _handle(self, scope: Scope, body: bytes) -> list[Message]:
        """Let the application handle the request; return its answer instead of sending it."""
        answer: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            answer.append(dict(message))

        await self._app(dict(scope), receive, send)
        return answer

    async def _strike(
        self, hits: list[Fault], when: str, scope: Scope, receive: Receive, send: Send
    ) -> bool:
        """Apply the faults of one moment; say whether the request is settled by them."""
        for fault in hits:
            if fault.when != when:
                continue
            if fault.effect == "delay":
                await asyncio.sleep(fault.seconds)
            elif fault.effect == "late_snapshot":
                scope["state"][SNAPSHOT_DELAY] = fault.seconds
            elif fault.effect in SESSION_EFFECTS:
                match = _SESSION_PATH.match(scope["path"])
                await self._faults.strike(fault.effect, match[1] if match else "")
            elif fault.effect == "drop":
                await _drop(scope, receive)
                return True
            elif fault.effect == "status":
                await _answer(fault)(scope, receive, send)
                return True
        return False


async def _read(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _drop(scope: Scope, receive: Receive) -> None:
    scope["state"][TRANSPORT].abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _answer(fault: Fault) -> JSONResponse:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if not fault.html:
        return JSONResponse({"message": "Fault on demand"}, fault.status, headers=headers)
    return _HTMLResponse(fault.status, fault.status, headers=headers)


class _HTMLResponse(JSONResponse):
    media_type = "text/html"

    def render(self, content: Any) -> bytes:
        return f"<html><body><h1>{content}</h1><p>Bad gateway</p></body></html>".encode()


def _view(armed: _Armed) -> dict[str, Any]:
    fault = msgspec.to_builtins(armed.fault)
    return {"id": armed.id, **fault, "matched": armed.matched, "applied": armed.applied}

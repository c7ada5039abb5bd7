"""What the server refuses, and how every refusal is put on the wire.

The classes mirror those the client raises (:mod:`deepnote_kernel.errors`), seen from this side.

An error carries a status and a sentence; the handlers below turn it into ``{"message": ...}``,
Deepnote's envelope for all errors (source: Public API v2 reference, ``ErrorResponse``, read
2026-11-20).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount, Route

from deepnote_kernel.errors import DeepnoteError
from deepnote_kernel.server.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import Scope

__all__ = [
    "BadRequestError",
    "ConflictError",
    "ExecutionTimedOutError",
    "KernelUnavailableError",
    "NotFoundError",
    "PayloadTooLargeError",
    "RequestError",
    "TooManyRunsError",
    "UnauthorizedError",
    "UnprocessableError",
    "on_crash",
    "on_disconnect",
    "on_http_exception",
    "on_request_error",
]


class RequestError(DeepnoteError):
    """A request that is answered with an error; ``status_code`` says which."""

    status_code = HTTPStatus.BAD_REQUEST


class BadRequestError(RequestError):
    """400: the request cannot be understood, or asks for what cannot be."""


class UnauthorizedError(RequestError):
    """401: the bearer token is missing or not the server's."""

    status_code = HTTPStatus.UNAUTHORIZED


class NotFoundError(RequestError):
    """404: the session, notebook, block, run or project does not exist."""

    status_code = HTTPStatus.NOT_FOUND


class ExecutionTimedOutError(RequestError):
    """408: the code ran longer than the call allowed."""

    status_code = HTTPStatus.REQUEST_TIMEOUT

    def __init__(self) -> None:
        super().__init__("Execution timed out")


class ConflictError(RequestError):
    """409: the thing exists, but not in a state in which this can be done."""

    status_code = HTTPStatus.CONFLICT


class KernelUnavailableError(ConflictError):
    """409: the kernel died, restarted under the call, or never started."""

    def __init__(self) -> None:
        super().__init__("Session kernel is unavailable")


class PayloadTooLargeError(RequestError):
    """413: the body is larger than the server takes."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnprocessableError(RequestError):
    """422: the body can be read, but not applied."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY


class TooManyRunsError(RequestError):
    """429: as many runs as may be are in progress."""

    status_code = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} runs are in progress, which is the limit. Wait for one to end.")


async def on_request_error(_: Request, error: Exception) -> JSONResponse:
    """Answer a :class:`RequestError` with its status and message."""
    assert isinstance(error, RequestError)  # noqa: S101 - registered for this class alone
    return JSONResponse({"message": str(error)}, error.status_code)


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        scope = {**request.scope, "root_path": request.scope.get("app_root_path", "")}
        methods = _methods(request.app.routes, scope) or {"GET", "HEAD"}  # those of a website
        headers = {"Allow": ", ".join(sorted(methods))}
    return JSONResponse({"message": error.detail}, error.status_code, headers=headers)


def _methods(routes: Iterable[BaseRoute], scope: Scope) -> set[str]:
    """Return the methods of all routes of a path; the framework names those of the first one."""
    methods: set[str] = set()
    for route in routes:
        match, child = route.matches(scope)
        if match is not Match.NONE and isinstance(route, Mount):
            methods |= _methods(route.routes, {**scope, **child})
        elif match is not Match.NONE and isinstance(route, Route):
            methods |= route.methods or set()
    return methods


async def on_crash(_: Request, error: Exception) -> JSONResponse:
    """Answer an error of our own without showing its insides; the traceback goes to the log."""
    del error
    return JSONResponse(
        {"message": "Internal server error"},
        HTTPStatus.INTERNAL_SERVER_ERROR,
        headers={"Connection": "close"},  # as uvicorn does: nobody must send another request on it
    )


async def on_disconnect(_: Request, error: Exception) -> JSONResponse:
    """Close the books on a request whose caller left before all of it had come."""
    del error
    return JSONResponse({"message": "Body is not whole"}, HTTPStatus.BAD_REQUEST)

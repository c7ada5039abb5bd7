"""``/faults``: failures on demand, for those who test a client.

=========================  ===============================================================
``POST /faults``           put a fault in force: a :class:`~deepnote_kernel.server.faults.Fault`
``GET /faults``            list them with ``matched`` and ``applied``, counts of requests
``DELETE /faults[/{id}]``  take one, or all, out of force
``PUT /faults/limits``     ``executeMs`` and ``afterTimeout`` (``keep``, ``interrupt``): what
                           becomes of code that outlives its call
``PUT /faults/projects/{id}``          ``suspended``: whether the project counts as suspended
``POST /faults/sessions/{id}/{effect}``  ``kill_kernel`` or ``expire_session``, at once
=========================  ===============================================================
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from deepnote_kernel.server.errors import BadRequestError, NotFoundError
from deepnote_kernel.server.execution.kernels import AfterTimeout
from deepnote_kernel.server.faults import SESSION_EFFECTS, Fault
from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.services import read_body, services_of
from deepnote_kernel.server.storage.store import Project

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["routes"]


class LimitsBody(msgspec.Struct, rename="camel"):
    """Body of ``PUT /faults/limits``."""

    execute_ms: int | None = None
    after_timeout: AfterTimeout | None = None


class ProjectBody(msgspec.Struct):
    """Body of ``PUT /faults/projects/{id}``."""

    suspended: bool


async def create(request: Request) -> Response:
    """Put a fault in force."""
    fault = services_of(request).faults.add(await read_body(request, Fault))
    return JSONResponse({"fault": fault}, HTTPStatus.CREATED)


async def index(request: Request) -> Response:
    """List the faults in force and how many requests each met."""
    return JSONResponse({"faults": services_of(request).faults.report()})


async def clear(request: Request) -> Response:
    """Take all faults out of force."""
    services_of(request).faults.clear()
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def delete(request: Request) -> Response:
    """Take one fault out of force."""
    services_of(request).faults.remove(request.path_params["fault_id"])
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def limits(request: Request) -> Response:
    """Change what an execute call may take, and what becomes of code that takes longer."""
    body = await read_body(request, LimitsBody)
    current = services_of(request).limits
    if body.execute_ms is not None:
        if body.execute_ms < 1:
            raise BadRequestError("executeMs must be a positive integer")
        current.execute_ms = body.execute_ms
    if body.after_timeout is not None:
        current.after_timeout = body.after_timeout
    return JSONResponse(
        {"executeMs": current.execute_ms, "afterTimeout": current.after_timeout},
    )


async def project(request: Request) -> Response:
    """Suspend a project, or end its suspension."""
    store = services_of(request).store
    body = await read_body(request, ProjectBody)
    found = store.get(Project, request.path_params["project_id"])
    store.update(Project, found.id, is_suspended=body.suspended)
    return JSONResponse({"id": found.id, "suspended": body.suspended})


async def session(request: Request) -> Response:
    """Kill a session's kernels, or end it, at once."""
    services = services_of(request)
    session_id, effect = request.path_params["session_id"], request.path_params["effect"]
    if effect not in SESSION_EFFECTS:
        raise NotFoundError(f"Effect must be {' or '.join(SESSION_EFFECTS)}")
    services.sessions.get(session_id)
    await services.faults.strike(effect, session_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


routes = [
    Route("/faults", create, methods=["POST"]),
    Route("/faults", index, methods=["GET"]),
    Route("/faults", clear, methods=["DELETE"]),
    Route("/faults/limits", limits, methods=["PUT"]),
    Route("/faults/projects/{project_id}", project, methods=["PUT"]),
    Route("/faults/sessions/{session_id}/{effect}", session, methods=["POST"]),
    Route("/faults/{fault_id}", delete, methods=["DELETE"]),
]

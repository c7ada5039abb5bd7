"""``/v2/notebooks/{id}/schedule``: when a notebook runs by itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from deepnote_kernel.server.errors import NotFoundError
from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.services import read_body, services_of
from deepnote_kernel.server.storage.store import Notebook
from deepnote_kernel.server.views import schedule_view

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["routes"]


class ScheduleBody(msgspec.Struct):
    """Body of ``POST /notebooks/{id}/schedule``."""

    cron: str
    timezone: str = "UTC"


async def put(request: Request) -> Response:
    """Schedule a notebook, in place of whatever its project had scheduled."""
    body = await read_body(request, ScheduleBody)
    notebook = _notebook(request)
    schedule = services_of(request).schedules.put(notebook, body.cron, body.timezone)
    return JSONResponse({"schedule": schedule_view(schedule)})


async def show(request: Request) -> Response:
    """Show the schedule of a notebook."""
    schedule = services_of(request).schedules.get(_notebook(request))
    return JSONResponse({"schedule": schedule_view(schedule)})


async def delete(request: Request) -> Response:
    """Remove the schedule of a notebook."""
    services_of(request).schedules.remove(_notebook(request))
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _notebook(request: Request) -> Notebook:
    services = services_of(request)
    notebook = services.store.get(Notebook, request.path_params["notebook_id"])
    if notebook.source_id is not None:
        raise NotFoundError("Notebook not found")  # a session's copy ends with it
    services.sessions.refuse_suspended(notebook.project_id)
    return notebook


routes = [
    Route("/notebooks/{notebook_id}/schedule", put, methods=["POST"]),
    Route("/notebooks/{notebook_id}/schedule", show, methods=["GET"]),
    Route("/notebooks/{notebook_id}/schedule", delete, methods=["DELETE"]),
]

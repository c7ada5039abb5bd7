"""``/v2/streamlit-apps``: files of projects, served as web pages.

Source: the official client (deepnote-cli 0.10.0), read 2026-11-20. It knows no call that deletes
an app.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta
from starlette.routing import Route

from deepnote_kernel.server.errors import BadRequestError, NotFoundError
from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.services import read_body, services_of
from deepnote_kernel.server.storage.store import Project, StreamlitApp
from deepnote_kernel.server.views import streamlit_app_view

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from deepnote_kernel.server.services import Services

__all__ = ["routes"]


class CreateBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /streamlit-apps``."""

    project_id: str
    entrypoint: Annotated[str, Meta(min_length=1)]


async def create(request: Request) -> Response:
    """Serve a file of a project as a Streamlit app."""
    services = services_of(request)
    body = await read_body(request, CreateBody)
    project = _project(services, body.project_id)
    app = services.streamlit_apps.create(project.id, body.entrypoint)
    return JSONResponse({"streamlitApp": streamlit_app_view(app)}, HTTPStatus.CREATED)


async def index(request: Request) -> Response:
    """List the Streamlit apps of a project in the order they were made."""
    services = services_of(request)
    project_id = request.query_params.get("projectId")
    if project_id is None:
        raise BadRequestError("projectId must be in the query")
    project = _project(services, project_id)
    apps = services.store.find(StreamlitApp, project_id=project.id)
    return JSONResponse({"streamlitApps": [streamlit_app_view(app) for app in apps]})


async def status(request: Request) -> Response:
    """Tell whether a Streamlit app can be used."""
    services = services_of(request)
    found = services.store.find(StreamlitApp, id=request.path_params["app_id"])
    if not found:
        raise NotFoundError("Streamlit app not found")
    (app,) = found
    services.sessions.refuse_suspended(app.project_id)
    return JSONResponse({"status": await services.streamlit_apps.status(app)})


def _project(services: Services, project_id: str) -> Project:
    project = services.store.get(Project, project_id)
    services.sessions.refuse_suspended(project.id)
    return project


routes = [
    Route("/streamlit-apps", create, methods=["POST"]),
    Route("/streamlit-apps", index, methods=["GET"]),
    Route("/streamlit-apps/{app_id}/status", status, methods=["GET"]),
]

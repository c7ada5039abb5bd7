"""``/v2/projects``: list, create, show, delete."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.routes.notebooks import make_notebook
from deepnote_kernel.server.services import page_arguments, read_body, services_of
from deepnote_kernel.server.store import Notebook, Project, new_uuid, now
from deepnote_kernel.server.views import pagination, project_view

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["routes"]


class CreateBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /projects``."""

    name: str
    project_type: str = "standard"


async def index(request: Request) -> Response:
    """List projects in the order they were made, those whose name contains a text if asked."""
    store = services_of(request).store
    size, token = page_arguments(request, default=50)
    page = store.page(
        Project,
        size=size,
        token=token,
        condition="instr(casefold(name), casefold(?)) > 0",
        values=(request.query_params.get("nameContains", ""),),
    )
    projects = [
        project_view(project, store.find(Notebook, project_id=project.id, source_id=None))
        for project in page.rows
    ]
    return JSONResponse({"projects": projects, "pagination": pagination(page)})


async def create(request: Request) -> Response:
    """Create a project; it comes with one empty notebook."""
    store = services_of(request).store
    body = await read_body(request, CreateBody)
    at = now()
    project = Project(
        id=new_uuid(),
        name=body.name,
        project_type=body.project_type,
        is_suspended=False,
        created_at=at,
        updated_at=at,
    )
    notebook = make_notebook(project.id, "Notebook 1")
    store.insert(project, notebook)
    content = project_view(project, [notebook])
    return JSONResponse({"project": content}, HTTPStatus.CREATED)


async def show(request: Request) -> Response:
    """Show a project with its notebooks."""
    store = services_of(request).store
    project = store.get(Project, request.path_params["project_id"])
    notebooks = store.find(Notebook, project_id=project.id, source_id=None)
    return JSONResponse({"project": project_view(project, notebooks)})


async def delete(request: Request) -> Response:
    """Delete a project: its sessions and its machine stop, its notebooks and files go."""
    services = services_of(request)
    project = services.store.get(Project, request.path_params["project_id"])
    await services.sessions.end_project(project.id)
    await services.runner.stop_project(project.id)
    services.store.delete(Project, project.id)
    services.folders.remove(project.id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


routes = [
    Route("/projects", index, methods=["GET"]),
    Route("/projects", create, methods=["POST"]),
    Route("/projects/{project_id}", show, methods=["GET"]),
    Route("/projects/{project_id}", delete, methods=["DELETE"]),
]

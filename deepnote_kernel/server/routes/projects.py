"""``/v2/projects``: list, create, show, change, delete."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response
from starlette.routing import Route

from deepnote_kernel.server.errors import BadRequestError
from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.routes.notebooks import make_notebook
from deepnote_kernel.server.services import page_arguments, read_body, services_of
from deepnote_kernel.server.storage.store import Notebook, Project, Schedule, new_uuid, now
from deepnote_kernel.server.views import pagination, project_detail_view, project_view

if TYPE_CHECKING:
    from starlette.requests import Request

    from deepnote_kernel.server.storage.store import Store

__all__ = ["routes"]

JSON = dict[str, Any]


class CreateBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /projects``."""

    name: Annotated[str, Meta(min_length=1)]
    project_type: Literal["standard", "notebook", "agent"] = "standard"
    folder_id: str | None = None
    environment_id: str | None = None


class StaticFilesBody(msgspec.Struct, rename="camel"):
    """What may be changed about a project's website."""

    sharing_enabled: bool | UnsetType = UNSET
    api_access_enabled: bool | UnsetType = UNSET


class ChangeBody(msgspec.Struct, rename="camel"):
    """Body of ``PATCH /projects/{id}``."""

    static_files: StaticFilesBody = msgspec.field(default_factory=StaticFilesBody)
    streamlit_app_api_access_enabled: bool | UnsetType = UNSET
    environment_id: str | UnsetType | None = UNSET


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
    projects = [_summary(store, project) for project in page.rows]
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
        folder_id=body.folder_id,
        environment_id=body.environment_id,
    )
    store.insert(project, make_notebook(project.id, "Notebook 1"))
    return JSONResponse({"project": await _detail(request, project.id)}, HTTPStatus.CREATED)


async def show(request: Request) -> Response:
    """Show a project with its notebooks and files."""
    return JSONResponse({"project": await _detail(request, request.path_params["project_id"])})


async def change(request: Request) -> Response:
    """Change what is shared of a project, or its environment."""
    services = services_of(request)
    body = await read_body(request, ChangeBody)
    project = services.store.get(Project, request.path_params["project_id"])
    services.sessions.refuse_suspended(project.id)
    changes = {
        **_sharing(project, body.static_files),
        "has_streamlit_api_access": body.streamlit_app_api_access_enabled,
        "environment_id": body.environment_id,
    }
    changes = {name: value for name, value in changes.items() if value is not UNSET}
    if not changes:
        raise BadRequestError(
            "Nothing to change: send staticFiles, streamlitAppApiAccessEnabled or environmentId"
        )
    services.store.update(Project, project.id, **changes)
    return JSONResponse({"project": await _detail(request, project.id)})


async def delete(request: Request) -> Response:
    """Delete a project: its sessions, machine and apps stop, its notebooks and files go."""
    services = services_of(request)
    project = services.store.get(Project, request.path_params["project_id"])
    services.store.delete(Project, project.id)  # first: nothing of it can start any more
    await services.sessions.end_project(project.id)
    await services.runner.stop_project(project.id)
    await services.streamlit_apps.stop_project(project.id)
    await asyncio.to_thread(services.folders.remove, project.id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _sharing(project: Project, body: StaticFilesBody) -> JSON:
    """Return what becomes of a website; without sharing nobody's browser calls the API from it."""
    is_shared = project.is_shared if body.sharing_enabled is UNSET else body.sharing_enabled
    if body.api_access_enabled is True and not is_shared:
        raise BadRequestError("staticFiles.apiAccessEnabled needs staticFiles.sharingEnabled")
    if not is_shared and body.sharing_enabled is not UNSET:
        return {"is_shared": False, "has_api_access": False}
    return {"is_shared": body.sharing_enabled, "has_api_access": body.api_access_enabled}


async def _detail(request: Request, project_id: str) -> JSON:
    services = services_of(request)
    project = services.store.get(Project, project_id)
    files = await asyncio.to_thread(services.folders.files, project.id)
    summary = _summary(services.store, project)
    return project_detail_view(project, summary, files=files, base_url=str(request.base_url))


def _summary(store: Store, project: Project) -> JSON:
    notebooks = store.find(Notebook, project_id=project.id, source_id=None)
    schedules = store.find(Schedule, id=project.id)
    scheduled_id = schedules[0].notebook_id if schedules else None
    return project_view(project, notebooks, store.last_runs(project.id), scheduled_id)


routes = [
    Route("/projects", index, methods=["GET"]),
    Route("/projects", create, methods=["POST"]),
    Route("/projects/{project_id}", show, methods=["GET"]),
    Route("/projects/{project_id}", change, methods=["PATCH"]),
    Route("/projects/{project_id}", delete, methods=["DELETE"]),
]

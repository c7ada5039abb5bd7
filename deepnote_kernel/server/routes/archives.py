"""``/v2/projects/{id}/export`` and ``/import``: a project as a ZIP archive of documents.

Source: deepnote/deepnote, ``packages/cloud/docs/project-import-contract.md``, read 2026-11-20.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from deepnote_kernel.server.documents.archive import (
    archive_hash,
    export_documents,
    import_documents,
    read_archive,
    write_archive,
)
from deepnote_kernel.server.errors import BadRequestError, ConflictError
from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.services import services_of
from deepnote_kernel.server.storage.store import Project

if TYPE_CHECKING:
    from starlette.requests import Request

    from deepnote_kernel.server.storage.store import Store

__all__ = ["MEDIA_TYPE", "routes"]

MEDIA_TYPE = "application/zip"


async def export(request: Request) -> Response:
    """Answer an archive with one document for each notebook."""
    store, project = _project(request)
    return Response(write_archive(export_documents(store, project)), media_type=MEDIA_TYPE)


async def import_(request: Request) -> Response:
    """Make the notebooks of a project those of an archive, unless it has changed meanwhile."""
    store, project = _project(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise BadRequestError(f"Content-Type must be {MEDIA_TYPE}")
    delete_missing = _flag(request, "deleteMissingNotebooks")
    is_forced = _flag(request, "force")
    _time(request.query_params.get("baseModifiedAt"))
    documents = await asyncio.to_thread(read_archive, await request.body())
    # Read again: others may have changed the project while this request was read.
    store, project = _project(request)
    if not is_forced:
        _refuse_overtaken(request, store, project)
    done = import_documents(store, project, documents, delete_missing=delete_missing)
    project = store.get(Project, project.id)
    content = {
        "id": project.id,
        "modifiedAt": project.updated_at,
        "contentHash": archive_hash(export_documents(store, project)),
    }
    return JSONResponse({"project": content, "notebooks": done})


def _project(request: Request) -> tuple[Store, Project]:
    services = services_of(request)
    project = services.store.get(Project, request.path_params["project_id"])
    services.sessions.refuse_suspended(project.id)
    return services.store, project


def _refuse_overtaken(request: Request, store: Store, project: Project) -> None:
    modified_at = _time(request.query_params.get("baseModifiedAt"))
    content_hash = request.query_params.get("baseContentHash")
    changed_at = _time(project.updated_at)
    if modified_at and changed_at and changed_at > modified_at:
        raise ConflictError(f"Project has changed since {request.query_params['baseModifiedAt']}")
    if content_hash and content_hash != archive_hash(export_documents(store, project)):
        raise ConflictError("Project has changed: its content hash is another than baseContentHash")


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false")
    if text not in {"true", "false"}:
        raise BadRequestError(f"{name} must be true or false")
    return text == "true"


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadRequestError("baseModifiedAt must be a time with its zone, in ISO 8601")
    return at


routes = [
    Route("/projects/{project_id}/export", export, methods=["GET"]),
    Route("/projects/{project_id}/import", import_, methods=["POST"]),
]

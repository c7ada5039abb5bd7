"""``/v2/files``: upload, download, copy and delete what a project's kernels see in ``/work``."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from deepnote_kernel.server.errors import BadRequestError
from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.services import read_body, services_of
from deepnote_kernel.server.storage import files
from deepnote_kernel.server.storage.store import Project, timestamp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.datastructures import FormData
    from starlette.requests import Request

    from deepnote_kernel.server.services import Services

__all__ = ["UPLOAD_PATH", "routes"]

UPLOAD_PATH = "/v2/files"

CHUNK_BYTES = 256 * 1024


class CopyBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /files/copy``."""

    source_project_id: str
    target_project_id: str
    source_file_path: str


async def upload(request: Request) -> Response:
    """Store a file; where its path is taken, under another, which the answer tells."""
    services = services_of(request)
    async with _form(request) as form:
        match form.get("projectId"), form.get("path"), form.get("file"):
            case str() as project_id, str() as path, UploadFile() as file:
                folder = _folder(services, project_id)
                stored = await asyncio.to_thread(files.add, folder, path, file.file)
            case _:
                raise BadRequestError("The form must have projectId, path and a file named file")
    return JSONResponse({"file": _view(project_id, folder, stored)}, HTTPStatus.CREATED)


async def download(request: Request) -> Response:
    """Send a file, in chunks as they are read."""
    place = _asked_for(request)
    return StreamingResponse(_chunks(place), media_type="application/octet-stream")


async def copy(request: Request) -> Response:
    """Copy a file into a project; where its path is taken there, under another."""
    services = services_of(request)
    body = await read_body(request, CopyBody)
    source = files.find(_folder(services, body.source_project_id), body.source_file_path)
    folder = _folder(services, body.target_project_id)
    with source.open("rb") as file:
        stored = await asyncio.to_thread(files.add, folder, body.source_file_path, file)
    content = _view(body.target_project_id, folder, stored)
    return JSONResponse({"file": content}, HTTPStatus.CREATED)


async def delete(request: Request) -> Response:
    """Delete a file."""
    place = _asked_for(request)
    place.unlink()
    return Response(status_code=HTTPStatus.NO_CONTENT)


@contextlib.asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    try:
        async with request.form(max_files=1) as form:
            yield form
    except FormParserError as error:  # only newer releases of Starlette answer this themselves
        raise BadRequestError(f"Body is not a form: {error}") from None


def _asked_for(request: Request) -> Path:
    query = request.query_params
    if "projectId" not in query or "path" not in query:
        raise BadRequestError("projectId and path must be in the query")
    return files.find(_folder(services_of(request), query["projectId"]), query["path"])


def _folder(services: Services, project_id: str) -> Path:
    project = services.store.get(Project, project_id)
    services.sessions.refuse_suspended(project.id)
    return services.folders.of(project.id)


def _view(project_id: str, folder: Path, place: Path) -> dict[str, Any]:
    status = place.stat()
    return {
        "projectId": project_id,
        "path": place.relative_to(folder).as_posix(),
        "size": status.st_size,
        "updatedAt": timestamp(status.st_mtime),
    }


async def _chunks(place: Path) -> AsyncIterator[bytes]:
    async with await anyio.open_file(place, "rb") as file:
        while chunk := await file.read(CHUNK_BYTES):
            yield chunk


routes = [
    Route("/files", upload, methods=["POST"]),
    Route("/files", delete, methods=["DELETE"]),
    Route("/files/download", download, methods=["GET"]),
    Route("/files/copy", copy, methods=["POST"]),
]

"""``/v2/blocks``: create, show, change and delete one block at a time."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from deepnote_kernel.server.errors import BadRequestError
from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.services import read_body, services_of
from deepnote_kernel.server.storage.store import Block, Notebook, new_hex_id, now
from deepnote_kernel.server.views import block_view
from deepnote_kernel.snapshot.validation import BLOCK_TYPES

if TYPE_CHECKING:
    from starlette.requests import Request

    from deepnote_kernel.server.services import Services

__all__ = ["routes"]


class CreateBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /blocks``."""

    notebook_id: str
    type: str
    content: str = ""
    metadata: dict[str, Any] = {}
    position: int | None = None
    integration_id: UUID | None = None
    include_notebook_block_ids: bool = False


class ChangeBody(msgspec.Struct, rename="camel"):
    """Body of ``PATCH /blocks/{id}``."""

    content: str | msgspec.UnsetType = msgspec.UNSET
    integration_id: UUID | msgspec.UnsetType | None = msgspec.UNSET


async def create(request: Request) -> Response:
    """Add a block to a notebook, at the end or at a position counted from 0."""
    services = services_of(request)
    store = services.store
    body = await read_body(request, CreateBody)
    if body.type not in BLOCK_TYPES:
        raise BadRequestError(f'"{body.type}" is not a block type')
    if "sql_integration_id" in body.metadata:
        raise BadRequestError("metadata.sql_integration_id is set through integrationId")
    if body.integration_id is not None:
        _refuse_integration(body.type)
    notebook = store.get(Notebook, body.notebook_id)
    services.sessions.refuse_suspended(notebook.project_id)
    count = len(store.find(Block, notebook_id=notebook.id))
    position = count if body.position is None else body.position
    if not 0 <= position <= count:
        raise BadRequestError(f"position must be an integer from 0 to {count}")
    block = Block(
        id=new_hex_id(),
        notebook_id=notebook.id,
        type=body.type,
        content=body.content,
        metadata=body.metadata,
        integration_id=str(body.integration_id) if body.integration_id else None,
        version=1,
        position=position,
    )
    with store.transaction():
        store.make_room(notebook.id, position)
        store.insert(block)
        store.update(Notebook, notebook.id, updated_at=now())
    content: dict[str, Any] = {"block": block_view(block)}
    if body.include_notebook_block_ids:
        ordered = store.find(Block, "position", notebook_id=notebook.id)
        content["notebookBlockIds"] = [each.id for each in ordered]
    return JSONResponse(content, HTTPStatus.CREATED)


async def show(request: Request) -> Response:
    """Show a block."""
    block = _block(request, services_of(request))
    return JSONResponse({"block": block_view(block)})


async def change(request: Request) -> Response:
    """Change a block's source or integration; its type and metadata stay."""
    services = services_of(request)
    body = await read_body(request, ChangeBody)
    changes: dict[str, Any] = {}
    if body.content is not msgspec.UNSET:
        changes["content"] = body.content
    if body.integration_id is not msgspec.UNSET:
        changes["integration_id"] = str(body.integration_id) if body.integration_id else None
    if not changes:
        raise BadRequestError("Nothing to change: send content or integrationId")
    block = _block(request, services)
    if "integration_id" in changes:
        _refuse_integration(block.type)
    version = block.version + 1
    services.store.update(Block, block.id, version=version, **changes)
    services.store.update(Notebook, block.notebook_id, updated_at=now())
    return JSONResponse({"block": {"id": block.id, "version": version}})


async def delete(request: Request) -> Response:
    """Delete a block."""
    services = services_of(request)
    block = _block(request, services)
    with services.store.transaction():
        services.store.delete(Block, block.id)
        services.store.close_gap(block.notebook_id, block.position)
        services.store.update(Notebook, block.notebook_id, updated_at=now())
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _refuse_integration(block_type: str) -> None:
    if block_type != "sql":
        raise BadRequestError("integrationId is for blocks of type sql alone")


def _block(request: Request, services: Services) -> Block:
    block = services.store.get(Block, request.path_params["block_id"])
    project_id = services.store.get(Notebook, block.notebook_id).project_id
    services.sessions.refuse_suspended(project_id)
    return block


routes = [
    Route("/blocks", create, methods=["POST"]),
    Route("/blocks/{block_id}", show, methods=["GET"]),
    Route("/blocks/{block_id}", change, methods=["PATCH"]),
    Route("/blocks/{block_id}", delete, methods=["DELETE"]),
]

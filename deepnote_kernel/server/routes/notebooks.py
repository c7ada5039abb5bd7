"""``/v2/notebooks``: create, show, rename, delete; their blocks' order and their runs."""

from __future__ import annotations

import sqlite3
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response
from starlette.routing import Route

from deepnote_kernel.server.errors import BadRequestError, ConflictError
from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.services import page_arguments, read_body, services_of
from deepnote_kernel.server.storage.store import Block, Notebook, Project, Run, new_hex_id, now
from deepnote_kernel.server.views import (
    notebook_summary,
    notebook_view,
    pagination,
    run_summary,
)

if TYPE_CHECKING:
    from starlette.requests import Request

    from deepnote_kernel.server.storage.store import Store

__all__ = ["free_name", "make_notebook", "routes"]


class CreateBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /notebooks``."""

    project_id: str
    name: Annotated[str, Meta(min_length=1)] | None = None


class RenameBody(msgspec.Struct):
    """Body of ``PATCH /notebooks/{id}``."""

    name: Annotated[str, Meta(min_length=1)]


class Placement(msgspec.Struct, rename="camel"):
    """Where blocks are moved to."""

    type: Literal["start", "end", "after"]
    block_id: str | None = None
    """The block they follow; with ``after`` alone."""


class ReorderBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /notebooks/{id}/reorder-blocks``."""

    block_ids: Annotated[list[str], Meta(min_length=1)]
    placement: Placement


async def create(request: Request) -> Response:
    """Create an empty notebook in a project."""
    services = services_of(request)
    store = services.store
    body = await read_body(request, CreateBody)
    project = store.get(Project, body.project_id)
    services.sessions.refuse_suspended(project.id)
    _refuse_closed(project)
    name = body.name if body.name is not None else free_name(store, project.id)
    notebook = make_notebook(project.id, name)
    try:
        store.insert(notebook)
    except sqlite3.IntegrityError:
        raise _duplicate(name) from None
    return JSONResponse({"notebook": notebook_view(notebook, [], None)}, HTTPStatus.CREATED)


async def show(request: Request) -> Response:
    """Show a notebook with its blocks and inputs."""
    store = services_of(request).store
    notebook = store.get(Notebook, request.path_params["notebook_id"])
    if store.get(Project, notebook.project_id).is_suspended:
        # Every other endpoint says 409 (source: Notebooks API reference, read 2026-11-20).
        raise BadRequestError("Project is suspended")
    blocks = store.find(Block, "position", notebook_id=notebook.id)
    runs = store.find(Run, "rowid DESC LIMIT 1", notebook_id=notebook.id)
    content = notebook_view(notebook, blocks, runs[0] if runs else None)
    return JSONResponse({"notebook": content})


async def rename(request: Request) -> Response:
    """Give a notebook another name."""
    services = services_of(request)
    store = services.store
    body = await read_body(request, RenameBody)
    notebook = store.get(Notebook, request.path_params["notebook_id"])
    services.sessions.refuse_suspended(notebook.project_id)
    _refuse_closed(store.get(Project, notebook.project_id))
    try:
        store.update(Notebook, notebook.id, name=body.name, updated_at=now())
    except sqlite3.IntegrityError:
        raise _duplicate(body.name) from None
    return JSONResponse({"notebook": notebook_summary(store.get(Notebook, notebook.id))})


async def reorder(request: Request) -> Response:
    """Move blocks, in the order given, to the start, to the end or after another block."""
    services = services_of(request)
    store = services.store
    body = await read_body(request, ReorderBody)
    notebook = store.get(Notebook, request.path_params["notebook_id"])
    services.sessions.refuse_suspended(notebook.project_id)
    present = [block.id for block in store.find(Block, "position", notebook_id=notebook.id)]
    order = _reordered(present, body.block_ids, body.placement)
    with store.transaction():
        for position, block_id in enumerate(order):
            store.update(Block, block_id, position=position)
        store.update(Notebook, notebook.id, updated_at=now())
    return JSONResponse({"blockIds": order})


async def delete(request: Request) -> Response:
    """Delete a notebook with its blocks; a project keeps at least one."""
    services = services_of(request)
    notebook = services.store.get(Notebook, request.path_params["notebook_id"])
    services.sessions.refuse_suspended(notebook.project_id)
    siblings = services.store.find(Notebook, project_id=notebook.project_id, source_id=None)
    if notebook.source_id is not None or len(siblings) == 1:
        raise ConflictError("A project must keep at least one notebook")
    services.store.delete(Notebook, notebook.id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def runs(request: Request) -> Response:
    """List the runs of a notebook, newest first."""
    services = services_of(request)
    size, token = page_arguments(request, default=20)
    notebook = services.store.get(Notebook, request.path_params["notebook_id"])
    services.sessions.refuse_suspended(notebook.project_id)
    page = services.store.page(
        Run,
        size=size,
        token=token,
        newest_first=True,
        condition="notebook_id = ?",
        values=(notebook.id,),
    )
    content = {"runs": [run_summary(run) for run in page.rows], "pagination": pagination(page)}
    return JSONResponse(content)


def make_notebook(project_id: str, name: str) -> Notebook:
    """Return a new notebook, not yet stored."""
    at = now()
    return Notebook(
        id=new_hex_id(),
        project_id=project_id,
        name=name,
        source_id=None,
        created_at=at,
        updated_at=at,
    )


def free_name(store: Store, project_id: str) -> str:
    """Return ``Notebook N`` with the lowest number the project does not use yet."""
    taken = {notebook.name for notebook in store.find(Notebook, project_id=project_id)}
    numbers = range(1, len(taken) + 2)
    return next(name for number in numbers if (name := f"Notebook {number}") not in taken)


def _reordered(present: list[str], moved: list[str], placement: Placement) -> list[str]:
    if len(set(moved)) < len(moved):
        raise BadRequestError("blockIds must name no block twice")
    if not set(present) >= set(moved):
        raise BadRequestError("Block not found in notebook")
    others = [block_id for block_id in present if block_id not in set(moved)]
    start = {"start": 0, "end": len(others)}.get(placement.type)
    if start is None:
        if placement.block_id not in others:
            raise BadRequestError("placement.blockId must name a block that is not moved itself")
        start = others.index(placement.block_id) + 1
    return others[:start] + moved + others[start:]


def _refuse_closed(project: Project) -> None:
    if project.is_closed:
        raise ConflictError(
            f"A project of type {project.project_type} holds one notebook and keeps its name"
        )


def _duplicate(name: str) -> ConflictError:
    return ConflictError(f'A notebook named "{name}" already exists in this project')


routes = [
    Route("/notebooks", create, methods=["POST"]),
    Route("/notebooks/{notebook_id}/runs", runs, methods=["GET"]),
    Route("/notebooks/{notebook_id}/reorder-blocks", reorder, methods=["POST"]),
    Route("/notebooks/{notebook_id}", show, methods=["GET"]),
    Route("/notebooks/{notebook_id}", rename, methods=["PATCH"]),
    Route("/notebooks/{notebook_id}", delete, methods=["DELETE"]),
]

"""``/v2/sessions``: start one, run code in it, interrupt it, ask what it does, stop it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from deepnote_kernel.server.blocks.inputs import check_inputs
from deepnote_kernel.server.errors import BadRequestError
from deepnote_kernel.server.execution.runs import select
from deepnote_kernel.server.execution.sessions import SessionOptions
from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.services import page_arguments, read_body, services_of
from deepnote_kernel.server.storage.folders import StorageMode
from deepnote_kernel.server.storage.store import Block, Notebook
from deepnote_kernel.server.views import pagination, run_started, session_view

if TYPE_CHECKING:
    from starlette.requests import Request

    from deepnote_kernel.server.storage.store import Store

__all__ = ["routes"]

DEFAULT_TIMEOUT_MS = 10_000
NOT_STARTED: dict[str, Any] = {"status": "idle", "executingBlockId": None, "queuedBlockIds": []}
MIN_IDLE_S, MAX_IDLE_S = 60, 86_400


class CreateBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /sessions``."""

    notebook_id: str
    inputs: dict[str, Any] = {}
    storage_mode: StorageMode = "read_write"
    idle_shutdown_seconds: int | None = None
    machine_type: str = "local"


class ExecuteBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /sessions/{id}/execute``."""

    notebook_id: str
    code: str
    timeout_ms: int = DEFAULT_TIMEOUT_MS


class InterruptBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /sessions/{id}/interrupt``."""

    notebook_id: str


class RunBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /sessions/{id}/runs``, in both shapes callers send."""

    notebook_id: str | None = None
    block_id: str | None = None
    block_ids: list[str] | None = None
    run_dependent_blocks: bool = False
    inputs: dict[str, Any] = {}


async def create(request: Request) -> Response:
    """Start a session on a notebook; its first run is that of the whole notebook."""
    services = services_of(request)
    body = await read_body(request, CreateBody)
    idle_s = body.idle_shutdown_seconds
    if idle_s is not None and not MIN_IDLE_S <= idle_s <= MAX_IDLE_S:
        raise BadRequestError(
            f"idleShutdownSeconds must be an integer from {MIN_IDLE_S} to {MAX_IDLE_S}"
        )
    options = SessionOptions(
        inputs=body.inputs,
        storage_mode=body.storage_mode,
        idle_shutdown_s=idle_s,
        machine_type=body.machine_type,
    )
    notebook = services.store.get(Notebook, body.notebook_id)
    session, run = services.sessions.create(notebook, options)
    content = {"session": session_view(session), "run": run_started(run.record)}
    return JSONResponse(content, HTTPStatus.ACCEPTED)


async def index(request: Request) -> Response:
    """List the sessions that live, newest first."""
    size, token = page_arguments(request, default=20)
    page = services_of(request).sessions.page(size=size, token=token)
    sessions = [session_view(session) for session in page.rows]
    return JSONResponse({"sessions": sessions, "pagination": pagination(page)})


async def show(request: Request) -> Response:
    """Show one session."""
    session = services_of(request).sessions.get(request.path_params["session_id"])
    return JSONResponse({"session": session_view(session)})


async def stop(request: Request) -> Response:
    """End a session."""
    await services_of(request).sessions.end(request.path_params["session_id"])
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def execute(request: Request) -> Response:
    """Run code in the kernel of a notebook and return its outputs."""
    services = services_of(request)
    limits = services.limits
    body = await read_body(request, ExecuteBody)
    if not 1 <= body.timeout_ms <= limits.max_timeout_ms:
        raise BadRequestError(f"timeoutMs must be an integer from 1 to {limits.max_timeout_ms}")
    session = services.sessions.use(request.path_params["session_id"])
    try:
        execution = await session.kernel(body.notebook_id).execute(
            body.code,
            timeout_s=min(body.timeout_ms, limits.execute_ms) / 1000,
            after_timeout=limits.after_timeout,
        )
    finally:
        session.touch()
    return JSONResponse({"outputs": execution.outputs})


async def interrupt(request: Request) -> Response:
    """Stop what runs in the kernel of a notebook."""
    body = await read_body(request, InterruptBody)
    session = services_of(request).sessions.use(request.path_params["session_id"])
    kernel = session.machine.running(session.copy_of(body.notebook_id).id)
    if kernel is not None:
        await kernel.interrupt()
    return JSONResponse({"session": session_view(session)})


async def status(request: Request) -> Response:
    """Show what the kernel of a notebook runs and what waits for it."""
    services = services_of(request)
    notebook_id = request.query_params.get("notebookId")
    if not notebook_id:
        raise BadRequestError("notebookId is missing from the query")
    session = services.sessions.get(request.path_params["session_id"])
    services.sessions.refuse_suspended(session.record.project_id)
    kernel = session.machine.running(session.copy_of(notebook_id).id)
    state = NOT_STARTED if kernel is None else kernel.status()
    return JSONResponse({"session": session_view(session), "kernel": state})


async def run(request: Request) -> Response:
    """Run blocks of one of the session's notebooks, or all of them, as a tracked run."""
    services = services_of(request)
    body = await read_body(request, RunBody)
    session = services.sessions.use(request.path_params["session_id"])
    block_ids = [body.block_id] if body.block_id else body.block_ids
    notebook_id = body.notebook_id
    if notebook_id is None:
        if not block_ids:
            raise BadRequestError("notebookId is missing")
        notebook_id = _notebook_of(services.store, block_ids[0])
    copy = session.copy_of(notebook_id)
    blocks = services.store.find(Block, "position", notebook_id=copy.id)
    check_inputs(blocks, body.inputs)
    selection = select(copy, blocks, block_ids, with_dependents=body.run_dependent_blocks)
    tracked = session.run(copy, selection, body.inputs)
    return JSONResponse(run_started(tracked.record), HTTPStatus.ACCEPTED)


def _notebook_of(store: Store, block_id: str) -> str:
    found = store.find(Block, id=block_id)
    if not found:
        raise BadRequestError("Block not found in notebook")
    return found[0].notebook_id


routes = [
    Route("/sessions/{session_id}/execute", execute, methods=["POST"]),
    Route("/sessions/{session_id}/interrupt", interrupt, methods=["POST"]),
    Route("/sessions/{session_id}/status", status, methods=["GET"]),
    Route("/sessions/{session_id}/runs", run, methods=["POST"]),
    Route("/sessions/{session_id}", show, methods=["GET"]),
    Route("/sessions/{session_id}", stop, methods=["DELETE"]),
    Route("/sessions", create, methods=["POST"]),
    Route("/sessions", index, methods=["GET"]),
]

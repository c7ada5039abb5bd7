"""``/v2/runs``: run a notebook, ask how it went, fetch what it left behind."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from deepnote_kernel.server.blocks.inputs import check_inputs
from deepnote_kernel.server.errors import BadRequestError, NotFoundError
from deepnote_kernel.server.execution.runs import Selection, select
from deepnote_kernel.server.faults import SNAPSHOT_DELAY
from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.services import read_body, services_of
from deepnote_kernel.server.storage.folders import StorageMode
from deepnote_kernel.server.storage.store import Block, Notebook, Project, Run
from deepnote_kernel.server.views import run_started, run_view, snapshot_blocks, snapshot_text

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["DOWNLOAD_PREFIX", "routes", "routes_v1"]

DELIVERIES = ("downloadUrl", "inline", "blocks")

DOWNLOAD_PREFIX = "/v2/snapshots/"


class RunBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /runs``."""

    notebook_id: str
    detached: bool = True
    detached_run_storage_mode: StorageMode = "read_write"
    block_ids: list[str] | None = None
    run_dependent_blocks: bool = False
    inputs: dict[str, Any] = {}
    machine_type: str = "local"


async def create(request: Request) -> Response:
    """Run a notebook, or some of its blocks."""
    services = services_of(request)
    body = await read_body(request, RunBody)
    if body.detached and body.block_ids is not None:
        raise BadRequestError("blockIds is not supported for detached runs")
    found = services.store.find(Notebook, id=body.notebook_id)
    if not found:
        # Of all endpoints this one answers 400 for a notebook it does not know.
        raise BadRequestError("Notebook not found")
    (notebook,) = found
    services.sessions.refuse_suspended(notebook.project_id)
    blocks = services.store.find(Block, "position", notebook_id=notebook.id)
    check_inputs(blocks, body.inputs)
    if body.detached:
        mode = body.detached_run_storage_mode
        run = services.runner.run_detached(notebook, blocks, body.inputs, mode)
    else:
        selection = select(
            notebook, blocks, body.block_ids, with_dependents=body.run_dependent_blocks
        )
        run = services.runner.run_live(notebook, selection, body.inputs)
    return JSONResponse(run_started(run.record), HTTPStatus.ACCEPTED)


async def show(request: Request) -> Response:
    """Show a run; once it ended, with its snapshot as asked for."""
    services = services_of(request)
    delivery = request.query_params.get("snapshotDelivery", "downloadUrl")
    if delivery not in DELIVERIES:
        raise BadRequestError(f"snapshotDelivery must be one of {', '.join(DELIVERIES)}")
    run = services.store.get(Run, request.path_params["run_id"])
    services.sessions.refuse_suspended(run.project_id)
    delay_s = request.scope.get("state", {}).get(SNAPSHOT_DELAY, 0.0)
    content = run_view(run, snapshot_delay_s=delay_s)
    if content["snapshotStatus"] == "available":
        if delivery == "downloadUrl":
            path = f"{DOWNLOAD_PREFIX}{run.id}?{services.signer.query(run.id)}"
            content["snapshotDownloadUrl"] = f"{request.url.scheme}://{request.url.netloc}{path}"
        elif delivery == "inline":
            project = services.store.get(Project, run.project_id)
            content["snapshotContent"] = snapshot_text(run, project)
        else:
            content["snapshotBlocks"] = snapshot_blocks(run)
    return JSONResponse({"run": content})


async def download(request: Request) -> Response:
    """Send a snapshot to whoever holds a link that is still valid."""
    services = services_of(request)
    run_id, query = request.path_params["run_id"], request.query_params
    services.signer.check(run_id, query.get("expires", ""), query.get("signature", ""))
    run = services.store.get(Run, run_id)
    text = snapshot_text(run, services.store.get(Project, run.project_id))
    return Response(text, media_type="application/yaml")


async def execute_v1(request: Request) -> Response:
    """Run a notebook the way the first API did: no body, no run id, no effect while it runs."""
    services = services_of(request)
    notebook = services.store.get(Notebook, request.path_params["notebook_id"])
    if notebook.project_id != request.path_params["project_id"]:
        raise NotFoundError("Notebook not found")
    services.sessions.refuse_suspended(notebook.project_id)
    if not services.runner.is_running(notebook):
        blocks = services.store.find(Block, "position", notebook_id=notebook.id)
        services.runner.run_live(notebook, Selection(blocks), {})
    return JSONResponse({}, HTTPStatus.ACCEPTED)


routes = [
    Route("/runs", create, methods=["POST"]),
    Route("/runs/{run_id}", show, methods=["GET"]),
    Route("/snapshots/{run_id}", download, methods=["GET"]),
]

routes_v1 = [
    Route("/projects/{project_id}/notebooks/{notebook_id}/execute", execute_v1, methods=["POST"]),
]

"""What a client asks about its surroundings: ``/v2/me``, machines, integrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil
from starlette.routing import Route

from deepnote_kernel.server.responses import JSONResponse
from deepnote_kernel.server.services import services_of
from deepnote_kernel.server.storage.store import Project

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["routes"]

WORKSPACE = {"id": "local", "slug": "local", "name": "This computer"}


async def me(_: Request) -> Response:
    """Say who calls: the one user of this server."""
    content = {
        "apiKey": {"id": "local", "name": "Local server"},
        "user": {"id": "local", "name": "Local user", "email": None},
        "workspace": WORKSPACE,
        "accessLevel": "admin",
    }
    return JSONResponse(content)


async def machine_types(_: Request) -> Response:
    """List the machines there are: this computer."""
    return JSONResponse({"machineTypes": [_machine_type()]})


async def machine(request: Request) -> Response:
    """Show the machine that a project's live runs share, and whether it is on."""
    services = services_of(request)
    project = services.store.get(Project, request.path_params["project_id"])
    services.sessions.refuse_suspended(project.id)
    content = {
        "status": "running" if services.runner.has_machine(project.id) else "stopped",
        "error": None,
        "startingPhase": None,
        "type": _machine_type(),
    }
    return JSONResponse({"machine": content})


async def integrations(_: Request) -> Response:
    """List the connections to other services: this server has none."""
    return JSONResponse({"integrations": []})


def _machine_type() -> dict[str, Any]:
    return {
        "id": "local",
        "name": "This computer",
        "type": "cpu",
        "vCpus": psutil.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / 2**30, 1),
        "gpuCount": 0,
    }


routes = [
    Route("/me", me, methods=["GET"]),
    Route("/machine-types", machine_types, methods=["GET"]),
    Route("/projects/{project_id}/machine", machine, methods=["GET"]),
    Route("/integrations", integrations, methods=["GET"]),
]

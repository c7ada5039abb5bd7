"""``/v2/me`` and ``/v2/machine-types``: what a client asks about its surroundings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from starlette.routing import Route

from deepnote_kernel.server.responses import JSONResponse

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
    machine = {
        "id": "local",
        "name": "This computer",
        "type": "cpu",
        "vCpus": os.cpu_count(),
        "gpuCount": 0,
    }
    return JSONResponse({"machineTypes": [machine]})


routes = [
    Route("/me", me, methods=["GET"]),
    Route("/machine-types", machine_types, methods=["GET"]),
]

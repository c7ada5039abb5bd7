"""The application: routes, middleware and error answers around explicit parts."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Mount, Router

from deepnote_kernel.server.description import openapi
from deepnote_kernel.server.errors import (
    RequestError,
    on_crash,
    on_disconnect,
    on_http_exception,
    on_request_error,
)
from deepnote_kernel.server.faults import FaultMiddleware
from deepnote_kernel.server.middleware import BearerMiddleware, BodyLimitMiddleware, HostMiddleware
from deepnote_kernel.server.routes import (
    archives,
    blocks,
    faults,
    files,
    notebooks,
    projects,
    runs,
    schedules,
    sessions,
    streamlit_apps,
    websites,
    workspace,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.routing import BaseRoute

    from deepnote_kernel.server.services import Services

__all__ = ["BODY_LIMIT_BYTES", "api_routes", "create_app", "host_names"]

BODY_LIMIT_BYTES = 64 * 1024 * 1024
UPLOAD_LIMIT_BYTES = 2 * 1024 * 1024 * 1024
OPEN_PREFIXES = (runs.DOWNLOAD_PREFIX, websites.PREFIX, openapi.PATH)


def create_app(
    services: Services,
    *,
    token: str,
    hosts: Collection[str] = (),
    body_limit_bytes: int = BODY_LIMIT_BYTES,
    upload_limit_bytes: int = UPLOAD_LIMIT_BYTES,
) -> Starlette:
    """Return an ASGI application that serves the API.

    Args:
        services: The parts that do the work; the caller closes them.
        token: The bearer token every request must carry.
        hosts: Host names requests must be addressed to; empty takes any.
        body_limit_bytes: The largest request body, in bytes.
        upload_limit_bytes: The largest upload of a file, in bytes; it is never held in memory.
    """
    app = Starlette(
        routes=api_routes(),
        middleware=[
            Middleware(HostMiddleware, hosts=hosts),
            Middleware(BearerMiddleware, token=token, open_prefixes=OPEN_PREFIXES),
            Middleware(
                BodyLimitMiddleware,
                limit_bytes=body_limit_bytes,
                exceptions={files.UPLOAD_PATH: upload_limit_bytes},
            ),
            Middleware(FaultMiddleware, faults=services.faults),
        ],
        exception_handlers={
            RequestError: on_request_error,
            HTTPException: on_http_exception,
            ClientDisconnect: on_disconnect,
            Exception: on_crash,
        },
    )
    app.router.redirect_slashes = False
    app.state.services = services
    return app


def api_routes() -> list[BaseRoute]:
    """Return the routes of everything that is served."""
    v2 = [
        *sessions.routes,
        *runs.routes,
        *notebooks.routes,
        *schedules.routes,
        *blocks.routes,
        *projects.routes,
        *archives.routes,
        *files.routes,
        *streamlit_apps.routes,
        *workspace.routes,
    ]
    # No redirects to paths without a slash: official clients refuse all of them.
    return [
        Mount("/v2", Router(v2, redirect_slashes=False)),
        Mount("/v1", Router(runs.routes_v1, redirect_slashes=False)),
        *faults.routes,
        *openapi.routes,
        *websites.routes,
    ]


def host_names(host: str) -> set[str]:
    """Return the names a server on this address answers to; empty where that cannot be known."""
    names = {"localhost", "127.0.0.1", "[::1]"}
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    return names | {f"[{host}]" if ":" in host else host} if is_loopback else set()

"""``/static-files/{project}/``: the website that a project's files make once they are shared.

Source: deepnote.com/docs, static sites, and deepnote-cli 0.10.0 (``publish``), read 2026-11-20.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from deepnote_kernel.server.errors import NotFoundError
from deepnote_kernel.server.storage.store import Project

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from deepnote_kernel.server.services import Services

__all__ = ["PREFIX", "routes"]

PREFIX = "/static-files/"

FOLDER = "_deepnote_static"


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Send a file of a website; anyone may have it, since a browser carries no token."""
    services = cast("Services", scope["app"].state.services)
    projects = services.store.find(Project, id=scope["path_params"]["project_id"])
    if not projects or not projects[0].is_shared:
        raise NotFoundError("Website not found")
    folder = services.folders.of(projects[0].id) / FOLDER
    if not folder.is_dir():
        raise NotFoundError("Website has no files")
    await StaticFiles(directory=folder, html=True)(scope, receive, send)


routes = [Mount(PREFIX + "{project_id}", app=serve)]

"""The calls below ``/deepnote/``, for whoever may use the Jupyter Server.

Work is done in threads, so that kernels' messages never wait for Deepnote. An error of ours is
answered in JSON with its one line: what happened, and what to do.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async, url_path_join
from tornado.web import HTTPError, authenticated

from deepnote_kernel.errors import ConfigError, DeepnoteError, NotFoundError, SessionError
from deepnote_kernel.jupyter_server.models import Kernel, StartRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.jupyter_server.service import Service

__all__ = ["Services", "handlers"]

_STATUSES = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConfigError: HTTPStatus.CONFLICT,
    SessionError: HTTPStatus.CONFLICT,
    DeepnoteError: HTTPStatus.BAD_GATEWAY,
}


class Services:
    """Makes the service when it is first asked for, since it brings the HTTP client."""

    def __init__(self) -> None:
        self._service: Service | None = None

    def get(self) -> Service:
        """Return the service; called from the server's own thread alone."""
        if self._service is None:
            from deepnote_kernel.jupyter_server.service import Service  # noqa: PLC0415 - see above

            self._service = Service(os.environ)
        return self._service


class DeepnoteHandler(APIHandler):
    """What all calls share."""

    auth_resource = "deepnote"

    def initialize(self, services: Services) -> None:
        """Take what the handlers share; called by tornado for each request."""
        self.service = services.get()

    def kernels(self) -> dict[str, Kernel]:
        """Return this server's kernels by the names of their connection files."""
        manager = self.kernel_manager
        found: dict[str, Kernel] = {}
        for kernel_id in manager.list_kernel_ids():
            kernel = manager.get_kernel(kernel_id)
            state = getattr(kernel, "execution_state", "")
            found[Path(kernel.connection_file).name] = Kernel(kernel_id, state)
        return found

    async def answer(
        self, function: Callable[[], object], status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        """Call a function in a thread, and answer with what it returns.

        Args:
            function: What the request asks for.
            status: The status of the answer, if it can be done.
        """
        try:
            result = await asyncio.to_thread(function)
        except DeepnoteError as error:
            result = {"message": str(error)}
            status = next(found for kind, found in _STATUSES.items() if isinstance(error, kind))
        self.set_status(status)
        await self.finish(None if status == HTTPStatus.NO_CONTENT else msgspec.json.encode(result))


class SessionsHandler(DeepnoteHandler):
    """The sessions that were started on this computer."""

    # Asked for again and again while a notebook is open, whether or not anybody is there.
    _track_activity = False

    @authenticated
    @authorized
    async def get(self) -> None:
        """Answer with all of them."""
        await self.answer(partial(self.service.overview, self.kernels()))

    @authenticated
    @authorized
    async def post(self) -> None:
        """Begin to start one."""
        try:
            asked = msgspec.json.decode(self.request.body, type=StartRequest)
        except msgspec.MsgspecError as error:
            raise HTTPError(HTTPStatus.BAD_REQUEST, str(error)) from None
        start = partial(self.service.start, is_local=asked.is_local, notebook_id=asked.notebook_id)
        await self.answer(start, HTTPStatus.ACCEPTED)


class SessionHandler(DeepnoteHandler):
    """One session."""

    @authenticated
    @authorized
    async def delete(self, session_id: str) -> None:
        """End it and its machine."""
        await self.answer(partial(self.service.stop, session_id), HTTPStatus.NO_CONTENT)


class InterruptHandler(DeepnoteHandler):
    """The running cell of a notebook in a session."""

    @authenticated
    @authorized
    async def post(self, session_id: str, notebook_id: str) -> None:
        """Interrupt it, by way of its kernel if that is one of this server's."""
        owner = await asyncio.to_thread(self.service.owner, session_id, notebook_id)
        kernel = self.kernels().get(owner)
        if kernel is None:
            interrupt = partial(self.service.interrupt, session_id, notebook_id)
            await self.answer(interrupt, HTTPStatus.NO_CONTENT)
        else:
            manager: Any = self.kernel_manager
            await ensure_async(manager.interrupt_kernel(kernel.id))
            self.set_status(HTTPStatus.NO_CONTENT)
            await self.finish()


class StartHandler(DeepnoteHandler):
    """A session that is being started, or failed to."""

    @authenticated
    @authorized
    async def delete(self, start_id: str) -> None:
        """Give it up, or forget that it failed."""
        await self.answer(partial(self.service.dismiss, start_id), HTTPStatus.NO_CONTENT)


class WorkspacesHandler(DeepnoteHandler):
    """What there is on Deepnote and on this computer's server."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Answer with projects, notebooks and their last runs."""
        await self.answer(self.service.workspaces)


_ROUTES: dict[str, type[DeepnoteHandler]] = {
    "sessions": SessionsHandler,
    "sessions/([^/]+)": SessionHandler,
    "sessions/([^/]+)/notebooks/([^/]+)/interrupt": InterruptHandler,
    "starts/([^/]+)": StartHandler,
    "workspaces": WorkspacesHandler,
}


def handlers(base_url: str) -> list[tuple[str, type[DeepnoteHandler], dict[str, Any]]]:
    """Return the handlers, as tornado takes them.

    Args:
        base_url: The path below which Jupyter Server answers.
    """
    shared = {"services": Services()}
    return [
        (url_path_join(base_url, "deepnote", path), handler, shared)
        for path, handler in _ROUTES.items()
    ]

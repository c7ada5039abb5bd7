"""An open notebook on a server, which may have to be opened again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from deepnote_kernel.session.waiting import delays
from deepnote_kernel.strata.calls import environment, notebooks
from deepnote_kernel.strata.refusals import SessionClosedError
from deepnote_kernel.strata.socket import Socket

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.api.call import Call
    from deepnote_kernel.strata.client import AsyncClient
    from deepnote_kernel.strata.models import EnvironmentState, Notebook
    from deepnote_kernel.strata.settings import StrataSettings

__all__ = ["Link"]

P = ParamSpec("P")
T = TypeVar("T")


class Link:
    """Sends calls about one notebook, and opens it again when its session has ended.

    A session ends with its server, and after hours without use; cells and results stay on disk.

    Args:
        client: Talks to the server.
        settings: How to reach it.
        notebook: The notebook, as it was opened.
    """

    def __init__(self, client: AsyncClient, settings: StrataSettings, notebook: Notebook) -> None:
        self.client = client
        self.session_id = notebook.session_id
        self.path = notebook.path
        self._settings = settings

    async def send(
        self, call: Callable[Concatenate[str, P], Call[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Send a call that is about the notebook.

        Args:
            call: Makes the call, given the session and the other arguments.
            *args: More of its arguments.
            **kwargs: As above.
        """
        try:
            return await self.client.send(call(self.session_id, *args, **kwargs))
        except SessionClosedError:
            self.session_id = (await self.client.send(notebooks.open_(self.path))).session_id
        return await self.client.send(call(self.session_id, *args, **kwargs))

    def socket(self) -> Socket:
        """Return a socket to the notebook, yet to be opened."""
        return Socket(
            self.session_id,
            self._settings.base_url,
            headers=self._settings.revealed_headers(),
            allow_http=self._settings.allow_http,
        )

    async def settled_environment(self) -> EnvironmentState:
        """Wait until no packages are being installed, and return how the environment is then."""
        waits = delays(0.1, 1.0)
        state = await self.send(environment.current_job)
        while state.job is not None and state.job.is_running:
            await asyncio.sleep(next(waits))
            state = await self.send(environment.current_job)
        return state

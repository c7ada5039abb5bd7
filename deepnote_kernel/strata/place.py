"""Open the Strata notebook that a Jupyter notebook's cells go to."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING, cast

from deepnote_kernel.errors import DeepnoteError, SessionGoneError, SessionStartError
from deepnote_kernel.strata.calls import notebooks, sessions
from deepnote_kernel.strata.client import AsyncClient
from deepnote_kernel.strata.layout import Layout
from deepnote_kernel.strata.link import Link
from deepnote_kernel.strata.refusals import NameTakenError, SessionClosedError
from deepnote_kernel.strata.session import StrataSession
from deepnote_kernel.strata.settings import JUPYTER, StrataSettings, notebook_name

if TYPE_CHECKING:
    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.protocol import Progress
    from deepnote_kernel.session.record import Records
    from deepnote_kernel.strata.models import Notebook

__all__ = ["StrataPlace", "connect"]


async def connect(
    settings: Settings,
    records: Records,  # noqa: ARG001 - the server keeps its own
    owner: str,  # noqa: ARG001 - as above
    progress: Progress,
) -> StrataPlace:
    """Connect to the Strata server that the settings name; nothing is sent yet.

    Args:
        settings: :class:`~deepnote_kernel.strata.settings.StrataSettings`.
        records: Not needed: a Strata session costs nothing and ends by itself.
        owner: Not needed either.
        progress: Takes a line for each stage of a start.
    """
    return StrataPlace(cast("StrataSettings", settings), progress)


class StrataPlace:
    """A Strata server.

    Args:
        settings: Which, and which notebook to open there.
        progress: Takes a line for each stage of a start.
    """

    def __init__(self, settings: StrataSettings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self._client = AsyncClient(
            settings.base_url,
            headers=settings.revealed_headers(),
            allow_http=settings.allow_http,
        )

    async def start(self) -> StrataSession:
        """Open the notebook, which is created if need be, and wait until it takes cells.

        Raises:
            SessionStartError: Its Python environment could not be made.
            DeepnoteError: The server refused, or cannot be reached.
        """
        self._progress("opening the notebook")
        notebook, is_temporary = await self._notebook()
        session = await self._session(notebook, is_temporary=is_temporary)
        if self._settings.mode == JUPYTER:
            await session.restart()
        self._progress("ready")
        return session

    async def attach(
        self,
        session_id: str,
        notebook_id: str = "",  # noqa: ARG002 - a Strata session has one notebook
    ) -> StrataSession:
        """Take over a notebook as it is, variables included.

        Args:
            session_id: Its session, or its folder on the server's machine.
            notebook_id: Not needed.

        Raises:
            SessionGoneError: The session has ended.
        """
        is_path = session_id.startswith("/")
        call = notebooks.open_(session_id) if is_path else sessions.get(session_id)
        try:
            notebook = await self._client.send(call)
        except SessionClosedError:
            raise SessionGoneError(
                f"The Strata session {session_id} has ended; its notebook is still there.",
                "See `%strata notebooks list`, and attach by the notebook's path.",
            ) from None
        return await self._session(notebook, is_temporary=False)

    async def discard(self, session_id: str) -> None:
        """Close a session."""
        with contextlib.suppress(DeepnoteError):
            await self._client.send(notebooks.close(session_id))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _notebook(self) -> tuple[Notebook, bool]:
        """Return the open notebook, and whether it is one that nobody would find again."""
        wanted, document = self._settings.notebook_id, self._settings.document
        if wanted.startswith("/"):
            return await self._client.send(notebooks.open_(wanted)), False
        if wanted or document:
            return await self._find_or_create(wanted or notebook_name(document)), False
        return await self._find_or_create(f"jupyter-{uuid.uuid4().hex[:12]}"), True

    async def _find_or_create(self, name: str) -> Notebook:
        config = await self._client.send(notebooks.config())
        create = notebooks.create(
            name,
            parent_path=config.default_parent_path,
            python_version=config.default_python_version or None,
        )
        try:
            return await self._client.send(create)
        except NameTakenError as error:
            return await self._client.send(notebooks.open_(error.path))

    async def _session(self, notebook: Notebook, *, is_temporary: bool) -> StrataSession:
        link = Link(self._client, self._settings, notebook)
        self._progress("preparing its packages")
        limit_s = self._settings.start_timeout_s
        try:
            state = await asyncio.wait_for(link.settled_environment(), limit_s)
        except asyncio.TimeoutError:
            raise SessionStartError(
                f"The notebook's packages took more than {limit_s:g} s.",
                "Try again, or set STRATA_START_TIMEOUT to more seconds.",
            ) from None
        if state.environment.sync_state == "failed":
            raise SessionStartError(
                f"The notebook's environment could not be made: {state.environment.sync_error}",
                "`%strata env show` tells more.",
            )
        layout = Layout(link, notebook.cells)
        return StrataSession(link, layout, self._settings, is_temporary=is_temporary)

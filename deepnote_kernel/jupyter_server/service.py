"""What the handlers call: the sessions of this computer, and what to do with them."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import structs

from deepnote_kernel.config import LOCAL, Settings
from deepnote_kernel.jupyter_server.models import Overview, SessionView, age_s
from deepnote_kernel.jupyter_server.starts import Starts
from deepnote_kernel.jupyter_server.workspaces import Workspaces
from deepnote_kernel.session import inventory
from deepnote_kernel.session.record import STARTING, Records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deepnote_kernel.api.models import Session
    from deepnote_kernel.jupyter_server.models import Kernel, StartView, WorkspaceView
    from deepnote_kernel.session.inventory import Seen
    from deepnote_kernel.session.record import Record

__all__ = ["Service"]

_LOCAL_FRESH_S: Final = 1.0
_FRESH_S: Final = 15.0
"""How long a session's state is good for. Deepnote limits calls a minute and every browser tab
asks; what ticks, such as a session's age, goes on by itself."""


class Service:
    """Sessions and workspaces, as the browser sees them.

    All methods block, and may be called from any thread.

    Args:
        environ: Where settings are read at each call.
        records: Where sessions are recorded; by default in Jupyter's data folder.
    """

    def __init__(self, environ: Mapping[str, str], records: Records | None = None) -> None:
        self._environ = environ
        self._records = records or Records()
        self._starts = Starts(self._records)
        self._workspaces = Workspaces()
        self._guard = threading.Lock()
        self._looks: dict[tuple[str, str], tuple[float, Seen]] = {}

    def overview(self, kernels: Mapping[str, Kernel]) -> Overview:
        """Return all sessions that were started on this computer. Starts nothing.

        Args:
            kernels: This Jupyter Server's kernels by the names of their connection files.

        Raises:
            ConfigError: A setting cannot be read.
        """
        settings = self._settings()
        starts = self._starts.all()
        being_started = {start.id for start in starts}
        # One at a time: a second browser tab is told what the first has found out.
        with self._guard:
            records = [r for r in self._records.all() if r.owner not in being_started]
            found = asyncio.run(self._look_at(settings, records))
        sessions = [self._session(settings, seen, kernels) for seen in reversed(found)]
        return Overview(sessions=sessions, starts=starts)

    def workspaces(self) -> list[WorkspaceView]:
        """Return the projects, notebooks and last runs of each server. Starts nothing.

        Raises:
            ConfigError: A setting cannot be read.
        """
        return self._workspaces.all(self._settings())

    def start(self, *, is_local: bool, notebook_id: str) -> StartView:
        """Begin to start a session, and return at once.

        Args:
            is_local: Whether it shall run on this computer.
            notebook_id: The notebook it is anchored to, or ``scratch``.

        Raises:
            ConfigError: A setting cannot be read.
        """
        settings = self._settings(LOCAL if is_local else None).replace(notebook_id=notebook_id)
        notebook = self._workspaces.known(settings.base_url, notebook_id)
        return self._starts.begin(settings, notebook)

    def dismiss(self, start_id: str) -> None:
        """Give up a start, or forget one that failed.

        Args:
            start_id: The start; one that has ended is dismissed already.
        """
        self._starts.dismiss(start_id)

    def owner(self, session_id: str, notebook_id: str) -> str:
        """Return the name of the connection file of a session's kernel; empty if it has none.

        Args:
            session_id: The session, by its id in the record.
            notebook_id: The notebook of it that the kernel runs.
        """
        record = self._records.load(session_id, notebook_id)
        return record.owner if record else ""

    def interrupt(self, session_id: str, notebook_id: str) -> None:
        """Interrupt what runs in a session that no kernel here holds.

        Args:
            session_id: The session, by its id in the record.
            notebook_id: The notebook of it whose cell runs.

        Raises:
            UnknownNameError: It is not recorded.
            SessionError: Another process follows the cell, or it runs on a server that the
                settings do not name.
            NotFoundError: It has ended.
        """
        record = inventory.find(self._records, session_id, notebook_id)
        asyncio.run(inventory.interrupt(self._settings(), self._records, record))
        self._looks.pop(_key(record), None)

    def stop(self, session_id: str) -> None:
        """End a session and its machine.

        Args:
            session_id: The session, by its id in the record.

        Raises:
            UnknownNameError: It is not recorded.
            SessionError: It runs on a server that the settings do not name.
        """
        asyncio.run(inventory.stop(self._settings(), self._records, session_id))

    def _settings(self, base_url: str | None = None) -> Settings:
        return Settings.from_env(self._environ, base_url=base_url)

    async def _look_at(self, settings: Settings, records: list[Record]) -> list[Seen]:
        found = await asyncio.gather(*(self._look(settings, record) for record in records))
        keys = {_key(record) for record in records}
        self._looks = {key: look for key, look in self._looks.items() if key in keys}
        return [seen for seen in found if seen]

    async def _look(self, settings: Settings, record: Record) -> Seen | None:
        """Return how a session is, asked for no more often than needed."""
        looked_at, seen = self._looks.get(_key(record), (0.0, None))
        limit_s = _LOCAL_FRESH_S if record.base_url == LOCAL else _FRESH_S
        if seen is not None and time.monotonic() - looked_at < limit_s:
            return structs.replace(seen, record=structs.replace(record, state=seen.record.state))
        seen = await inventory.look(settings, self._records, record)
        # That a session starts is soon over.
        if seen is not None and not record.is_pending and seen.record.state != STARTING:
            self._looks[_key(record)] = (time.monotonic(), seen)
        return seen

    def _session(
        self, settings: Settings, seen: Seen, kernels: Mapping[str, Kernel]
    ) -> SessionView:
        record, server = seen.record, seen.record.base_url
        notebook = self._workspaces.known(server, record.notebook_id)
        if seen.session is not None:
            place = settings.replace(base_url=server)
            notebook = self._workspaces.notebook(place, record.notebook_id)
        # A kernel that died and was started again goes by the same name, but has lost its session.
        is_used = self._records.is_used(record)
        kernel = kernels.get(record.owner) if is_used else None
        state = record.state
        if kernel is not None and {state, kernel.state} == {"busy", "idle"}:
            # Between two calls of a cell the server takes the session for idle.
            state = kernel.state
        return SessionView(
            id=record.id,
            is_local=server == LOCAL,
            server=server,
            state=state,
            age_s=age_s(record.created_at),
            idle_left_s=_idle_left_s(seen.session) if seen.session else None,
            notebook=notebook,
            kernel_id=kernel.id if kernel else "",
            document=record.document,
            has_left_cell=bool(record.relay.get("cell")) and not is_used,
            is_pending=record.is_pending,
            problem=str(seen.error) if seen.error else "",
        )


def _key(record: Record) -> tuple[str, str]:
    return record.id, record.notebook_id


def _idle_left_s(session: Session) -> float | None:
    """Return how long a session may go unused, as far as its server tells."""
    ends_at = session.expires_at
    if ends_at is None and session.last_activity_at and session.idle_shutdown_s:
        ends_at = session.last_activity_at + timedelta(seconds=session.idle_shutdown_s)
    return None if ends_at is None else max(0.0, -age_s(ends_at))

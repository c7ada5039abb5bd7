"""How a session comes to be: created, waited for, recorded; or taken over when it runs already.

Creating a session starts a machine and runs the anchor notebook, and the machine costs money until
it is stopped. So each step leaves a trace in the record before it is taken, and whatever goes wrong
before the session is ready stops it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from deepnote_kernel.api import runs, sessions
from deepnote_kernel.config import SCRATCH
from deepnote_kernel.errors import (
    APIStatusError,
    BadRequestError,
    ConfigError,
    ConflictError,
    ConnectionFailedError,
    DeepnoteError,
    NotFoundError,
    ServerError,
    SessionError,
    SessionGoneError,
    SessionStartError,
    UnsupportedError,
)
from deepnote_kernel.session import scratch
from deepnote_kernel.session.clients import open_client
from deepnote_kernel.session.direct import DirectSession
from deepnote_kernel.session.live import LiveSession
from deepnote_kernel.session.record import HANDED_OVER, READY
from deepnote_kernel.session.sharing import Sharing
from deepnote_kernel.session.waiting import delays

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from deepnote_kernel.api import AsyncClient
    from deepnote_kernel.api.models import CreatedSession
    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.protocol import Progress, Session
    from deepnote_kernel.session.record import Record, Records
    from deepnote_kernel.session.sharing import Claim

__all__ = ["Lifecycle", "connect"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

_STOP_LIMIT_S: Final = 10.0
_CHECK_LIMIT_MS: Final = 10_000


async def connect(
    settings: Settings, records: Records, owner: str, progress: Progress
) -> Lifecycle:
    """Connect to Deepnote, or to the embedded server, which is started if need be.

    Args:
        settings: Which server, and what sessions to bring up there.
        records: Where they are recorded.
        owner: Who they belong to, for the record.
        progress: Takes a line for each stage of a start.

    Raises:
        ConfigError: There is no token.
    """
    client = await open_client(settings)
    return Lifecycle(client, settings, records, owner=owner, progress=progress)


class Lifecycle:
    """Brings sessions up on one server.

    Args:
        client: Talks to the server; the session goes on using it.
        settings: What session to bring up.
        records: Where it is recorded.
        owner: Who it belongs to, for the record.
        progress: Takes a line for each stage.
        kernel_limit_s: Seconds a kernel may take to come up after a first run that failed.
    """

    def __init__(  # noqa: PLR0913 - what every step needs
        self,
        client: AsyncClient,
        settings: Settings,
        records: Records,
        *,
        owner: str,
        progress: Progress,
        kernel_limit_s: float = 60.0,
    ) -> None:
        self._client = client
        self._settings = settings
        self._records = records
        self._progress = progress
        self._sharing = Sharing(client, settings, records, owner=owner, progress=progress)
        self._kernel_limit_s = kernel_limit_s

    async def start(self) -> Session:
        """Create a session and wait until it takes cells. Cancelling stops what was started.

        Where sessions are to be shared, join that of another notebook, if one runs.

        Raises:
            ConfigError: No notebook is named; nothing was sent.
            SessionStartError: It did not become ready in time, and was stopped.
            DeepnoteError: The server refused.
        """
        pending = self._sharing.pending(await self._anchor())
        if self._settings.share_session:
            claim = await self._in_time(self._sharing.claim(pending), "was not joined")
            pending = claim.record
            if not pending.is_pending:
                try:
                    return await self._in_time(self._join(claim), "was not joined")
                except SessionGoneError as error:
                    self._progress(f"{error.message} Starting another machine.")
                    pending = self._sharing.pending(pending.notebook_id)
        self._progress("machine starting")
        created, record = await self._create_recorded(pending)
        try:
            session = await self._in_time(self._ready(created, record), "was stopped")
        except BaseException:
            await self.discard(record.id)
            raise
        self._progress("ready")
        return session

    async def _in_time(self, step: Coroutine[Any, Any, T], otherwise: str) -> T:
        limit_s = self._settings.start_timeout_s
        try:
            return await asyncio.wait_for(step, limit_s)
        except asyncio.TimeoutError:
            raise SessionStartError(
                f"The session was not ready after {limit_s:g} s and {otherwise}.",
                "Try again, or set DEEPNOTE_START_TIMEOUT to more seconds.",
            ) from None

    async def attach(self, session_id: str, notebook_id: str = "") -> Session:
        """Take over a session that runs already, or join it beside others.

        Args:
            session_id: The session.
            notebook_id: The notebook whose kernel shall run the cells; by default the one that is
                recorded.

        Raises:
            ConfigError: It is not recorded, and the settings name no notebook.
            SessionError: It runs on another server, or another kernel uses the notebook.
            SessionGoneError: It has ended.
        """
        record = await self._sharing.part(session_id, notebook_id)
        try:
            await self._client.send(sessions.status(session_id, notebook_id=record.notebook_id))
        except NotFoundError:
            raise await self._gone(session_id, record.notebook_id) from None
        before = self._records.load(session_id, record.notebook_id)
        self._records.save(record)
        try:
            return await self._connect(record)
        except BaseException:
            # Nobody uses what could not be connected to; whose it was before, it is again.
            self._records.remove(session_id, record.notebook_id)
            if before is not None:
                self._records.save(before)
            raise

    async def _gone(self, session_id: str, notebook_id: str) -> SessionError:
        """Return what a session means that does not know a notebook; it may have ended."""
        known = self._records.load(session_id)
        if known is not None and known.notebook_id != notebook_id:
            call = sessions.status(session_id, notebook_id=known.notebook_id)
            with contextlib.suppress(NotFoundError):
                await self._client.send(call)
                return SessionError(
                    f"The session {session_id} has no notebook {notebook_id}.",
                    "Name one of its project, as `%deepnote notebooks list` shows them.",
                )
        self._records.remove(session_id)
        return SessionGoneError(
            f"The session {session_id} has ended.", "Run `%deepnote start` to start a new one."
        )

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    # Creating

    async def _anchor(self) -> str:
        notebook_id = self._settings.notebook_id
        if notebook_id == SCRATCH or (self._settings.is_local and not notebook_id):
            return await scratch.find_or_create(self._client, self._settings.project_id)
        if not notebook_id:
            raise ConfigError(
                "No notebook on Deepnote is chosen yet.",
                "Run `%deepnote start`, which offers yours and an empty one, then this cell again; "
                "where nobody can be asked, set DEEPNOTE_NOTEBOOK_ID.",
            )
        return notebook_id

    async def _create_recorded(self, pending: Record) -> tuple[CreatedSession, Record]:
        """Create a session. At no moment is there one that is not recorded."""
        self._records.save(pending)
        call = asyncio.ensure_future(self._create(pending.notebook_id))
        is_cancelled = False
        try:
            try:
                created = await asyncio.shield(call)
            except asyncio.CancelledError:
                # The machine may be starting already. Its id is in the answer, so wait for that.
                is_cancelled = True
                created = await call
        except (APIStatusError, ConnectionFailedError, ConfigError) as error:
            # A server that failed in the middle of it may have started the session all the same.
            if not isinstance(error, ServerError):
                self._records.remove(pending.id)
            raise
        record = msgspec.structs.replace(
            pending,
            id=created.session.id,
            project_id=created.session.project_id or pending.project_id,
        )
        self._records.save(record)
        self._records.remove(pending.id)
        if is_cancelled:
            await self.discard(record.id)
            raise asyncio.CancelledError
        return created, record

    async def _create(self, notebook_id: str) -> CreatedSession:
        storage_mode = self._settings.storage_mode
        idle_s = self._settings.idle_shutdown_s or None
        call = sessions.create(notebook_id, storage_mode=storage_mode, idle_shutdown_s=idle_s)
        try:
            return await self._client.send(call)
        except BadRequestError as error:
            # Its limits are not documented, nor that every workspace may set it.
            if idle_s is None or "idleshutdown" not in error.server_message.lower():
                raise
            self._progress(f"no idle limit: {error.server_message}")
        return await self._client.send(sessions.create(notebook_id, storage_mode=storage_mode))

    async def discard(self, session_id: str) -> None:
        """Stop a session that is of no use; if that fails, its record remains."""
        call = self._client.send(sessions.stop(session_id))
        try:
            with contextlib.suppress(NotFoundError):
                await asyncio.wait_for(call, _STOP_LIMIT_S)
            self._records.remove(session_id)
        except (DeepnoteError, asyncio.TimeoutError) as error:
            _log.warning("Session %s may still be running: %s", session_id, error)

    # Joining

    async def _join(self, claim: Claim) -> Session:
        """Take part in another notebook's session, in the state that a start would leave."""
        record = claim.record
        self._progress("joining another notebook's machine")
        try:
            session = await self._connect(record)
            if claim.is_left:
                await session.restart()
            if not self._sharing.is_scratch:
                await self._run_notebook(record)
        except BaseException:
            self._records.remove(record.id, record.notebook_id)
            raise
        self._progress("ready")
        return session

    async def _run_notebook(self, record: Record) -> None:
        """Run a notebook as the creation of a session would; no page of Deepnote's promises it."""
        try:
            run = await self._client.send(sessions.run(record.id, notebook_id=record.notebook_id))
        except APIStatusError as error:
            self._progress(f"the notebook was not run: {error.server_message or error.message}")
            return
        status = await self._first_run(run.id)
        if status not in {"", "success"}:
            self._progress(f"the notebook's run ended with status {status}")

    # Waiting

    async def _ready(self, created: CreatedSession, record: Record) -> Session:
        status = await self._first_run(created.run.id) if created.run else ""
        if status not in {"", "success"}:
            # A cell that raised does not make a session useless; a kernel that died does.
            self._progress(f"the notebook's first run ended with status {status}")
            await self._check_kernel(record)
        notebook_id = await self._answering_notebook(created, record.notebook_id)
        ready = msgspec.structs.replace(record, notebook_id=notebook_id, state=READY)
        self._records.save(ready)
        if notebook_id != record.notebook_id:
            self._records.remove(record.id, record.notebook_id)
        return await self._connect(ready)

    async def _first_run(self, run_id: str) -> str:
        """Wait for a run; return how it ended, or nothing where the server does not know it."""
        shown = "pending"
        for delay_s in delays(0.05, 2.0):
            try:
                run = await self._client.send(runs.get(run_id))
            except NotFoundError:
                break
            if run.is_finished:
                return run.status
            if run.status != shown:
                shown = run.status
                self._progress("running the notebook" if shown == "running" else shown)
            await asyncio.sleep(delay_s)
        return ""

    async def _check_kernel(self, record: Record) -> None:
        """Run nothing, to see whether anything would run."""
        try:
            await asyncio.wait_for(self._run_nothing(record), self._kernel_limit_s)
        except asyncio.TimeoutError:
            raise SessionStartError(
                "The session's kernel did not come up.",
                "Run the notebook in Deepnote to see why, or use `%deepnote start --scratch`.",
            ) from None

    async def _run_nothing(self, record: Record) -> None:
        call = sessions.execute(
            record.id, notebook_id=record.notebook_id, code="pass", timeout_ms=_CHECK_LIMIT_MS
        )
        for delay_s in delays(0.1, 2.0):
            try:
                await self._client.send(call)
            except ConflictError:
                await asyncio.sleep(delay_s)
            else:
                break

    async def _answering_notebook(self, created: CreatedSession, notebook_id: str) -> str:
        """Return the id the session's kernel is addressed by: the source's, or else the copy's."""
        try:
            await self._client.send(sessions.status(created.session.id, notebook_id=notebook_id))
        except NotFoundError:
            if created.session.session_notebook_id:
                return created.session.session_notebook_id
            raise
        return notebook_id

    # Connecting

    async def _connect(self, record: Record) -> Session:
        """Return the session's object: a live one, or a direct one where live does not work."""
        if self._settings.mode == "live":
            try:
                return await self._connect_live(record)
            except UnsupportedError as error:
                self._progress(str(error))
        return DirectSession(
            self._client,
            self._settings,
            session_id=record.id,
            notebook_id=record.notebook_id,
            created_at=record.created_at,
        )

    async def _connect_live(self, record: Record) -> Session:
        session = LiveSession(
            self._client,
            self._settings,
            session_id=record.id,
            notebook_id=record.notebook_id,
            created_at=record.created_at,
        )
        if record.state == HANDED_OVER:
            await session.take_over(record.relay)
            record = msgspec.structs.replace(record, state=READY, relay={})
            self._records.save(record)
        elif record.relay:
            await session.reopen(record.relay.get("acknowledged", 0))
        else:
            await session.open()
        session.on_progress = lambda relay: self._records.update(
            msgspec.structs.replace(record, relay=relay)
        )
        session.save()
        return session

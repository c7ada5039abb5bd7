"""Interactive sessions: a copy of a notebook, a machine of its own, and an end when unused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.server.blocks.inputs import check_inputs
from deepnote_kernel.server.errors import ConflictError, NotFoundError
from deepnote_kernel.server.execution.idle import IdleTimer
from deepnote_kernel.server.execution.runs import Selection, TrackedRun
from deepnote_kernel.server.storage.folders import StorageMode
from deepnote_kernel.server.storage.store import (
    Block,
    Notebook,
    Page,
    Project,
    SessionRecord,
    Store,
    new_hex_id,
    new_uuid,
    now,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from deepnote_kernel.server.execution.machines import Machine, MachineFactory
    from deepnote_kernel.server.execution.notebook_kernel import NotebookKernel

__all__ = ["Session", "SessionOptions", "Sessions"]

JSON = dict[str, Any]


class SessionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a session may be given when it is made."""

    inputs: JSON = {}
    storage_mode: StorageMode = "read_write"
    idle_shutdown_s: float | None = None
    machine_type: str = "local"


class Session:
    """One live session: its record, its machine and its copies of notebooks."""

    def __init__(
        self,
        store: Store,
        record: SessionRecord,
        machine: Machine,
        *,
        end: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self.record = record
        self.machine = machine
        self.updated_at = record.created_at
        self.timer = IdleTimer(record.idle_shutdown_s, is_busy=lambda: machine.is_busy, end=end)
        self._copies: dict[str, Notebook] = {}

    @property
    def status(self) -> str:
        """``starting``, ``idle``, ``busy``, or ``error`` where the anchor's kernel is gone."""
        states = {kernel.state for kernel in self.machine}
        if self.machine.kernel(self.record.session_notebook_id).state == "unavailable":
            return "error"
        return next((state for state in ("starting", "busy") if state in states), "idle")

    @property
    def copies(self) -> list[Notebook]:
        """The session's own notebooks."""
        return [copy for key, copy in self._copies.items() if key == copy.id]

    def touch(self) -> None:
        """Note a submission: the session is in use."""
        self.updated_at = now()
        self.timer.touch()

    def copy_of(self, notebook_id: str) -> Notebook:
        """Return the session's copy of a notebook of its project, made when first asked for.

        Args:
            notebook_id: The notebook's id, or the copy's.

        Raises:
            NotFoundError: The project has no such notebook.
        """
        copy = self._copies.get(notebook_id)
        if copy is None:
            source = self._store.get(Notebook, notebook_id)
            if source.source_id is not None or source.project_id != self.record.project_id:
                raise NotFoundError("Notebook not found")
            copy = self.add_copy(source, new_hex_id())
        return copy

    def add_copy(self, source: Notebook, copy_id: str) -> Notebook:
        """Copy a notebook and its blocks; the blocks get ids of their own."""
        blocks = self._store.find(Block, "position", notebook_id=source.id)
        copy = msgspec.structs.replace(source, id=copy_id, source_id=source.id)
        copies = [
            msgspec.structs.replace(block, id=new_hex_id(), notebook_id=copy_id) for block in blocks
        ]
        self._store.insert(copy, *copies)
        self._copies[source.id] = self._copies[copy.id] = copy
        return copy

    def kernel(self, notebook_id: str) -> NotebookKernel:
        """Return the kernel of a notebook in this session, started when first asked for.

        Raises:
            NotFoundError: The project has no such notebook.
        """
        return self.machine.kernel(self.copy_of(notebook_id).id)

    def run(self, copy: Notebook, selection: Selection, inputs: JSON) -> TrackedRun:
        """Submit blocks of one of the session's notebooks as a tracked run."""
        run = TrackedRun(self._store, copy, selection, inputs=inputs, session_id=self.record.id)
        self.machine.kernel(copy.id).submit(run).add_done_callback(lambda _: self.touch())
        return run


class Sessions:
    """All live sessions.

    Args:
        store: Where their records and notebooks are kept.
        machines: Where their kernels run.
        idle_shutdown_s: Seconds without use after which a session ends that names no time itself.
    """

    def __init__(self, store: Store, machines: MachineFactory, *, idle_shutdown_s: float) -> None:
        self._store = store
        self._machines = machines
        self._idle_shutdown_s = idle_shutdown_s
        self._live: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._live.values()))

    def create(self, source: Notebook, options: SessionOptions) -> tuple[Session, TrackedRun]:
        """Start a session on a notebook; its first run is that of the whole notebook.

        Raises:
            BadRequestError: An input does not fit the notebook.
            ConflictError: The project is suspended.
        """
        self.refuse_suspended(source.project_id)
        check_inputs(self._store.find(Block, notebook_id=source.id), options.inputs)
        record = SessionRecord(
            id=new_uuid(),
            notebook_id=source.source_id or source.id,
            session_notebook_id=new_hex_id(),
            project_id=source.project_id,
            storage_mode=options.storage_mode,
            idle_shutdown_s=options.idle_shutdown_s or self._idle_shutdown_s,
            machine_type=options.machine_type,
            created_at=now(),
            ended_at=None,
        )
        self._store.insert(record)
        machine = self._machines.start(source.project_id, options.storage_mode)
        session = Session(self._store, record, machine, end=lambda: self._end(session))
        self._live[record.id] = session
        copy = session.add_copy(source, record.session_notebook_id)
        blocks = self._store.find(Block, "position", notebook_id=copy.id)
        return session, session.run(copy, Selection(blocks), options.inputs)

    def get(self, session_id: str) -> Session:
        """Return a live session.

        Raises:
            NotFoundError: It never was, or has ended.
        """
        session = self.find(session_id)
        if session is None:
            raise NotFoundError("Session not found")
        return session

    def find(self, session_id: str) -> Session | None:
        """Return a live session, or nothing."""
        return self._live.get(session_id)

    def page(self, *, size: int, token: str | None) -> Page:
        """Return one page of the live sessions, newest first.

        Raises:
            BadRequestError: The token is not one that an earlier page gave.
        """
        page = self._store.page(
            SessionRecord,
            size=size,
            token=token,
            newest_first=True,
            condition="ended_at IS NULL",
        )
        live = [self._live[record.id] for record in page.rows if record.id in self._live]
        return Page(live, page.next_token)

    def use(self, session_id: str) -> Session:
        """Return a live session and note that it is in use.

        Raises:
            NotFoundError: It never was, or has ended.
            ConflictError: The project is suspended.
        """
        session = self.get(session_id)
        self.refuse_suspended(session.record.project_id)
        session.touch()
        return session

    def refuse_suspended(self, project_id: str) -> None:
        """Raise :class:`ConflictError` where a project is suspended."""
        if self._store.get(Project, project_id).is_suspended:
            raise ConflictError("Project is suspended")

    async def end(self, session_id: str) -> None:
        """End a session: its kernels stop, its notebooks go.

        Raises:
            NotFoundError: It never was, or has ended.
        """
        await self._end(self.get(session_id))

    async def end_project(self, project_id: str) -> None:
        """End all sessions of a project."""
        sessions = [session for session in self if session.record.project_id == project_id]
        await asyncio.gather(*map(self._end, sessions))

    async def close(self) -> None:
        """End all sessions."""
        await asyncio.gather(*map(self._end, self))

    async def _end(self, session: Session) -> None:
        session_id = session.record.id
        if self._live.pop(session_id, None) is None:
            return  # somebody else ends it
        session.timer.cancel()
        await self._machines.stop(session.machine)
        self._store.update(SessionRecord, session_id, ended_at=now())
        self._store.delete(Notebook, *(copy.id for copy in session.copies))

"""Which session a notebook's cells go to: one of its own, or that of another notebook.

Deepnote gives each notebook of a session a kernel of its own. So notebooks of one project can share
a machine and the project's files, and no variables.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from deepnote_kernel.api import notebooks, sessions
from deepnote_kernel.config import SCRATCH
from deepnote_kernel.errors import APIStatusError, ConfigError, NotFoundError, SessionError
from deepnote_kernel.session import scratch
from deepnote_kernel.session.record import HANDED_OVER, READY, STARTING, STOPPING, Record
from deepnote_kernel.session.waiting import delays

if TYPE_CHECKING:
    from deepnote_kernel.api import AsyncClient
    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.protocol import JSON, Progress
    from deepnote_kernel.session.record import Records

__all__ = ["Claim", "Sharing"]


class Claim(NamedTuple):
    """What has been recorded for a notebook."""

    record: Record
    """Its part in a session that runs, or a session to be started."""

    is_left: bool
    """Whether its kernel in that session may hold what an earlier user has left."""


class Sharing:
    """Finds and records the part of one user in sessions.

    Args:
        client: Talks to the server.
        settings: What session is wanted.
        records: Where sessions are recorded.
        owner: Who they belong to, for the record.
        progress: Takes a line for each stage.
    """

    def __init__(
        self,
        client: AsyncClient,
        settings: Settings,
        records: Records,
        *,
        owner: str,
        progress: Progress,
    ) -> None:
        self._client = client
        self._settings = settings
        self._records = records
        self._owner = owner
        self._progress = progress

    @property
    def is_scratch(self) -> bool:
        """Whether any empty notebook will do."""
        notebook_id = self._settings.notebook_id
        return notebook_id == SCRATCH or (self._settings.is_local and not notebook_id)

    def pending(self, notebook_id: str) -> Record:
        """Return the record of a session to be started, which nobody has seen yet."""
        return Record.pending(
            uuid.uuid4().hex,
            notebook_id=notebook_id,
            base_url=self._settings.base_url,
            storage_mode=self._settings.storage_mode,
            **self._user(),
        )

    # Starting

    async def claim(self, pending: Record) -> Claim:
        """Record a part in the session of another notebook, or else the session to be started.

        Where another notebook is just starting one, it is waited for.

        Args:
            pending: What to record of a session to be started.
        """
        pending = structs.replace(pending, project_id=await self._project_of(pending))
        for delay_s in delays(0.1, 2.0):
            known = await self._mates(pending)
            keys = {_key(mate) for mate in known}
            if self.is_scratch and any(self._is_taken(mate, pending) for mate in known):
                pending = await self._with_other_scratch(pending, known)
            with self._records.locked():
                # What was learned from the server may have changed; what is claimed here has not.
                mates = [r for r in self._records.all() if _fits(r, pending) or _key(r) in keys]
                joined = self._join(pending, mates)
                if joined is not None:
                    return joined
                if not any(self._is_worth_waiting(mate, pending) for mate in mates):
                    self._records.save(pending)
                    return Claim(pending, is_left=False)
            self._progress("waiting for another notebook's machine")
            await asyncio.sleep(delay_s)
        raise AssertionError("the delays have no end")

    def _join(self, pending: Record, mates: list[Record]) -> Claim | None:
        """Record a part in the first session that takes this notebook."""
        for mate in mates:
            if mate.is_pending or mate.state in {STARTING, STOPPING}:
                continue
            left = self._records.load(mate.id, pending.notebook_id)
            if left is None or not self._is_taken(left, pending):
                part = structs.replace(pending, id=mate.id, created_at=mate.created_at, state=READY)
                self._records.save(part)
                return Claim(part, is_left=left is not None)
        return None

    def _is_taken(self, record: Record, pending: Record) -> bool:
        """Whether the kernel of the notebook runs somebody's cells already."""
        return record.notebook_id == pending.notebook_id and self._records.is_used(record)

    def _is_worth_waiting(self, mate: Record, pending: Record) -> bool:
        """Whether another notebook is starting a session."""
        is_other = mate.notebook_id != pending.notebook_id
        return is_other and mate.state == STARTING and self._records.is_used(mate)

    async def _with_other_scratch(self, pending: Record, mates: list[Record]) -> Record:
        try:
            other = await self._other_scratch(pending.project_id, mates)
        except APIStatusError:  # a project that takes no further notebook
            return pending
        return structs.replace(pending, notebook_id=other)

    async def _other_scratch(self, project_id: str, mates: list[Record]) -> str:
        taken = {mate.notebook_id for mate in mates}
        return await scratch.find_or_create(self._client, project_id, taken)

    async def _mates(self, pending: Record) -> list[Record]:
        """Return the records of sessions of the same project that live, oldest first."""
        found: list[Record] = []
        for record in self._records.all():
            if record.base_url != pending.base_url:
                continue
            known = structs.replace(record, project_id=await self._project_of(record))
            if _fits(known, pending) and (record.is_pending or await self._lives(record)):
                found.append(record)
        return found

    async def _lives(self, record: Record) -> bool:
        """Whether a session runs; one that has ended is forgotten."""
        call = sessions.status(record.id, notebook_id=record.notebook_id)
        try:
            await self._client.send(call)
        except NotFoundError:
            self._records.remove(record.id)
            return False
        return True

    async def _project_of(self, record: Record) -> str:
        if record.project_id:
            return record.project_id
        try:
            return (await self._client.send(notebooks.get(record.notebook_id))).project_id
        except NotFoundError:
            return ""

    # Attaching

    async def part(self, session_id: str, notebook_id: str) -> Record:
        """Return what to record of this user's part in a session that runs.

        Args:
            session_id: The session.
            notebook_id: The notebook whose kernel shall run the cells. If empty, the recorded one;
                where somebody uses that, the one of the settings.

        Raises:
            ConfigError: No notebook is known.
            SessionError: The session runs on another server, or somebody uses the notebook.
        """
        parts = [record for record in self._records.all() if record.id == session_id]
        for part in parts:
            self._refuse_other_server(part)
        named = [part for part in parts if notebook_id in {"", part.notebook_id}]
        free = next((part for part in named if not self._is_anothers(part)), None)
        if free is not None:
            state = free.state if free.state == HANDED_OVER else READY
            return structs.replace(free, state=state, **self._user())
        if not notebook_id:
            notebook_id = await self._notebook_for(session_id, parts)
        for part in parts:
            if part.notebook_id == notebook_id:
                raise _in_use(part)
        return self._new_part(session_id, notebook_id, parts)

    async def _notebook_for(self, session_id: str, parts: list[Record]) -> str:
        if self.is_scratch and parts:
            return await self._other_scratch(await self._project_of(parts[0]), parts)
        if self._settings.notebook_id and not self.is_scratch:
            return self._settings.notebook_id
        if parts:
            raise _in_use(parts[0])
        raise ConfigError(
            f"The session {session_id} is not recorded here, and its notebook not known.",
            "Name the notebook in DEEPNOTE_NOTEBOOK_ID, or by `%deepnote use`, and try again.",
        )

    def _new_part(self, session_id: str, notebook_id: str, parts: list[Record]) -> Record:
        known = parts[0] if parts else self.pending(notebook_id)
        return Record(
            id=session_id,
            notebook_id=notebook_id,
            base_url=known.base_url,
            created_at=known.created_at,
            project_id=known.project_id,
            storage_mode=known.storage_mode,
            state=READY,
            **self._user(),
        )

    def _refuse_other_server(self, record: Record) -> None:
        ours = self._settings.base_url
        if record.base_url != ours:
            raise SessionError(
                f"The session {record.id} runs at {record.base_url}, not at {ours}.",
                f"Choose its server: `%deepnote use --base-url {record.base_url}`.",
            )

    def _is_anothers(self, record: Record) -> bool:
        is_left_to_us = record.state == HANDED_OVER and record.owner == self._owner
        is_ours = record.holder == self._records.hold()
        return not (is_left_to_us or is_ours) and self._records.is_used(record)

    def _user(self) -> JSON:
        """Return the fields of a record that say who uses it."""
        return {
            "owner": self._owner,
            "holder": self._records.hold(),
            "document": self._settings.document,
        }


def _in_use(part: Record) -> SessionError:
    return SessionError(
        f"In session {part.id}, the notebook {part.notebook_id} runs the cells of another notebook "
        f"on this computer{f', {part.document}' if part.document else ''}.",
        f"Run `%deepnote attach {part.id} --notebook NOTEBOOK` with another notebook of its "
        "project.",
    )


def _key(record: Record) -> tuple[str, str]:
    return record.id, record.notebook_id


def _fits(record: Record, pending: Record) -> bool:
    """Whether a record is of a session that a notebook could be part of."""
    here, there = (
        (each.base_url, each.project_id, each.storage_mode) for each in (record, pending)
    )
    return here == there and bool(pending.project_id)

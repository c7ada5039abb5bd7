"""What the server remembers, in SQLite: projects, notebooks, blocks, runs, sessions, apps.

All calls are made on the event loop; each takes microseconds, since the database is this process's
own.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from deepnote_kernel.server.errors import BadRequestError, NotFoundError
from deepnote_kernel.server.storage.schema import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = [
    "DATABASE_NAME",
    "Block",
    "Notebook",
    "Page",
    "Project",
    "Run",
    "Schedule",
    "SessionRecord",
    "Store",
    "StreamlitApp",
    "age_s",
    "new_hex_id",
    "new_uuid",
    "now",
    "timestamp",
]

JSON = dict[str, Any]

DATABASE_NAME = "server.sqlite3"
"""The database's file in a server's folder."""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``projects``."""

    id: str
    name: str
    project_type: str
    is_suspended: bool
    created_at: str
    updated_at: str
    """When its set of notebooks or their names last changed; the database keeps it."""
    folder_id: str | None = None
    environment_id: str | None = None
    is_shared: bool = False
    """Whether its static files are a website."""
    has_api_access: bool = False
    """Whether viewers of that website may run its notebooks."""
    has_streamlit_api_access: bool = False
    integrations: list[JSON] = []
    """What a document says of them: ``id``, ``name`` and ``type``."""
    settings: JSON = {}
    """``project.settings`` of a document."""

    @property
    def is_closed(self) -> bool:
        """Whether it holds one notebook and takes no second."""
        return self.project_type in {"agent", "notebook"}


class Notebook(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``notebooks``; ``source_id`` names the notebook a session's copy was made from."""

    id: str
    project_id: str
    name: str
    source_id: str | None
    created_at: str
    updated_at: str
    settings: JSON = {}
    """``executionMode``, ``isModule`` and ``workingDirectory`` of a document."""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``blocks``."""

    id: str
    notebook_id: str
    type: str
    content: str
    metadata: JSON
    integration_id: str | None
    version: int
    position: int
    block_group: str | None = None
    """Which blocks stand side by side; ``None`` for one that stands alone."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``runs``; ``blocks`` are the blocks as they ran, with their outputs."""

    id: str
    notebook_id: str
    notebook_name: str
    project_id: str
    session_id: str | None
    status: str
    error: str | None
    inputs: JSON
    blocks: list[JSON]
    created_at: str
    started_at: str | None
    completed_at: str | None
    triggered_by: str = "api"
    """``api`` or ``schedule``."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``schedules``; its id is that of its project, which has one at most."""

    id: str
    notebook_id: str
    cron: str
    timezone: str
    next_run_at: str
    created_at: str
    updated_at: str


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``sessions``."""

    id: str
    notebook_id: str
    session_notebook_id: str
    project_id: str
    storage_mode: str
    idle_shutdown_s: float
    machine_type: str
    created_at: str
    ended_at: str | None


class StreamlitApp(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``streamlit_apps``."""

    id: str
    project_id: str
    entrypoint: str
    """Its file, below the project's folder."""
    port: int
    """Where on this computer it is served."""
    created_at: str


Row = TypeVar("Row", Project, Notebook, Block, Run, Schedule, SessionRecord, StreamlitApp)

_TABLES: dict[type, str] = {
    Project: "projects",
    Notebook: "notebooks",
    Block: "blocks",
    Run: "runs",
    Schedule: "schedules",
    SessionRecord: "sessions",
    StreamlitApp: "streamlit_apps",
}
_MAX_TOKEN_LENGTH = 18  # digits that still fit SQLite's integers
_PACKED = {"metadata", "inputs", "blocks", "integrations", "settings"}


class Page(msgspec.Struct, frozen=True):
    """Some rows of a longer list, and the token that names the next ones."""

    rows: list[Any]
    next_token: str | None


def now() -> str:
    """Return the time as the API writes it: UTC, ISO 8601, milliseconds, ``Z``."""
    return timestamp(time.time())


def timestamp(seconds: float) -> str:
    """Return a time, given in seconds since 1970, as the API writes it."""
    at = datetime.fromtimestamp(seconds, timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def age_s(at: str) -> float:
    """Return how many seconds ago a time was that :func:`now` returned."""
    return time.time() - datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()


def new_uuid() -> str:
    """Return an id for a project, run or session."""
    return str(uuid.uuid4())


def new_hex_id() -> str:
    """Return an id for a notebook or block."""
    return uuid.uuid4().hex


class Store:
    """The database.

    Args:
        path: The database file, or ``:memory:``.

    Raises:
        ConfigError: The file is no database, or one of a later version.
    """

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # SQLite's own lower() knows ASCII alone.
        self._db.create_function("casefold", 1, str.casefold, deterministic=True)
        self._db.create_function("time_now", 0, now)
        try:
            prepare(self._db)
        except BaseException:
            self._db.close()
            raise
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA foreign_keys = ON")

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all changes of the block, or none where it raises; may be nested."""
        if self._db.in_transaction:
            yield
            return
        with self._db:
            self._db.execute("BEGIN")
            yield

    def get(self, kind: type[Row], row_id: str) -> Row:
        """Return the row of that id.

        Raises:
            NotFoundError: There is none.
        """
        rows = self.find(kind, id=row_id)
        if not rows:
            raise NotFoundError(f"{kind.__name__} not found")
        return rows[0]

    def find(self, kind: type[Row], order: str = "rowid", **where: str | None) -> list[Row]:
        """Return the rows whose columns have the given values; ``None`` matches null."""
        conditions = " AND ".join(f"{column} IS ?" for column in where) or "1"
        query = f"SELECT * FROM {_TABLES[kind]} WHERE {conditions} ORDER BY {order}"  # noqa: S608
        return [_row(kind, row) for row in self._db.execute(query, tuple(where.values()))]

    def page(  # noqa: PLR0913 - a page is asked for with all of these
        self,
        kind: type[Row],
        *,
        size: int,
        token: str | None,
        newest_first: bool = False,
        condition: str = "1",
        values: Sequence[Any] = (),
    ) -> Page:
        """Return one page of rows in the order they were made.

        Raises:
            BadRequestError: The token is not one that an earlier page gave.
        """
        step, direction = ("<", "DESC") if newest_first else (">", "ASC")
        after = _row_number(token, start=2**62 if newest_first else 0)
        query = (
            f"SELECT rowid AS row_number, * FROM {_TABLES[kind]} "  # noqa: S608 - names of our own
            f"WHERE ({condition}) AND rowid {step} ? ORDER BY rowid {direction} LIMIT ?"
        )
        found = self._db.execute(query, (*values, after, size + 1)).fetchall()
        shown = found[:size]
        next_token = str(shown[-1]["row_number"]) if len(found) > size else None
        return Page([_row(kind, row) for row in shown], next_token)

    def insert(
        self,
        *rows: Project | Notebook | Block | Run | Schedule | SessionRecord | StreamlitApp,
    ) -> None:
        """Add rows, all of them or none."""
        with self.transaction():
            for row in rows:
                values = _columns(msgspec.structs.asdict(row))
                names, marks = ", ".join(values), ", ".join("?" * len(values))
                query = f"INSERT INTO {_TABLES[type(row)]} ({names}) VALUES ({marks})"  # noqa: S608
                self._db.execute(query, tuple(values.values()))

    def update(self, kind: type[Row], row_id: str, **changes: object) -> None:
        """Change columns of one row."""
        columns: JSON = _columns(changes)
        assignments = ", ".join(f"{column} = ?" for column in columns)
        query = f"UPDATE {_TABLES[kind]} SET {assignments} WHERE id = ?"  # noqa: S608
        self._db.execute(query, (*columns.values(), row_id))

    def delete(self, kind: type[Row], *row_ids: str) -> None:
        """Remove rows; what belongs to them goes too."""
        query = f"DELETE FROM {_TABLES[kind]} WHERE id = ?"  # noqa: S608
        with self.transaction():
            self._db.executemany(query, [(row_id,) for row_id in row_ids])

    def make_room(self, notebook_id: str, position: int) -> None:
        """Move the blocks at and after a position down by one."""
        self._db.execute(
            "UPDATE blocks SET position = position + 1 WHERE notebook_id = ? AND position >= ?",
            (notebook_id, position),
        )

    def close_gap(self, notebook_id: str, position: int) -> None:
        """Move the blocks after a position up by one."""
        self._db.execute(
            "UPDATE blocks SET position = position - 1 WHERE notebook_id = ? AND position > ?",
            (notebook_id, position),
        )

    def last_runs(self, project_id: str) -> dict[str, str]:
        """Return when each notebook of a project was last run, by notebook."""
        query = "SELECT notebook_id, max(created_at) FROM runs WHERE project_id = ? GROUP BY 1"
        return dict(map(tuple, self._db.execute(query, (project_id,))))

    def was_deleted(self, project_id: str, notebook_id: str) -> bool:
        """Whether a project once had a notebook that it has no longer."""
        query = "SELECT 1 FROM deleted_notebooks WHERE project_id = ? AND id = ?"
        return self._db.execute(query, (project_id, notebook_id)).fetchone() is not None

    def abandon(self) -> None:
        """Close the books on what an earlier process of this server left open."""
        self._db.execute("UPDATE sessions SET ended_at = ? WHERE ended_at IS NULL", (now(),))
        self._db.execute(
            "UPDATE runs SET status = 'internal_error', completed_at = ?, error = ? "
            "WHERE completed_at IS NULL",
            (now(), "The server stopped during the run"),
        )
        self._db.execute("DELETE FROM notebooks WHERE source_id IS NOT NULL")


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: msgspec.json.encode(value) if name in _PACKED else value
        for name, value in values.items()
    }


def _row(kind: type[Row], row: sqlite3.Row) -> Row:
    values: JSON = {
        name: msgspec.json.decode(row[name]) if name in _PACKED else row[name]
        for name in kind.__struct_fields__
    }
    return msgspec.convert(values, kind, strict=False)


def _row_number(token: str | None, *, start: int) -> int:
    if not token:
        return start
    if not token.isdecimal() or len(token) > _MAX_TOKEN_LENGTH:
        raise BadRequestError("pageToken is not valid")
    return int(token)

"""The tables of the server's database, and how a file from another version is brought up to date.

Whoever adds a table or a column writes it into :data:`TABLES` alone and raises :data:`VERSION`. A
new column must allow null or have a default: that is what rows of an older file get. Columns are
never renamed and never change their meaning.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3

from deepnote_kernel.errors import ConfigError

__all__ = ["TABLES", "VERSION", "prepare"]

VERSION = 5
"""Written into every file as ``PRAGMA user_version``."""

TABLES = """
CREATE TABLE IF NOT EXISTS projects (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, project_type TEXT NOT NULL,
    is_suspended INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    folder_id TEXT, environment_id TEXT,
    is_shared INTEGER NOT NULL DEFAULT 0, has_api_access INTEGER NOT NULL DEFAULT 0,
    has_streamlit_api_access INTEGER NOT NULL DEFAULT 0,
    integrations BLOB NOT NULL DEFAULT '[]', settings BLOB NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS notebooks (
    id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    name TEXT NOT NULL, source_id TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    settings BLOB NOT NULL DEFAULT '{}');
CREATE UNIQUE INDEX IF NOT EXISTS notebook_names
    ON notebooks (project_id, name) WHERE source_id IS NULL;
CREATE TABLE IF NOT EXISTS deleted_notebooks (id TEXT PRIMARY KEY, project_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS blocks (
    id TEXT PRIMARY KEY, notebook_id TEXT NOT NULL REFERENCES notebooks ON DELETE CASCADE,
    type TEXT NOT NULL, content TEXT NOT NULL, metadata BLOB NOT NULL, integration_id TEXT,
    version INTEGER NOT NULL, position INTEGER NOT NULL, block_group TEXT);
CREATE INDEX IF NOT EXISTS block_notebooks ON blocks (notebook_id, position);
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, notebook_id TEXT NOT NULL, notebook_name TEXT NOT NULL,
    project_id TEXT NOT NULL REFERENCES projects ON DELETE CASCADE, session_id TEXT,
    status TEXT NOT NULL, error TEXT, inputs BLOB NOT NULL, blocks BLOB NOT NULL,
    created_at TEXT NOT NULL, started_at TEXT, completed_at TEXT,
    triggered_by TEXT NOT NULL DEFAULT 'api');
CREATE TABLE IF NOT EXISTS schedules (
    id TEXT PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    notebook_id TEXT NOT NULL REFERENCES notebooks ON DELETE CASCADE,
    cron TEXT NOT NULL, timezone TEXT NOT NULL, next_run_at TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS streamlit_apps (
    id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    entrypoint TEXT NOT NULL, port INTEGER NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS run_notebooks ON runs (notebook_id);
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, notebook_id TEXT NOT NULL, session_notebook_id TEXT NOT NULL,
    project_id TEXT NOT NULL, storage_mode TEXT NOT NULL, idle_shutdown_s REAL NOT NULL,
    machine_type TEXT NOT NULL, created_at TEXT NOT NULL, ended_at TEXT);
"""

# A project changes with its set of notebooks and their names, not with what is in them: an import
# finds out by this time whether it was overtaken. An import can bring a deleted notebook back.
_TRIGGERS = """
DROP TRIGGER IF EXISTS notebook_added;
CREATE TRIGGER notebook_added AFTER INSERT ON notebooks WHEN new.source_id IS NULL BEGIN
    UPDATE projects SET updated_at = time_now() WHERE id = new.project_id;
    DELETE FROM deleted_notebooks WHERE id = new.id;
END;
DROP TRIGGER IF EXISTS notebook_renamed;
CREATE TRIGGER notebook_renamed AFTER UPDATE OF name ON notebooks WHEN new.source_id IS NULL BEGIN
    UPDATE projects SET updated_at = time_now() WHERE id = new.project_id;
END;
DROP TRIGGER IF EXISTS notebook_deleted;
CREATE TRIGGER notebook_deleted AFTER DELETE ON notebooks
WHEN old.source_id IS NULL AND EXISTS (SELECT 1 FROM projects WHERE id = old.project_id) BEGIN
    UPDATE projects SET updated_at = time_now() WHERE id = old.project_id;
    INSERT OR REPLACE INTO deleted_notebooks VALUES (old.id, old.project_id);
END;
"""

_log = logging.getLogger(__name__)


def prepare(db: sqlite3.Connection) -> None:
    """Bring a database to this version: make what is missing, keep every row.

    Args:
        db: The database, with a function ``time_now()``.

    Raises:
        ConfigError: The file is no database, or was written by a later version.
    """
    try:
        (found,) = db.execute("PRAGMA user_version").fetchone()
        is_new = not db.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        raise ConfigError(
            f"The server's database cannot be read: {error}.", "Choose another --state."
        ) from None
    if found > VERSION:
        raise ConfigError(
            f"The server's database has schema {found}, written by a later version; "
            f"this one knows {VERSION}.",
            "Upgrade deepnote-kernel, or choose another --state.",
        )
    added = [] if is_new else _add_columns(db)
    db.executescript(f"BEGIN; {TABLES} {_TRIGGERS} PRAGMA user_version = {VERSION}; COMMIT")
    if found != VERSION and not is_new:
        _log.warning(
            "The server's database was brought from schema %s to %s; new columns: %s",
            found,
            VERSION,
            ", ".join(added) or "none",
        )


def _add_columns(db: sqlite3.Connection) -> list[str]:
    """Give tables of an older version the columns they lack; return what was added."""
    added = []
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        model.executescript(TABLES)
        tables = model.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            present = {column[1] for column in db.execute(f"PRAGMA table_info({table})")}
            for _, name, kind, is_required, default, _ in model.execute(
                f"PRAGMA table_info({table})"
            ):
                if not present or name in present:
                    continue
                rule = f"{'NOT NULL ' if is_required else ''}DEFAULT {default or 'NULL'}"
                db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind} {rule}")
                added.append(f"{table}.{name}")
    return added

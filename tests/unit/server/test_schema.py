"""A database of another version is brought up to date, or refused."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.errors import ConfigError
from deepnote_kernel.server.storage.schema import TABLES, VERSION
from deepnote_kernel.server.storage.store import Block, Notebook, Project, Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNNUMBERED = """
CREATE TABLE projects (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, project_type TEXT NOT NULL,
    is_suspended INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE notebooks (
    id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    name TEXT NOT NULL, source_id TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE blocks (
    id TEXT PRIMARY KEY, notebook_id TEXT NOT NULL REFERENCES notebooks ON DELETE CASCADE,
    type TEXT NOT NULL, content TEXT NOT NULL, metadata BLOB NOT NULL, integration_id TEXT,
    version INTEGER NOT NULL, position INTEGER NOT NULL);
INSERT INTO projects VALUES ('p', 'Old', 'standard', 0, 't', 't');
INSERT INTO notebooks VALUES ('n', 'p', 'Notebook 1', NULL, 't', 't');
INSERT INTO blocks VALUES ('b', 'n', 'code', '1', '{}', NULL, 1, 0);
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of a version that had no number yet."""
    path = tmp_path / "server.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(UNNUMBERED)
    return path


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Open a store for the length of the block."""
    with contextlib.closing(Store(path)) as store:
        yield store


def test_rows_of_an_older_version_stay(path: Path) -> None:
    """New columns have their defaults."""
    with opened(path) as store:
        project = store.get(Project, "p")
        assert (project.name, project.is_shared, project.integrations) == ("Old", False, [])
        assert store.get(Notebook, "n").settings == {}
        assert store.get(Block, "b").block_group is None


def test_it_ends_up_like_a_new_one(path: Path, tmp_path: Path) -> None:
    """The same tables with the same columns, and the number of this version."""

    def columns(path: Path) -> dict[str, set[str]]:
        Store(path).close()
        with contextlib.closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
            tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return {
                table: {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
                for (table,) in tables
            }

    assert columns(path) == columns(tmp_path / "new.sqlite3")


def test_what_was_done_is_logged_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One line, when the file is first opened; none for a new one."""
    with caplog.at_level(logging.INFO):
        Store(path).close()
        Store(path).close()
        Store(":memory:").close()
    (record,) = caplog.records
    assert "from schema 0 to" in record.message
    assert "projects.is_shared" in record.message


def test_a_later_version_is_refused(path: Path) -> None:
    """The message says what to do, and the file stays as it is."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(ConfigError, match="Upgrade deepnote-kernel"):
        Store(path)
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """The message names another folder as the remedy."""
    path = tmp_path / "server.sqlite3"
    path.write_text("This is a text that is long enough to be looked at. " * 20)
    with pytest.raises(ConfigError, match="Choose another --state"):
        Store(path)


def test_every_column_can_be_added_later() -> None:
    """Those that an older file may lack allow null or have a default."""
    with contextlib.closing(sqlite3.connect(":memory:")) as new:
        new.executescript(TABLES)
        with contextlib.closing(sqlite3.connect(":memory:")) as old:
            old.executescript(UNNUMBERED)
            for table in ("projects", "notebooks", "blocks"):
                before = {row[1] for row in old.execute(f"PRAGMA table_info({table})")}
                added = [
                    row
                    for row in new.execute(f"PRAGMA table_info({table})")
                    if row[1] not in before
                ]
                assert all(not is_required or default for _, _, _, is_required, default, _ in added)

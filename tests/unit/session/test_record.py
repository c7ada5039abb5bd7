"""The record of sessions: one file each, readable by its owner alone."""

from __future__ import annotations

import logging
import stat
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import msgspec
import pytest

from deepnote_kernel.errors import LocalFileError
from deepnote_kernel.session.record import DETACHED, HANDED_OVER, STOPPING, Record, Records

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Records in a folder that does not exist yet."""
    return Records(tmp_path / "sessions")


def record(session_id: str = "s1", day: int = 1) -> Record:
    """Return a record with every field set."""
    return Record(
        id=session_id,
        notebook_id="nb",
        base_url="https://api.deepnote.com",
        created_at=datetime(2026, 11, day, tzinfo=timezone.utc),
        owner="kernel-1.json",
        relay={"frame": 7},
    )


def test_a_folder_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    """A home that is read-only, as in some containers, has a remedy."""
    (tmp_path / "file").touch()
    records = Records(tmp_path / "file" / "sessions")
    for write in (records.hold, lambda: records.save(record())):
        with pytest.raises(LocalFileError, match=r"cannot be recorded.*JUPYTER_DATA_DIR"):
            write()


def test_saved_record_is_loaded_as_it_was(records: Records) -> None:
    """Every field survives the file."""
    records.save(record())
    assert records.load("s1") == record()


def test_unknown_session_has_no_record(records: Records) -> None:
    """Asking for a session that was never recorded is no error."""
    assert records.load("nowhere") is None


def test_saving_again_replaces(records: Records) -> None:
    """A session has one file, with the latest that is known."""
    records.save(record())
    updated = msgspec.structs.replace(record(), state="ready")
    records.save(updated)
    assert records.all() == [updated]


def test_all_are_listed_oldest_first(records: Records) -> None:
    """The list follows the order in which sessions were started."""
    for session_id, day in [("b", 3), ("c", 1), ("a", 2)]:
        records.save(record(session_id, day))
    assert [each.id for each in records.all()] == ["c", "a", "b"]


def test_no_folder_means_no_sessions(records: Records) -> None:
    """Listing makes no folder and fails over none."""
    assert records.all() == []


def test_removed_record_is_gone(records: Records) -> None:
    """A stopped session is forgotten."""
    records.save(record())
    records.remove("s1")
    assert records.all() == []


def test_removing_twice_is_removing_once(records: Records) -> None:
    """Two processes may both notice that a session has ended."""
    records.remove("s1")
    assert records.load("s1") is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"id": 3}', b"\xff"])
def test_unreadable_file_is_left_out_with_a_log_line(
    records: Records, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    """A damaged file hides neither itself nor the other sessions."""
    records.save(record())
    broken = tmp_path / "sessions" / "broken.json"
    broken.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert records.all() == [record()]
    assert str(broken) in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_file_is_private(records: Records, tmp_path: Path) -> None:
    """Other users of the computer cannot read which notebooks one works on."""
    records.save(record())
    mode = (tmp_path / "sessions" / "s1.nb.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_id_stays_inside_the_folder(records: Records, tmp_path: Path) -> None:
    """An id is a word from the network, and never a way out of the folder."""
    records.save(record("../../outside"))
    [path] = (tmp_path / "sessions").iterdir()
    assert path.name == "______outside.nb.json"


def test_failed_save_leaves_nothing_behind(records: Records, tmp_path: Path) -> None:
    """Where a record cannot be written, the old one stays and no half one is left."""
    records.save(record())
    unwritable = msgspec.structs.replace(record(), relay={"frame": object()})
    with pytest.raises(TypeError):
        records.save(unwritable)
    assert [path.name for path in (tmp_path / "sessions").iterdir()] == ["s1.nb.json"]
    assert records.load("s1") == record()


def test_pending_record_is_told_from_a_named_one() -> None:
    """A session whose id is not known yet is recorded all the same."""
    pending = Record.pending("x", notebook_id="nb", base_url="local", owner="")
    assert (pending.is_pending, record().is_pending) == (True, False)


# Sharing


@pytest.fixture
def shared(records: Records, tmp_path: Path) -> Records:
    """A session that three notebooks take part in, of which the second is used by another."""
    user = Records(tmp_path / "sessions")
    for notebook_id, holder in [("one", records.hold()), ("two", user.hold()), ("three", "dead")]:
        records.save(
            Record(id="s", notebook_id=notebook_id, base_url="local", holder=holder, state="ready")
        )
    return user


def test_each_notebook_has_its_own_record(records: Records, shared: Records) -> None:
    """One is found, changed and forgotten without the others."""
    two = records.load("s", "two")
    assert two is not None
    records.save(msgspec.structs.replace(two, relay={"frame": 3}))
    records.remove("s", "one")
    assert {(r.notebook_id, r.relay.get("frame")) for r in records.all()} == {
        ("two", 3),
        ("three", None),
    }


def test_a_session_is_forgotten_as_a_whole(records: Records, shared: Records) -> None:
    """Nobody takes part in what has ended."""
    records.save(record("other"))
    records.remove("s")
    assert [each.id for each in records.all()] == ["other"]


def test_users_are_those_that_live(records: Records, shared: Records) -> None:
    """A record alone does not say that anybody is there."""
    assert {user.notebook_id for user in records.users("s")} == {"one", "two"}
    shared.release()
    assert {user.notebook_id for user in records.users("s")} == {"one"}


def test_a_kernel_that_restarts_is_a_user(records: Records) -> None:
    """Its next process comes back."""
    records.save(msgspec.structs.replace(record(), state=HANDED_OVER))
    assert [user.id for user in records.users("s1")] == ["s1"]


def test_who_lets_go_is_told_whether_others_stay(records: Records, shared: Records) -> None:
    """The record goes while others need the session, and stays until the last has stopped it."""
    assert records.let_go("s", "one")
    assert records.load("s", "one") is None
    shared.release()
    assert not records.let_go("s", "two")
    two = records.load("s", "two")
    assert two is not None
    assert two.state == STOPPING


def test_what_was_left_running_on_purpose_stays(records: Records) -> None:
    """Somebody wants to come back to it."""
    kept = Record(id="s", notebook_id="kept", base_url="local", state=DETACHED)
    records.save(kept)
    records.save(Record(id="s", notebook_id="own", base_url="local"))
    assert records.let_go("s", "own")
    assert records.all() == [kept]

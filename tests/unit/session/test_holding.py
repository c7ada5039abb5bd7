"""Who lives and who does not, by the locks they hold."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.session.holding import Holder, locked

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that does not exist yet."""
    return tmp_path / "sessions"


def test_a_holder_lives_until_it_lets_go(folder: Path) -> None:
    """Others see it, and see it end; nothing of it stays behind."""
    one, other = Holder(folder), Holder(folder)
    name = one.hold()
    assert other.lives(name)
    one.release()
    assert not other.lives(name)
    assert list(folder.iterdir()) == []


def test_a_holder_has_one_name(folder: Path) -> None:
    """It may ask for it again and again; later it has another."""
    holder = Holder(folder)
    name = holder.hold()
    assert holder.hold() == name
    holder.release()
    assert holder.hold() != name
    holder.release()


def test_a_holder_sees_itself(folder: Path) -> None:
    """Its own lock is a lock like any other."""
    holder = Holder(folder)
    assert holder.lives(holder.hold())
    holder.release()


def test_what_a_dead_process_left_is_tidied(folder: Path) -> None:
    """Its file is there, but nobody has locked it."""
    folder.mkdir()
    (folder / "dead.alive").touch()
    assert not Holder(folder).lives("dead")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["", "unknown"])
def test_nobody_lives_under_no_name(folder: Path, name: str) -> None:
    """Looking makes neither folder nor file."""
    assert not Holder(folder).lives(name)
    assert not folder.exists()


def test_one_at_a_time_is_in_the_folder(folder: Path) -> None:
    """Who comes second waits for the first."""
    entered = threading.Event()
    order: list[str] = []

    def come() -> None:
        entered.set()
        with locked(folder):
            order.append("second")

    thread = threading.Thread(target=come)
    with locked(folder):
        thread.start()
        entered.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_folder_that_cannot_be_locked_is_used_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems have no locks; there nobody is taken for dead."""
    filelock = pytest.importorskip("filelock")

    def refuse(*_args: object, **_options: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    holder = Holder(folder)
    assert Holder(folder).lives(holder.hold())
    with locked(folder):
        pass

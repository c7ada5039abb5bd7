"""Tell whether the process that uses a session still lives: as long as it does, it holds a lock.

The system takes the lock away when the process ends, however it ends. Where a folder can hold no
locks, as on some network file systems, nobody is taken for dead.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

from deepnote_kernel.errors import LocalFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filelock import BaseFileLock

__all__ = ["Holder", "locked", "writing"]

_LOCK_LIMIT_S = 2.0

# A lock that another has is a Timeout, which is an OSError.
_NOT_LOCKED = (OSError, NotImplementedError)


class Holder:
    """One user of sessions, under a name by which others can tell that it lives.

    Args:
        folder: Where the locks are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = ""
        self._lock: BaseFileLock | None = None

    def hold(self) -> str:
        """Take the lock, if that has not been done; return the name."""
        if self._lock is None:
            self._name = uuid.uuid4().hex
            with writing(self._folder):
                self._path(self._name).touch(mode=0o600)
            self._lock = _file_lock(self._path(self._name))
            with contextlib.suppress(*_NOT_LOCKED):
                self._lock.acquire(timeout=0)
        return self._name

    def release(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            self._lock.release()
            self._path(self._name).unlink(missing_ok=True)
            self._lock = None

    def lives(self, name: str) -> bool:
        """Whether the user of a name still lives."""
        path = self._path(name)
        if not name or not path.exists():
            return False
        lock = _file_lock(path)
        try:
            lock.acquire(timeout=0)
        except _NOT_LOCKED:
            return True
        lock.release()
        path.unlink(missing_ok=True)
        return False

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.alive"


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make the folder where there is none, and say what to do if it cannot be written.

    Raises:
        LocalFileError: The folder, or what is written in it meanwhile, cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield
    except OSError as error:
        raise LocalFileError(
            f"Sessions cannot be recorded in {folder}: {error.strerror}.",
            "Make that folder writable, or set JUPYTER_DATA_DIR to one that is.",
        ) from error


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder for a moment."""
    with writing(folder):
        lock = _file_lock(folder / "lock")
    with contextlib.suppress(*_NOT_LOCKED):
        lock.acquire(timeout=_LOCK_LIMIT_S)
    try:
        yield
    finally:
        lock.release()


def _file_lock(path: Path) -> BaseFileLock:
    from filelock import FileLock  # noqa: PLC0415 - 50 ms that a kernel's start need not wait for

    return FileLock(path, thread_local=False)

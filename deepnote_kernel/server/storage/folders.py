"""Project storage: one folder for each project, where its kernels run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from deepnote_kernel.server.storage.store import timestamp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Folders", "StorageMode", "StoredFile"]

StorageMode = Literal["read_write", "readonly"]


class StoredFile(NamedTuple):
    """A file of a project."""

    path: str
    """Its path below the project's folder, with slashes."""

    size_bytes: int

    updated_at: str
    """When it was last written: UTC, ISO 8601."""


class Folders:
    """The folders of all projects.

    Args:
        root: Where they are kept.
        copies: Where machines get private copies of them.
    """

    def __init__(self, root: Path, copies: Path) -> None:
        self._root = root
        self._copies = copies

    def of(self, project_id: str) -> Path:
        """Return a project's folder, made if need be."""
        folder = self._root / project_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def files(self, project_id: str) -> list[StoredFile]:
        """Return a project's files in all its folders, by path; links are passed over."""
        folder = self.of(project_id)
        found = []
        for parent, _, names in os.walk(folder):
            for name in names:
                path = Path(parent, name)
                with contextlib.suppress(FileNotFoundError):  # a running cell may delete it
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        relative = path.relative_to(folder).as_posix()
                        written = timestamp(status.st_mtime)
                        found.append(StoredFile(relative, status.st_size, written))
        return sorted(found)

    def remove(self, project_id: str) -> None:
        """Delete a project's folder and all that is in it."""
        shutil.rmtree(self._root / project_id, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def lend(self, project_id: str, mode: StorageMode) -> AsyncIterator[Path]:
        """Give a machine its working folder for as long as it runs.

        With ``readonly`` that is a private copy: what is written there never reaches the project.
        """
        if mode == "read_write":
            yield self.of(project_id)
            return
        copy = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._copies))
        try:
            await asyncio.to_thread(_copy_folder, self.of(project_id), copy)
            yield copy
        finally:
            await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)


def _copy_folder(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, copy_function=_copy_file, dirs_exist_ok=True)


def _copy_file(source: str, target: str) -> None:
    """Copy a file, unless a cell deletes it meanwhile. Pipes and sockets stay behind."""
    if Path(source).is_file():
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(source, target)

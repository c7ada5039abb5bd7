"""Project storage: one folder for each project, where its kernels run."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Folders", "StorageMode"]

StorageMode = Literal["read_write", "readonly"]


class Folders:
    """The folders of all projects.

    Args:
        root: Where they are kept.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def of(self, project_id: str) -> Path:
        """Return a project's folder, made if need be."""
        folder = self._root / project_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

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
        copy = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="deepnote-"))
        try:
            await asyncio.to_thread(shutil.copytree, self.of(project_id), copy, dirs_exist_ok=True)
            yield copy
        finally:
            shutil.rmtree(copy, ignore_errors=True)

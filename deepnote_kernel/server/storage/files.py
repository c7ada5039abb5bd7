"""Files below a project's folder: found, added, never outside of it and never overwritten."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from deepnote_kernel.server.errors import BadRequestError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["add", "find"]


def find(folder: Path, path: str) -> Path:
    """Return where a file lies.

    Args:
        folder: The project's folder.
        path: Its path below that, with slashes.

    Raises:
        BadRequestError: The path leads out of the folder.
        NotFoundError: There is no such file.
    """
    place = _place(folder, path)
    try:
        is_file = place.is_file()
    except OSError:  # no file can have such a name
        is_file = False
    if not is_file:
        raise NotFoundError("File not found")
    return place


def add(folder: Path, path: str, source: BinaryIO) -> Path:
    """Store a file, under another name where its own is taken; return where it lies.

    Source: Deepnote's public clients, read 2026-11-20: an upload never overwrites. How Deepnote
    forms the other name is not known.

    Args:
        folder: The project's folder.
        path: The wanted path below that, with slashes.
        source: The content.

    Raises:
        BadRequestError: The path leads out of the folder, or no file can have it.
    """
    wanted = _place(folder, path)
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        for place in _alternatives(wanted):
            try:
                file = place.open("xb")
            except FileExistsError:
                continue
            try:
                with file:
                    shutil.copyfileobj(source, file)
            except OSError:  # the disk is full: half a file is none
                place.unlink()
                raise
            return place
    except OSError as error:
        raise BadRequestError(f'File "{path}" cannot be stored: {error.strerror}') from None
    raise AssertionError("there is always another name")


def _place(folder: Path, path: str) -> Path:
    relative = PurePosixPath(path)
    is_below = not relative.is_absolute() and ".." not in relative.parts
    is_plain = relative.name and is_below and "\0" not in path
    # A cell may have made links, which are followed: what counts is where they lead.
    target = Path(os.path.realpath(folder / relative)) if is_plain else folder.parent
    if not target.is_relative_to(folder.resolve()):
        raise BadRequestError(f'path "{path}" is not one of a file below /work')
    return folder / relative


def _alternatives(wanted: Path) -> Iterator[Path]:
    yield wanted
    for number in itertools.count(1):
        yield wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")

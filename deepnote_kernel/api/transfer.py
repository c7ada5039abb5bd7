"""What travels as it is, and not as JSON: files on their way up and down."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import msgspec

from deepnote_kernel.errors import LocalFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Content", "Download", "Form", "Progress", "Source"]

Progress: TypeAlias = Callable[[int, int | None], object]
"""Is told the bytes moved so far and those there are, ``None`` where that is not known.

It starts again from 0 where a call is sent again. With the blocking client it is called on the
thread that sends, with the asynchronous one on the event loop.
"""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A body of bytes."""

    data: bytes
    media_type: str

    def __repr__(self) -> str:
        return f"Content({len(self.data)} bytes of {self.media_type})"


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A form with one file (``multipart/form-data``), read while it is sent."""

    fields: Mapping[str, str]
    file: Path | bytes
    """Its path on this computer, or its content. The form's field is named ``file``."""

    file_name: str
    progress: Progress | None = None

    def __repr__(self) -> str:
        return f"Form(fields={self.fields!r}, file_name={self.file_name!r})"

    @contextlib.contextmanager
    def open(self) -> Iterator[Source]:
        """Open the file for reading.

        Raises:
            LocalFileError: It cannot be opened, or not be read while the context lasts.
        """
        if isinstance(self.file, bytes):
            yield Source(BytesIO(self.file), self.progress)
            return
        try:
            with self.file.open("rb") as file:
                yield Source(file, self.progress)
        except OSError as error:
            raise LocalFileError(
                f"{self.file} cannot be read: {error.strerror or error}.",
                "Check its name, and that you may read it.",
            ) from None


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """Where the body of a successful answer goes."""

    target: Path | None = None
    """A file, which appears once all has arrived; ``None`` keeps it in memory."""

    progress: Progress | None = None

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open what takes the body; a file is in its place at the end, whole, or not at all.

        Raises:
            LocalFileError: It cannot be written.
        """
        if self.target is None:
            yield BytesIO()
            return
        part = self.target.with_name(f".{uuid.uuid4().hex}.part")
        try:
            try:
                with part.open("xb") as file:
                    yield file
                part.replace(self.target)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise LocalFileError(
                f"{self.target} cannot be written: {error.strerror or error}.",
                "Check its folder, and that the disk has room.",
            ) from None


class Source:
    """An open file that tells how far it was read; what httpx asks of one is all it can do.

    Args:
        file: The file.
        progress: Is told.
    """

    def __init__(self, file: BinaryIO, progress: Progress | None) -> None:
        self._file = file
        self._progress = progress
        self._size_bytes = file.seek(0, os.SEEK_END)
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        """Return the next bytes, as :meth:`io.BufferedIOBase.read` does."""
        chunk = self._file.read(size)
        if self._progress:
            self._progress(self._file.tell(), self._size_bytes)
        return chunk

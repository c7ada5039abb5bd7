"""Files of a project are stored whole, or not at all."""

from __future__ import annotations

import errno
import io
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.server.errors import BadRequestError
from deepnote_kernel.server.storage import files

if TYPE_CHECKING:
    from pathlib import Path


class _Failing(io.BytesIO):
    """Gives some bytes, and then what a full disk gives."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().read(min(size or 0, 3))


def test_half_a_file_does_not_stay(tmp_path: Path) -> None:
    """Where the disk is full, say."""
    with pytest.raises(BadRequestError, match="No space left on device"):
        files.add(tmp_path, "a.csv", _Failing(b"1,2,3"))
    assert list(tmp_path.iterdir()) == []

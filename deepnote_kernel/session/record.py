"""The local record of remote sessions: one small file each, so that none is ever forgotten.

A session costs machine time until it ends. Its file is written before the session is asked for and
removed when it has been stopped; whatever remains after a crash can be listed, attached to and
stopped. A file never holds a token.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from jupyter_core.paths import jupyter_data_dir

from deepnote_kernel.outputs import JSON

__all__ = ["HANDED_OVER", "Record", "Records"]

_log = logging.getLogger(__name__)


HANDED_OVER = "handed over"
"""State of a session whose owner is being restarted: its next process takes it over."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known here of one remote session."""

    id: str
    """The session's id, or ``pending-…`` until the server has named it."""

    notebook_id: str
    base_url: str
    """The server's address, or ``local``."""

    created_at: datetime = msgspec.field(default_factory=lambda: datetime.now(timezone.utc))
    owner: str = ""
    """Who started it: the connection file of a kernel, or empty."""

    state: str = "starting"
    """``starting``, ``ready``, or :data:`HANDED_OVER`."""

    relay: JSON = {}
    """What a live session needs to pick a running cell up again."""

    @property
    def is_pending(self) -> bool:
        """Whether the server has not told the session's id, so that it cannot be asked about."""
        return self.id.startswith(_PENDING)

    @classmethod
    def pending(cls, name: str, *, notebook_id: str, base_url: str, owner: str) -> Record:
        """Return the record of a session that is about to be asked for.

        Args:
            name: Tells this attempt from others; any unique word.
            notebook_id: The notebook it will be anchored to.
            base_url: The server that will be asked.
            owner: Who asks for it.
        """
        return cls(id=_PENDING + name, notebook_id=notebook_id, base_url=base_url, owner=owner)


_PENDING = "pending-"


class Records:
    """The folder of records.

    Args:
        folder: Where the files live; by default ``deepnote/sessions`` in Jupyter's data folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(jupyter_data_dir()) / "deepnote" / "sessions"

    def save(self, record: Record) -> None:
        """Write a record, replacing an older one of the same session; never half of one."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp makes the file readable by its owner alone.
        handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(record))
            Path(temporary).replace(self._path(record.id))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def load(self, session_id: str) -> Record | None:
        """Return a session's record; ``None`` where there is none that can be read."""
        return self._read(self._path(session_id))

    def remove(self, session_id: str) -> None:
        """Forget a session; one that is not recorded is forgotten already."""
        with contextlib.suppress(FileNotFoundError):
            self._path(session_id).unlink()

    def all(self) -> list[Record]:
        """Return every readable record, oldest first."""
        found = [self._read(path) for path in self._folder.glob("*.json")]
        return sorted((r for r in found if r is not None), key=lambda record: record.created_at)

    def handed_over(self, owner: str) -> Record | None:
        """Return the session that an owner's last process has left to its next one, if any."""
        left = (r for r in self.all() if r.state == HANDED_OVER and r.owner == owner)
        return next(left, None) if owner else None

    def _path(self, session_id: str) -> Path:
        # The id came over the network: nothing but a plain name becomes part of a path.
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in session_id)
        return self._folder / f"{name}.json"

    def _read(self, path: Path) -> Record | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Record)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("The session record %s cannot be read and is left out: %s", path, error)
            return None

"""The local record of remote sessions: small files, so that none is ever forgotten.

A session costs machine time until it ends. Its file is written before the session is asked for and
removed when it has been stopped; whatever remains after a crash can be listed, attached to and
stopped. A session that several notebooks share has a file for each. A file never holds a token.
"""

from __future__ import annotations

import logging
import os
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from jupyter_core.paths import jupyter_data_dir

from deepnote_kernel.outputs import JSON
from deepnote_kernel.session.holding import Holder, locked, writing

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["DETACHED", "HANDED_OVER", "READY", "STARTING", "STOPPING", "Record", "Records"]

_log = logging.getLogger(__name__)

STARTING = "starting"
READY = "ready"

HANDED_OVER = "handed over"
"""State of a session whose owner is being restarted: its next process takes it over."""

DETACHED = "detached"
"""State of a session that was left running on purpose."""

STOPPING = "stopping"
"""State of a session that its last user ends: nobody may join it any more."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known here of one remote session, or of one notebook's part in it."""

    id: str
    """The session's id, or ``pending-…`` until the server has named it."""

    notebook_id: str
    base_url: str
    """The server's address, or ``local``."""

    created_at: datetime = msgspec.field(default_factory=lambda: datetime.now(timezone.utc))
    owner: str = ""
    """Who started it: the connection file of a kernel, or empty."""

    holder: str = ""
    """Who uses it now, for :meth:`Records.is_used`; empty for nobody."""

    document: str = ""
    """The notebook on this computer whose cells run there, for people to read."""

    project_id: str = ""
    storage_mode: str = ""
    state: str = STARTING
    """One of those above."""

    relay: JSON = {}
    """What a live session needs to pick a running cell up again."""

    @property
    def is_pending(self) -> bool:
        """Whether the server has not told the session's id, so that it cannot be asked about."""
        return self.id.startswith(_PENDING)

    @classmethod
    def pending(cls, name: str, *, notebook_id: str, base_url: str, **known: Any) -> Record:
        """Return the record of a session that is about to be asked for.

        Args:
            name: Tells this attempt from others; any unique word.
            notebook_id: The notebook it will be anchored to.
            base_url: The server that will be asked.
            **known: Further fields.
        """
        return cls(id=_PENDING + name, notebook_id=notebook_id, base_url=base_url, **known)


_PENDING = "pending-"


class Records:
    """The folder of records.

    Args:
        folder: Where the files live; by default ``deepnote/sessions`` in Jupyter's data folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(jupyter_data_dir()) / "deepnote" / "sessions"
        self._holder = Holder(self._folder)

    def save(self, record: Record) -> None:
        """Write a record, replacing an older one of the same notebook; never half of one."""
        with writing(self._folder):
            # mkstemp makes the file readable by its owner alone.
            handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(record))
            Path(temporary).replace(self._path(record))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def update(self, record: Record) -> None:
        """Write a record as :meth:`save` does, unless it has been removed meanwhile."""
        if self._path(record).exists():
            self.save(record)

    def load(self, session_id: str, notebook_id: str = "") -> Record | None:
        """Return a session's record; ``None`` where there is none that can be read.

        Args:
            session_id: The session.
            notebook_id: The notebook, where several share it; empty for whichever came first.
        """
        found = (r for r in self.all() if r.id == session_id)
        return next((r for r in found if notebook_id in {"", r.notebook_id}), None)

    def remove(self, session_id: str, notebook_id: str = "") -> None:
        """Forget a session; one that is not recorded is forgotten already.

        Args:
            session_id: The session.
            notebook_id: The notebook whose part in it has ended; empty for all of it.
        """
        notebook = _plain(notebook_id) or "*"
        for path in self._folder.glob(f"{_plain(session_id)}.{notebook}.json"):
            path.unlink(missing_ok=True)

    def all(self) -> list[Record]:
        """Return every readable record, oldest first."""
        found = [self._read(path) for path in self._folder.glob("*.json")]
        return sorted((r for r in found if r is not None), key=lambda record: record.created_at)

    def handed_over(self, owner: str) -> Record | None:
        """Return the session that an owner's last process has left to its next one, if any."""
        left = (r for r in self.all() if r.state == HANDED_OVER and r.owner == owner)
        return next(left, None) if owner else None

    # Sharing

    def another(self) -> Records:
        """Return the same records for another user of sessions."""
        return Records(self._folder)

    def hold(self) -> str:
        """Return this user's name, for records; others see that it lives until :meth:`release`."""
        return self._holder.hold()

    def release(self) -> None:
        """Use no sessions any more."""
        self._holder.release()

    def locked(self) -> AbstractContextManager[None]:
        """Keep other processes from joining or leaving sessions for a moment."""
        return locked(self._folder)

    def is_used(self, record: Record) -> bool:
        """Whether a kernel runs cells there, or is about to once it has restarted."""
        return record.state == HANDED_OVER or self._holder.lives(record.holder)

    def users(self, session_id: str) -> list[Record]:
        """Return the records of the notebooks that use a session now, oldest first."""
        return [r for r in self.all() if r.id == session_id and self.is_used(r)]

    def let_go(self, session_id: str, notebook_id: str) -> bool:
        """End a notebook's part in a session; tell whether it has to go on for the sake of others.

        If it has not, its record stays until it has been stopped.
        """
        with self.locked():
            others = [r for r in self.all() if r.id == session_id and r.notebook_id != notebook_id]
            if any(r.state == DETACHED or self.is_used(r) for r in others):
                self.remove(session_id, notebook_id)
                return True
            own = self.load(session_id, notebook_id)
            if own is not None:
                self.save(msgspec.structs.replace(own, state=STOPPING))
            return False

    def _path(self, record: Record) -> Path:
        return self._folder / f"{_plain(record.id)}.{_plain(record.notebook_id)}.json"

    def _read(self, path: Path) -> Record | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Record)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("The session record %s cannot be read and is left out: %s", path, error)
            return None


def _plain(word: str) -> str:
    # It came over the network: nothing but a plain name becomes part of a path.
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in word)

"""Sessions that the person starts from a side panel: each in a thread, until it is ready."""

from __future__ import annotations

import logging
import threading
import uuid
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.errors import DeepnoteError
from deepnote_kernel.jupyter_server.models import NotebookView, StartView
from deepnote_kernel.session.remote import Remote

if TYPE_CHECKING:
    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.record import Records

__all__ = ["Starts"]

_log = logging.getLogger(__name__)


class Starts:
    """What is being started, and what failed to; a session that is ready is in the record alone.

    Args:
        records: Where sessions are recorded.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._guard = threading.Lock()
        self._views: dict[str, StartView] = {}
        self._remotes: dict[str, Remote] = {}

    def all(self) -> list[StartView]:
        """Return what there is, oldest first."""
        return [*self._views.values()]

    def begin(self, settings: Settings, notebook: NotebookView) -> StartView:
        """Begin to start a session and return at once.

        Args:
            settings: Where it runs, its notebook included.
            notebook: The notebook, for people to read.
        """
        # The record calls it by this name until the server has given it another.
        start_id = uuid.uuid4().hex
        view = StartView(
            id=start_id, is_local=settings.is_local, notebook=notebook, stage="starting"
        )
        remote = Remote(settings, owner=start_id, records=self._records)
        with self._guard:
            self._views[start_id] = view
            self._remotes[start_id] = remote
        threading.Thread(
            target=self._run, args=(start_id, remote), name="deepnote-start", daemon=True
        ).start()
        return view

    def dismiss(self, start_id: str) -> None:
        """Give up a start, or forget one that failed; do nothing where it has ended."""
        remote = self._remotes.get(start_id)
        if remote is not None:
            remote.interrupt()
        else:
            self._forget(start_id)

    def _run(self, start_id: str, remote: Remote) -> None:
        try:
            remote.start(lambda line: self._change(start_id, stage=line))
            remote.detach()
        except KeyboardInterrupt:  # how a start ends that was given up
            self._forget(start_id)
        except DeepnoteError as error:
            self._change(start_id, problem=str(error))
        except Exception as error:  # noqa: BLE001 - the edge of a thread
            _log.exception("A session could not be started.")
            self._change(start_id, problem=f"{type(error).__name__}: {error}")
        else:
            self._forget(start_id)
        finally:
            del self._remotes[start_id]
            remote.close()

    def _change(self, start_id: str, **changes: str) -> None:
        with self._guard:
            if start_id in self._views:
                self._views[start_id] = msgspec.structs.replace(self._views[start_id], **changes)

    def _forget(self, start_id: str) -> None:
        with self._guard:
            self._views.pop(start_id, None)

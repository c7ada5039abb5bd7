"""Show something below a cell that changes in place while other cells run."""

from __future__ import annotations

import contextvars
import threading
import uuid
from typing import TYPE_CHECKING, Any

from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Watch"]

_LIMIT = 200


class Watch:
    """A display that is looked after for a while by a thread.

    Args:
        shell: Shows it.
        look: Returns what to show, or ``None`` for what is over; called in any thread.
        every_s: Seconds between two looks. After some hundred of them it stays as it is, for each
            look is a call to the server.
    """

    def __init__(
        self, shell: InteractiveShell, look: Callable[[], object | None], *, every_s: float
    ) -> None:
        self._shell: Any = shell
        self._look = look
        self._every_s = every_s
        self._display_id = uuid.uuid4().hex
        self._is_over = threading.Event()

    def start(self) -> None:
        """Show it, and go on showing it."""
        self._show(self._look())
        # In this context, a thread's updates belong to this cell, not to whichever runs then.
        run = contextvars.copy_context().run
        threading.Thread(
            target=run, args=(self._follow,), name="deepnote-watch", daemon=True
        ).start()

    def stop(self) -> None:
        """Leave it as it is."""
        self._is_over.set()

    def _follow(self) -> None:
        for _ in range(_LIMIT):
            if self._is_over.wait(self._every_s):
                return
            try:
                shown = self._look()
            except DeepnoteError:  # the person's next command says it
                return
            if shown is None:
                return
            self._show(shown, update=True)

    def _show(self, shown: object, *, update: bool = False) -> None:
        data, metadata = self._shell.display_formatter.format(shown)
        transient = {"display_id": self._display_id}
        self._shell.display_pub.publish(
            data=data, metadata=metadata, transient=transient, update=update
        )

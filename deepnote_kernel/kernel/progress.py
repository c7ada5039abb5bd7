"""Show in the cell how far the start of a session is."""

from __future__ import annotations

import time
import uuid
from html import escape
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.outputs import JSON

__all__ = ["StartLine"]

Publish: TypeAlias = "Callable[[str, JSON], None]"

_NOTEWORTHY_S = 10.0


class StartLine:
    """One line below the cell that changes in place while the session starts.

    A quick start leaves nothing behind. One that took a while, as that of a machine in the cloud
    does, leaves a line that says how long: the person waited for it and may be charged for it.

    Args:
        publish: Sends a message, given its type and content, on iopub.
        clock: Tells the time in seconds.
    """

    def __init__(self, publish: Publish, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._publish = publish
        self._clock = clock
        self._display_id = ""
        self._started_at = 0.0

    def show(self, line: str) -> None:
        """Show how far the start is, such as ``machine starting``."""
        first = not self._display_id
        if first:
            self._display_id = uuid.uuid4().hex
            self._started_at = self._clock()
        self._send("display_data" if first else "update_display_data", f"Deepnote: {line} …")

    def settle(self, *, alone: bool = True) -> None:
        """Take the line away, or leave a quiet one, now that the session is ready.

        Args:
            alone: Whether the cell shows nothing else yet, so that its output may be cleared.
        """
        if not self._display_id:
            return
        took_s = self._clock() - self._started_at
        if alone and took_s < _NOTEWORTHY_S:
            self._publish("clear_output", {"wait": False})
        else:
            self._send("update_display_data", f"Deepnote: session ready after {took_s:.0f} s")
        self._display_id = ""

    def _send(self, msg_type: str, text: str) -> None:
        html = f'<span style="opacity: 0.65; font-style: italic">{escape(text)}</span>'
        self._publish(
            msg_type,
            {
                "data": {"text/plain": text, "text/html": html},
                "metadata": {},
                "transient": {"display_id": self._display_id},
            },
        )

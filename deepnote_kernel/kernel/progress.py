"""Show in the cell how far the start of a session is."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, TypeAlias

from deepnote_kernel._quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.outputs import JSON

__all__ = ["READY", "StartLine"]

Publish: TypeAlias = "Callable[[str, JSON], None]"

READY = "ready"
"""The last stage of a start."""

_STAGES = {
    "machine starting",
    "opening the notebook",
    "pending",
    "preparing its packages",
    "running",
    "running the notebook",
    READY,
}

_NOTEWORTHY_S = 10.0


class StartLine:
    """One line below the cell that changes in place while the session starts.

    A quick start leaves nothing behind. One that took a while, as that of a machine in the cloud
    does, leaves a quiet line that says how long: the person waited for it and may be charged for
    it. What the person should know, such as that the notebook's first run failed, stays as well.

    Args:
        publish: Sends a message, given its type and content, on iopub.
        system: Where the session starts.
        is_alone: Whether the cell shows nothing else yet, so that its output may be cleared.
        is_told: Whether it is said elsewhere that the session is ready.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        publish: Publish,
        *,
        system: str = "Deepnote",
        is_alone: bool = True,
        is_told: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publish = publish
        self._system = system
        self._is_alone = is_alone
        self._is_told = is_told
        self._clock = clock
        self._display_id = ""
        self._started_at = 0.0
        self._notes: list[str] = []

    def show(self, line: str) -> None:
        """Show a stage of the start, such as ``machine starting``, or a remark on it."""
        if line == READY:
            self.settle()
            return
        if line not in _STAGES:
            self._notes.append(line)
        msg_type = "update_display_data"
        if not self._display_id:
            self._display_id, self._started_at = uuid.uuid4().hex, self._clock()
            msg_type = "display_data"
        self._send(msg_type, f"{self._system}: {line} …")

    def settle(self, *, is_ready: bool = True) -> None:
        """Take the line away, or leave a quiet one, now that the start is over.

        Args:
            is_ready: Whether the session became ready.
        """
        if not self._display_id:
            return
        took_s = self._clock() - self._started_at
        is_noteworthy = took_s >= _NOTEWORTHY_S or not self._is_alone
        if is_noteworthy and not (is_ready and self._is_told):
            self._notes.append(f"session {'' if is_ready else 'not '}ready after {took_s:.0f} s")
        if self._notes:
            self._send("update_display_data", f"{self._system}: {'; '.join(self._notes)}")
        elif self._is_alone:
            self._publish("clear_output", {"wait": False})
        else:
            self._send("update_display_data", "")
        self._display_id, self._notes = "", []

    def _send(self, msg_type: str, text: str) -> None:
        self._publish(
            msg_type,
            {
                "data": quiet(text) if text else {"text/plain": ""},
                "metadata": {},
                "transient": {"display_id": self._display_id},
            },
        )

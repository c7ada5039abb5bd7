"""Hold a flood of output to what a Jupyter server passes on.

A Jupyter server drops stream output above 1,000,000 bytes, and any message above 1,000, a second
on average over three seconds (its ``iopub_data_rate_limit`` and ``iopub_msg_rate_limit``; source:
jupyter_server 2.21, November 2026). What comes from a machine far away arrives in bursts, so a
cell that printed at leisure could still lose lines there. Ordinary output is never held.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Pacer", "pieces"]

_PIECE_CHARS = 200_000


class Pacer:
    """Says how long to wait before the next message of a cell.

    Args:
        bytes_per_s: Stream bytes a second, on average over the window; 0 never waits.
        messages_per_s: Messages a second, on average over the window.
        window_s: Seconds over which the server takes its average.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        bytes_per_s: int = 800_000,
        *,
        messages_per_s: int = 800,
        window_s: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bytes = int(bytes_per_s * window_s)
        self._messages = int(messages_per_s * window_s)
        self._window_s = window_s
        self._clock = clock
        self._sent: deque[tuple[float, int]] = deque()
        self._sent_bytes = 0

    def release(self) -> None:
        """Wait no more: the person has asked the cell to stop, and wants it to."""
        self._bytes = 0

    def delay_s(self, size_bytes: int = 0) -> float:
        """Return the seconds to wait before a message, and count it as sent after them."""
        if not self._bytes:
            return 0.0
        now = self._clock()
        self._forget(now)
        at = max(now, self._sent[-1][0]) if self._sent else now  # messages keep their order
        while self._sent and self._is_full(size_bytes):
            at = max(at, self._forget_oldest() + self._window_s)
        self._sent.append((at, size_bytes))
        self._sent_bytes += size_bytes
        return at - now

    def _is_full(self, size_bytes: int) -> bool:
        return self._sent_bytes + size_bytes > self._bytes or len(self._sent) >= self._messages

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0][0] <= now - self._window_s:
            self._forget_oldest()

    def _forget_oldest(self) -> float:
        at, size_bytes = self._sent.popleft()
        self._sent_bytes -= size_bytes
        return at


def pieces(text: str) -> Iterator[str]:
    """Cut a long text, after a line's end where there is one, into pieces that can be paced."""
    start = 0
    while len(text) - start > _PIECE_CHARS:
        end = text.rfind("\n", start, start + _PIECE_CHARS) + 1 or start + _PIECE_CHARS
        yield text[start:end]
        start = end
    yield text[start:]

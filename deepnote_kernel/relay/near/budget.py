"""How often the relay may call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Budget"]


class Budget:
    """Says how long a call that merely looks for output shall wait, to stay within a rate.

    A bucket of tokens: a third of a minute's calls may go at once, the rest come back evenly, so
    that no minute sees more than its share. The fewer are left, the longer the pauses. Calls that
    cannot wait, such as those that bring a cell, empty the bucket but leave no debt: after many
    short cells, the output of a long one is looked for as often as ever.

    Args:
        calls_per_minute: How many calls a minute may see.
        clock: Gives seconds.
    """

    def __init__(
        self, calls_per_minute: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._capacity = calls_per_minute / 3
        self._rate = (calls_per_minute - self._capacity) / 60
        self._tokens = self._capacity
        self._clock = clock
        self._at = clock()

    def spend(self) -> None:
        """Count a call."""
        self._refill()
        self._tokens = max(self._tokens - 1, 0.0)

    def pause_s(self) -> float:
        """Return how many seconds to wait before the next look."""
        self._refill()
        spent = 1 - self._tokens / self._capacity
        return max(1 - self._tokens, spent**4) / self._rate

    def _refill(self) -> None:
        now = self._clock()
        self._tokens = min(self._capacity, self._tokens + (now - self._at) * self._rate)
        self._at = now

"""How long to wait between two questions to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["delays"]


def delays(first_s: float, last_s: float) -> Iterator[float]:
    """Yield growing delays in seconds, without end.

    Quick at first, for servers nearby, then no faster than Deepnote's own clients ask.

    Args:
        first_s: The first delay.
        last_s: The delay that growth stops at.
    """
    delay_s = first_s
    while True:
        yield delay_s
        delay_s = min(delay_s * 1.5, last_s)

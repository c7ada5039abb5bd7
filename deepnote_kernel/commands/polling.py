"""Ask a server again and again how something goes."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["look_until"]

T = TypeVar("T")

_FIRST_S = 0.1


def look_until(
    look: Callable[[], T],
    is_over: Callable[[T], bool],
    *,
    timeout_s: float | None,
    every_s: float,
) -> T:
    """Look until something is over, or time is up; return what was seen last.

    Quickly at first, for servers nearby, then more and more seldom.

    Args:
        look: Returns how it goes.
        is_over: Whether that is its end.
        timeout_s: Seconds after which to look no more; ``None`` for no end.
        every_s: Seconds between two looks, in the end.
    """
    deadline = time.monotonic() + (math.inf if timeout_s is None else timeout_s)
    delay_s = _FIRST_S
    while not is_over(found := look()) and time.monotonic() < deadline:
        time.sleep(delay_s)
        delay_s = min(delay_s * 1.5, every_s)
    return found

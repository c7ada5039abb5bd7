"""Wait for what happens somewhere else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["wait_until"]

_LIMIT_S = 50.0  # a little less than a test may take


def wait_until(condition: Callable[[], object]) -> None:
    """Ask again and again until the condition holds; fail where it never does."""
    deadline = time.monotonic() + _LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)

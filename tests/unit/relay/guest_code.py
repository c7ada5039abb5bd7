"""Code for tests to leave in the middle, and a way to wait for it."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["log", "until"]


class Handler(logging.Handler):
    """Hands log records to a function."""

    def __init__(self, handle: Callable[[], object]) -> None:
        super().__init__()
        self._handle = handle

    def emit(self, _record: logging.LogRecord) -> None:
        """Call it."""
        self._handle()


def log(handle: Callable[[], object] = lambda: json.dumps([1], indent=1)) -> None:
    """Log a line, which something has to handle."""
    handler = Handler(handle)
    handler.handle(logging.makeLogRecord({"msg": "x"}))


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so, but not for ever."""
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline, "it never was"

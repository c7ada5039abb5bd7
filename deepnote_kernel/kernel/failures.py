"""Turn an exception into the ``error`` content a front end shows."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from deepnote_kernel.outputs import JSON

__all__ = ["error_content", "error_reply"]

_SECRET_CHARS = 8
"""Shorter ones are no API keys, and occur in ordinary words."""


def error_content(error: BaseException, *, secret: str = "") -> JSON:
    """Return the content of an ``error`` message.

    An expected error is one line; one of ours that nobody expected brings its traceback, for the
    report.

    Args:
        error: What was raised.
        secret: A text that must not be shown, even where a library put it into its message.
    """
    if isinstance(error, DeepnoteError):
        lines = error._render_traceback_()
    elif isinstance(error, KeyboardInterrupt):
        lines = ["\x1b[31mKeyboardInterrupt\x1b[39m"]
    else:
        lines = "".join(traceback.format_exception(error)).splitlines()
    return {
        "ename": type(error).__name__,
        "evalue": _without(secret, str(error)),
        "traceback": [_without(secret, line) for line in lines],
    }


def error_reply(content: JSON, *, execution_count: int) -> JSON:
    """Return the ``execute_reply`` content of a cell that ended with this ``error`` content."""
    return {
        "status": "error",
        **content,
        "execution_count": execution_count,
        "user_expressions": {},
        "payload": [],
    }


def _without(secret: str, text: str) -> str:
    return text.replace(secret, "***") if len(secret) >= _SECRET_CHARS else text

"""Who a token speaks for.

Source: https://deepnote.com/docs, Public API v2, Me API, read November 2026.
"""

from __future__ import annotations

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call
from deepnote_kernel.api.models import Me

__all__ = ["get"]


def get() -> Call[Me]:
    """Get the key, its maker, its workspace and what it may do there."""
    return Call(method="GET", path="/v2/me", read=_read, replay_safe=True)


def _read(body: bytes) -> Me:
    return reading.adopt(Me, reading.parse_object(body))

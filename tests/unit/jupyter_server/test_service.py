"""How long a session has left, as far as its server tells."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from deepnote_kernel.api.models import Session
from deepnote_kernel.jupyter_server.service import _idle_left_s

HOUR_S = 3600


@pytest.mark.parametrize(
    ("told", "left_s"),
    [
        ({"expires_at": HOUR_S}, HOUR_S),
        ({"expires_at": -HOUR_S}, 0),
        ({"last_activity_at": -600, "idle_shutdown_s": 1800}, 1200),
        ({"expires_at": 300, "last_activity_at": 0, "idle_shutdown_s": 1800}, 300),
    ],
)
def test_time_left(told: dict[str, Any], left_s: float) -> None:
    """The server's own end counts first, then its limit from the last use on; never below zero."""
    assert _idle_left_s(_session(**told)) == pytest.approx(left_s, abs=60)


@pytest.mark.parametrize("told", [{}, {"last_activity_at": 0}, {"idle_shutdown_s": 1800}])
def test_time_left_that_is_not_known(told: dict[str, Any]) -> None:
    """A server that says half of it says nothing."""
    assert _idle_left_s(_session(**told)) is None


def _session(**told: Any) -> Session:
    """Return a session of which a server tells these things; times in seconds from now."""
    now = datetime.now(timezone.utc)
    times = {
        name: now + timedelta(seconds=value) for name, value in told.items() if name.endswith("_at")
    }
    return Session(id="s", **{**told, **times})

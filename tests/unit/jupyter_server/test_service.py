"""How long a session has left, as far as its server tells."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from deepnote_kernel.api.models import Session
from deepnote_kernel.jupyter_server.service import _idle_left_s

NOW = datetime.now(timezone.utc)


@pytest.mark.parametrize(
    ("told", "left_s"),
    [
        ({"expires_at": NOW + timedelta(hours=1)}, 3600),
        ({"expires_at": NOW - timedelta(hours=1)}, 0),
        (
            {"last_activity_at": NOW - timedelta(minutes=10), "idle_shutdown_s": 1800},
            1200,
        ),
        (
            {
                "expires_at": NOW + timedelta(minutes=5),
                "last_activity_at": NOW,
                "idle_shutdown_s": 1800,
            },
            300,
        ),
    ],
)
def test_time_left(told: dict[str, Any], left_s: float) -> None:
    """The server's own end counts first, then its limit from the last use on; never below zero."""
    assert _idle_left_s(Session(id="s", **told)) == pytest.approx(left_s, abs=60)


@pytest.mark.parametrize("told", [{}, {"last_activity_at": NOW}, {"idle_shutdown_s": 1800}])
def test_time_left_that_is_not_known(told: dict[str, Any]) -> None:
    """A server that says half of it says nothing."""
    assert _idle_left_s(Session(id="s", **told)) is None

"""What ``%deepnote`` shows."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from deepnote_kernel.session.protocol import Status
from deepnote_kernel.session.record import Record
from deepnote_magics._views import SessionsView, StatusView, Table


def _status(**changes: Any) -> Status:
    facts: dict[str, Any] = {
        "session_id": "s1",
        "notebook_id": "n1",
        "state": "idle",
        "mode": "live",
        "where": "https://api.deepnote.com",
        **changes,
    }
    return Status(**facts)


def _facts(view: StatusView) -> dict[str, str]:
    return {row[0]: row[1] for row in view.rows}


def test_text_is_aligned() -> None:
    """In a terminal the values stand below each other."""
    assert repr(Table([("Session", "s1"), ("State", "idle")])) == "Session  s1\nState    idle"


def test_headings_stand_on_top() -> None:
    """A table of several sessions names its columns."""
    assert repr(Table([("s1", "n1")], ["Session", "Notebook"])).splitlines() == [
        "Session  Notebook",
        "s1       n1",
    ]


def test_html_is_escaped() -> None:
    """What a server says is text."""
    html = Table([("<script>", "&")])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_an_address_is_a_link() -> None:
    """The notebook's page is one click away."""
    html = StatusView(_status(url="https://deepnote.com/x?a=1&b=2"))._repr_html_()
    assert 'href="https://deepnote.com/x?a=1&amp;b=2"' in html


def test_no_colour_is_set() -> None:
    """The table is read in light and dark themes alike."""
    assert "color" not in StatusView(_status())._repr_html_()


@pytest.mark.parametrize(
    ("age_s", "shown"), [(0.0, None), (9.4, "9 s"), (150.0, "2 min"), (7260.0, "2 h 1 min")]
)
def test_age(age_s: float, shown: str | None) -> None:
    """A session's age is told in the unit that fits."""
    rows = _facts(StatusView(_status(age_s=age_s)))
    assert rows.get("Running for") == shown


def test_status_without_a_session() -> None:
    """It says where a session would run."""
    rows = _facts(StatusView(_status(session_id="", notebook_id="", state="not started")))
    assert rows["Session"] == "none"
    assert rows["Notebook"] == "not chosen"


def test_further_facts_follow() -> None:
    """What the handshake found out is shown as well, and the facts are there for code."""
    view = StatusView(_status(details={"python": "3.11"}))
    assert view.rows[-1] == ("python", "3.11")
    assert view.status.details == {"python": "3.11"}


def test_sessions() -> None:
    """Each session is a line that says when it was started."""
    record = Record(
        id="s1",
        notebook_id="n1",
        base_url="local",
        created_at=datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc),
        state="idle",
    )
    view = SessionsView([record])
    assert view.records == [record]
    assert view.rows[0][:3] == ("s1", "n1", "idle")
    assert view.rows[0][3].startswith("2026-11-")

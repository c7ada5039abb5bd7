"""Names that are known from a notebook's text alone."""

from __future__ import annotations

from deepnote_kernel.strata import static

ABOVE = "import json\ndef area(width, height):\n    'Of a rectangle.'\n    return width * height\n"


def test_names_of_other_cells_are_completed() -> None:
    """As a whole, in place of what was typed."""
    reply = static.complete(ABOVE, "x = are", 7)
    assert "area" in reply["matches"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (4, 7)


def test_members_of_modules_are_completed() -> None:
    """Where the module is installed here, too."""
    assert "dumps" in static.complete(ABOVE, "json.du", 7)["matches"]


def test_functions_are_described() -> None:
    """With their arguments and documentation."""
    text = static.describe(ABOVE, "area", 2)["data"]["text/plain"]
    assert "area(width, height)" in text
    assert "Of a rectangle." in text


def test_what_is_not_known_is_not_invented() -> None:
    """An empty answer is an answer."""
    assert static.complete("", "no_such_name", 12)["matches"] == []
    assert static.describe("", "no_such_name", 3)["found"] is False


def test_odd_positions_do_no_harm() -> None:
    """A front end may send a place that the code has not got."""
    assert static.complete("", "x", 100)["status"] == "ok"

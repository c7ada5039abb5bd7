"""What a command shows."""

from __future__ import annotations

import copy
import pickle
from datetime import datetime, timezone

import msgspec
import pytest

from deepnote_kernel.commands.views import (
    Card,
    Line,
    Link,
    Listing,
    State,
    age,
    moment,
    to_builtins,
)


class Thing(msgspec.Struct):
    """An object as the API gives one."""

    id: str
    state: str = "idle"


def _listing(*things: Thing) -> Listing[Thing]:
    return Listing(
        things, ["Id", "State"], lambda thing: (thing.id, State(thing.state)), empty="No things."
    )


def test_a_listing_is_a_list() -> None:
    """``things = %deepnote …`` gives objects."""
    things = [Thing("t1"), Thing("t2")]
    listing = _listing(*things)
    assert listing == things
    assert listing[0].id == "t1"


def test_text_is_aligned() -> None:
    """In a terminal the values stand below each other, under their headings."""
    assert repr(_listing(Thing("t1"), Thing("thing-2", "busy"))).splitlines() == [
        "Id       State",
        "t1       idle",
        "thing-2  busy",
    ]


def test_wide_characters_are_aligned() -> None:
    """A terminal gives a Chinese character two columns."""
    assert repr(_listing(Thing("名前"), Thing("name1"))).splitlines() == [
        "Id     State",
        "名前   idle",
        "name1  idle",
    ]


def test_a_name_cannot_move_the_cursor() -> None:
    """Whoever names a project must not write elsewhere in a terminal, nor break the table."""
    assert repr(_listing(Thing("\x1b[31mred\nline"))).splitlines() == [
        "Id                 State",
        r"\x1b[31mred\nline  idle",
    ]


def test_an_empty_listing_says_so() -> None:
    """No headings over nothing."""
    assert repr(_listing()) == "No things."
    assert _listing()._repr_html_() == "<i>No things.</i>"


def test_html_is_escaped() -> None:
    """What a server says is text."""
    html = _listing(Thing("<script>", "&"))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_state_has_a_dot() -> None:
    """Its colour is a mid-tone that is read on light and on dark; the text keeps the theme's."""
    html = _listing(Thing("t1", "error"))._repr_html_()
    assert '<span style="color: #d9534f">●</span> error' in html
    assert html.count("color") == 1


def test_a_state_in_unknown_words_is_grey() -> None:
    """Deepnote may add some."""
    assert State("hibernating").colour == "#8a8a8a"


def test_a_card_stands_for_its_object() -> None:
    """Its attributes are the object's; what is empty is not shown."""
    card = Card(Thing("t1"), {"Id": "t1", "Note": "", "State": State("idle")})
    assert card.id == "t1"
    assert repr(card) == "Id     t1\nState  idle"
    with pytest.raises(AttributeError):
        _ = card.nonsense


def test_a_line_says_what_has_become_of_its_object() -> None:
    """A sentence for people, the object for programs."""
    line = Line(Thing("t1"), "Thing <t1> is ready.")
    assert repr(line) == "Thing <t1> is ready."
    assert line._repr_html_() == "Thing &lt;t1&gt; is ready."
    assert (line.id, to_builtins(line)) == ("t1", {"id": "t1", "state": "idle"})


def test_a_card_can_be_copied() -> None:
    """Also where Python asks for attributes before there is an object."""
    card = Card(Thing("t1"), {"Id": "t1"})
    assert copy.copy(card).id == "t1"
    assert pickle.loads(pickle.dumps(card)).value == Thing("t1")


def test_an_address_is_a_link() -> None:
    """A page is one click away."""
    html = Card(Thing("t1"), {"Page": "https://deepnote.com/x?a=1&b=2"})._repr_html_()
    assert 'href="https://deepnote.com/x?a=1&amp;b=2"' in html


def test_a_link_shows_its_text() -> None:
    """In a terminal the address would be noise."""
    card = Card(Thing("t1"), {"Notebook": Link("Report", "https://deepnote.com/n")})
    assert repr(card) == "Notebook  Report"
    assert '<a href="https://deepnote.com/n" target="_blank"' in card._repr_html_()
    assert ">Report</a>" in card._repr_html_()


def test_a_link_to_nowhere_is_text() -> None:
    """Where the API does not say enough for an address."""
    assert "<a" not in Card(Thing("t1"), {"Notebook": Link("Report", "")})._repr_html_()


def test_json_is_the_object() -> None:
    """A program gets what the API gave, not what a person is shown."""
    assert to_builtins(_listing(Thing("t1"))) == [{"id": "t1", "state": "idle"}]
    assert to_builtins(Card(Thing("t1"), {})) == {"id": "t1", "state": "idle"}


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0, "0 s"), (9.4, "9 s"), (150.0, "2 min"), (7260.0, "2 h 1 min")]
)
def test_age(seconds: float, shown: str) -> None:
    """A length of time is told in the unit that fits."""
    assert age(seconds) == shown


def test_moment() -> None:
    """A time is that of the clock on the wall here."""
    at = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
    assert moment(at) == at.astimezone().strftime("%Y-%m-%d %H:%M")
    assert moment(None) == ""

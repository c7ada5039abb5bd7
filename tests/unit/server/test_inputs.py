"""Input blocks: names, values and what they become."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]

from deepnote_kernel.server.blocks.inputs import check_inputs, describe_inputs
from deepnote_kernel.server.blocks.programs import program_of
from deepnote_kernel.server.errors import BadRequestError
from deepnote_kernel.server.storage.store import Block
from deepnote_kernel.snapshot.inputs import variable_name


def input_block(kind: str, **metadata: Any) -> Block:
    """Return an input block that sets ``x``."""
    return Block(
        id="b",
        notebook_id="n",
        type=f"input-{kind}",
        content="",
        metadata={"deepnote_variable_name": "x", **metadata},
        integration_id=None,
        version=1,
        position=0,
    )


def value_of(kind: str, sent: Any = None, **metadata: Any) -> Any:
    """Return what the block's variable holds after its program ran."""
    block = input_block(kind, **metadata)
    program = program_of(
        {"id": "b", "type": block.type, "content": "", "metadata": block.metadata},
        {} if sent is None else {"x": sent},
    )
    assert program is not None
    assert program.is_silent
    names: dict[str, Any] = {}
    exec(program.code, names)
    return names["x"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        ("two  words", "two_words"),
        ("1st!", "st"),
        ("_x", "_x"),
        ("日本", "input_1"),
        ("", "unnamed_variable"),
        (None, "unnamed_variable"),
    ],
)
def test_a_name_is_made_fit_for_python(given: str | None, expected: str) -> None:
    """By the rules Deepnote has."""
    assert variable_name({"deepnote_variable_name": given}) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 1),
        ("textarea", None),
        ("checkbox", "true"),
        ("checkbox", 1),
        ("select", ["a"]),
        ("slider", 7),
        ("slider", "seven"),
        ("slider", "nan"),
        ("date", 20261120),
        ("date", "tomorrow"),
        ("date", "2026-02-30"),
        ("date-range", ["2026-11-20"]),
        ("date-range", ["2026-11-20", "then"]),
        ("date-range", [1, 2]),
        ("file", {}),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(kind: str, value: object) -> None:
    """The message names the input."""
    with pytest.raises(BadRequestError, match='Input "x" must be '):
        check_inputs([input_block(kind)], {"x": value})


def test_many_values_need_a_block_that_takes_many() -> None:
    """A list for one, a text for the other."""
    many = input_block("select", deepnote_allow_multiple_values=True)
    check_inputs([many], {"x": ["a", "b"]})
    with pytest.raises(BadRequestError, match="a list of strings"):
        check_inputs([many], {"x": "a"})


@pytest.mark.parametrize(
    ("kind", "metadata", "expected"),
    [
        ("text", {}, ""),
        ("text", {"deepnote_variable_default_value": "d"}, "d"),
        ("text", {"deepnote_variable_value": "v", "deepnote_variable_default_value": "d"}, "v"),
        ("checkbox", {}, False),
        ("select", {}, None),
        ("select", {"deepnote_allow_multiple_values": True}, []),
        (
            "select",
            {"deepnote_allow_multiple_values": True, "deepnote_variable_value": "a"},
            ["a"],
        ),
        ("slider", {}, 0),
        ("slider", {"deepnote_variable_value": "broken"}, 0),
        ("date", {}, None),
        ("date-range", {}, [None, None]),
        ("file", {}, None),
    ],
)
def test_a_value_not_sent_is_the_stored_one(
    kind: str, metadata: dict[str, Any], expected: object
) -> None:
    """Or the default, or nothing of the right type."""
    assert value_of(kind, **metadata) == expected


def test_an_input_is_described_with_the_types_clients_insist_on() -> None:
    """Whatever its metadata holds."""
    block = input_block(
        "slider",
        deepnote_variable_value=3,
        deepnote_variable_options=5,
        deepnote_input_label=None,
        deepnote_slider_max_value="9",
        deepnote_slider_step=True,
    )
    (shown,) = describe_inputs([block])
    assert shown == {
        "name": "x",
        "type": "input-slider",
        "value": "3",
        "label": "",
        "options": [],
        "multiple": False,
        "min": 0,
        "max": 100,
        "step": 1,
        "blockId": "b",
    }


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        ("text", "a'\"\n\\", "a'\"\n\\"),
        ("slider", "7", 7),
        ("slider", "-0.5", -0.5),
        ("date", "2026-11-20", date(2026, 11, 20)),
        ("date", "2026-11-20T01:02:03.000Z", datetime(2026, 11, 20, 1, 2, 3)),  # noqa: DTZ001
        ("date-range", ["2026-11-20", ""], [date(2026, 11, 20), None]),
        ("date-range", "no such range", [None, None]),
    ],
)
def test_a_value_becomes_a_python_object(kind: str, sent: object, expected: object) -> None:
    """Of the type Deepnote's own kernels give it."""
    check_inputs([input_block(kind)], {"x": sent})
    assert value_of(kind, sent) == expected


def test_a_date_block_of_the_second_version_holds_a_date() -> None:
    """Whatever time stands behind it."""
    sent = "2026-11-20T01:02:03.000Z"
    assert value_of("date", sent, deepnote_input_date_version=2) == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("sent", "distance"),
    [
        ("past7days", relativedelta(days=7)),
        ("past14days", relativedelta(days=14)),
        ("pastMonth", relativedelta(months=1)),
        ("past3months", relativedelta(months=3)),
        ("past6months", relativedelta(months=6)),
        ("pastYear", relativedelta(years=1)),
        ("customDays30", relativedelta(days=30)),
    ],
)
def test_a_relative_range_ends_today(sent: str, distance: relativedelta) -> None:
    """It begins that long ago."""
    check_inputs([input_block("date-range")], {"x": sent})
    start, end = value_of("date-range", sent)
    assert start == end - distance
    assert abs(end - date.today()).days <= 1  # noqa: DTZ011 - midnight may have passed


@pytest.mark.parametrize(
    ("metadata", "pressed", "expected"),
    [
        ({"deepnote_button_behavior": "set_variable"}, (), "x = False"),
        ({"deepnote_button_behavior": "set_variable"}, ("b",), "x = True"),
        ({"deepnote_button_behavior": "run"}, ("b",), None),
        ({}, ("b",), None),
    ],
)
def test_a_button_says_whether_it_was_pressed(
    metadata: dict[str, str], pressed: tuple[str, ...], expected: str | None
) -> None:
    """In its variable, where it has one to set."""
    metadata = {"deepnote_variable_name": "x", **metadata}
    block = {"id": "b", "type": "button", "content": "", "metadata": metadata}
    program = program_of(block, pressed=pressed)
    assert (program.code if program else None) == expected

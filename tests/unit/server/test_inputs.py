"""Input blocks: names, values and what they become."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from deepnote_kernel.server.errors import BadRequestError
from deepnote_kernel.server.inputs import assignment, check_inputs, variable_name
from deepnote_kernel.server.store import Block


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
    """Return what the block's variable holds after its assignment ran."""
    block = input_block(kind, **metadata)
    names: dict[str, Any] = {}
    exec(assignment(block.type, block.metadata, {} if sent is None else {"x": sent}), names)
    return names["x"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        ("two words", "two_words"),
        ("1st!", "st"),
        ("_x", "x"),
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
        ("date-range", ["2026-11-20"]),
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


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        ("text", "a'\"\n\\", "a'\"\n\\"),
        ("slider", "7", 7),
        ("slider", "-0.5", -0.5),
        ("date", "2026-11-20", date(2026, 11, 20)),
        ("date", "2026-11-20T00:00:00.000Z", date(2026, 11, 20)),
        ("date-range", ["2026-11-20", ""], [date(2026, 11, 20), None]),
    ],
)
def test_a_value_becomes_a_python_object(kind: str, sent: object, expected: object) -> None:
    """Of the type Deepnote's own kernels give it."""
    assert value_of(kind, sent) == expected

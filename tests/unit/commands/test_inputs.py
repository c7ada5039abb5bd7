"""Values of inputs, as they are typed and as they are sent."""

from __future__ import annotations

from typing import Any

import pytest

from deepnote_kernel.api.models import NotebookInput
from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.commands.inputs import read_inputs

KNOWN = [
    NotebookInput(name="text", type="input-text"),
    NotebookInput(name="flag", type="input-checkbox"),
    NotebookInput(name="rate", type="input-slider"),
    NotebookInput(name="one", type="input-select", options=["a", "b"]),
    NotebookInput(name="many", type="input-select", multiple=True),
    NotebookInput(name="day", type="input-date"),
    NotebookInput(name="days", type="input-date-range"),
]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], {}),
        (["text=a=b c"], {"text": "a=b c"}),
        (["text="], {"text": ""}),
        (["flag=true"], {"flag": True}),
        (["flag=No"], {"flag": False}),
        (["rate=7"], {"rate": "7"}),
        (["rate=-0.5"], {"rate": "-0.5"}),
        (["one=a"], {"one": "a"}),
        (["many=a"], {"many": ["a"]}),
        (["many=a", "many=b"], {"many": ["a", "b"]}),
        (["many="], {"many": []}),
        (["day=2026-11-20"], {"day": "2026-11-20"}),
        (["days=past7days"], {"days": "past7days"}),
        (["days=2026-11-01, 2026-11-20"], {"days": ["2026-11-01", "2026-11-20"]}),
        (["text=1", "rate=2"], {"text": "1", "rate": "2"}),
    ],
)
def test_the_block_says_which_type(words: list[str], expected: dict[str, Any]) -> None:
    """A value is sent in the JSON type that its input block takes."""
    assert read_inputs(words, KNOWN) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["text"], "The input 'text' has no value. Give it as NAME=VALUE."),
        (["speed=1"], "The notebook has no input 'speed'. It has text, flag, rate, one, many,"),
        (["text=1", "text=2"], "The input 'text' takes one value. Give it once."),
        (["flag=maybe"], "The input 'flag' is 'maybe'. It must be true or false."),
        (["rate=fast"], "The input 'rate' is 'fast'. It must be a number."),
        (["rate=nan"], "The input 'rate' is 'nan'. It must be a number."),
        (["days=a,b,c"], "The input 'days' is 'a,b,c'. It must be two dates: FIRST,LAST."),
    ],
)
def test_another_type_is_refused(words: list[str], message: str) -> None:
    """The line names the input and what it takes."""
    with pytest.raises(UsageError) as caught:
        read_inputs(words, KNOWN)
    assert str(caught.value).startswith(message)


def test_a_notebook_without_inputs() -> None:
    """The line says that it has none."""
    with pytest.raises(UsageError, match="It has none"):
        read_inputs(["a=1"], [])

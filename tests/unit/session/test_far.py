"""Questions of our own to the far side, and how their answers are told from other outputs."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from deepnote_kernel.session import _far

AWKWARD = "s = '''\"\\\n'''\ud800 # \x00"


def display(text: Any) -> dict[str, Any]:
    """Return an output that shows a text."""
    return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}


PRINTED = {"output_type": "stream", "name": "stdout", "text": "from a thread\n"}


@pytest.mark.parametrize(
    "text", ['deepnote-kernel-answer:{"a": 1}', ["deepnote-kernel-answer:", '{"a": 1}']]
)
def test_answer_is_parted_from_other_outputs(text: Any) -> None:
    """What a thread printed meanwhile is kept apart, not lost."""
    other = display("deepnote")
    assert _far.read_answer([PRINTED, display(text), other]) == ({"a": 1}, [PRINTED, other])


def test_no_answer_is_told_from_an_empty_one() -> None:
    """A far side that did not understand the question is not one that found nothing."""
    assert _far.read_answer([PRINTED]) == (None, [PRINTED])
    assert _far.read_answer([display("deepnote-kernel-answer:{}")]) == ({}, [])


@pytest.mark.parametrize(
    "question",
    [
        _far.complete(AWKWARD, 3),
        _far.inspect(AWKWARD, 3, 1),
        _far.evaluate({AWKWARD: AWKWARD}),
        _far.identify(),
        _far.restart(),
    ],
)
def test_question_is_one_expression(question: str) -> None:
    """Whatever the user's code looks like, the question assigns no name in their namespace."""
    [statement] = ast.parse(question).body
    assert isinstance(statement, ast.Expr)

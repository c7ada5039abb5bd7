"""Values for a notebook's input blocks, from what a person types as ``name=value``.

Each block says which type its value has. Source: Deepnote's Runs API, read November 2026.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from deepnote_kernel.commands.grammar import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deepnote_kernel.api.models import NotebookInput

__all__ = ["read_inputs"]

_SWITCH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_inputs(words: Iterable[str], known: Sequence[NotebookInput]) -> dict[str, Any]:
    """Return the values to send for a run, by the name of their input.

    Args:
        words: ``name=value`` each; a name that is repeated gives a list to an input of several
            values.
        known: The notebook's inputs.

    Raises:
        UsageError: A word has no ``=``, no input has its name, or the value is of another type.
    """
    inputs = {each.name: each for each in known}
    texts: dict[str, list[str]] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UsageError(f"The input {word!r} has no value.", "Give it as NAME=VALUE.")
        if name not in inputs:
            listed = f"It has {', '.join(inputs)}." if inputs else "It has none."
            raise UsageError(f"The notebook has no input {name!r}.", listed)
        texts.setdefault(name, []).append(text)
    return {name: _value(inputs[name], given) for name, given in texts.items()}


def _value(asked: NotebookInput, texts: list[str]) -> Any:
    if asked.multiple:
        return [text for text in texts if text]
    if len(texts) > 1:
        raise UsageError(f"The input {asked.name!r} takes one value.", "Give it once.")
    (text,) = texts
    if asked.type == "input-checkbox":
        return _switch(asked.name, text)
    if asked.type == "input-slider" and not _is_number(text):
        raise UsageError(f"The input {asked.name!r} is {text!r}.", "It must be a number.")
    if asked.type == "input-date-range" and "," in text:
        return _range(asked.name, text)
    return text


def _switch(name: str, text: str) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise UsageError(f"The input {name!r} is {text!r}.", "It must be true or false.") from None


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _range(name: str, text: str) -> list[str]:
    first, _, last = text.partition(",")
    if "," in last:
        raise UsageError(f"The input {name!r} is {text!r}.", "It must be two dates: FIRST,LAST.")
    return [first.strip(), last.strip()]

"""The table agrees with what carries it out."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.commands.grammar import Noun, Option, Verb
from deepnote_kernel.commands.table import SECTIONS, TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS = {"", "project", "notebook", "run", "session", "machine"}


def _verbs(table: Mapping[str, Verb | Noun], path: str = "") -> Iterator[tuple[str, Verb]]:
    for name, entry in table.items():
        label = f"{path} {name}".strip()
        if isinstance(entry, Noun):
            yield from _verbs(entry.verbs, label)
        else:
            yield label, entry


VERBS = dict(_verbs(TABLE))


def _parameter(option: Option) -> str:
    name: str = option.settings.get("dest", option.flags[-1])
    return name.lstrip("-").replace("-", "_")


def _handler(verb: Verb) -> Any:
    module, _, function = verb.handler.rpartition(".")
    return getattr(import_module(f"deepnote_kernel.commands.{module}"), function)


@pytest.mark.parametrize("label", VERBS)
def test_a_handler_takes_what_can_be_typed(label: str) -> None:
    """Each option has a parameter of its name, and each parameter without a default an option."""
    verb = VERBS[label]
    context, *parameters = inspect.signature(_handler(verb)).parameters.values()
    assert context.name == "context"
    typed = {_parameter(option) for option in verb.options}
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return
    assert {each.name for each in parameters if each.default is each.empty} <= typed
    assert typed <= {each.name for each in parameters}
    assert all(each.kind is each.KEYWORD_ONLY for each in parameters)


@pytest.mark.parametrize("label", VERBS)
def test_a_handler_is_public(label: str) -> None:
    """It is exported by its module, and explained."""
    handler = _handler(VERBS[label])
    assert handler.__name__ in import_module(handler.__module__).__all__
    assert handler.__doc__


@pytest.mark.parametrize("label", VERBS)
def test_help_is_a_phrase(label: str) -> None:
    """Summaries and the help of options begin small and end without a full stop."""
    verb = VERBS[label]
    texts = [verb.summary, *(option.help for option in verb.options)]
    assert [text for text in texts if text.endswith(".") or text[0].isupper()] == []


@pytest.mark.parametrize("label", VERBS)
def test_names_are_of_a_known_kind(label: str) -> None:
    """What an option names can be completed."""
    assert {option.names for option in VERBS[label].options} <= KINDS


def test_every_command_has_a_section() -> None:
    """None is left over in the list."""
    assert {*TABLE} <= {name for names in SECTIONS.values() for name in names}


def test_what_destroys_asks() -> None:
    """Each verb that deletes has --yes."""
    destroying = [label for label in VERBS if label.endswith("delete")]
    assert destroying
    for label in destroying:
        assert "yes" in {_parameter(option) for option in VERBS[label].options}

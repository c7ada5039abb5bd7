"""What may follow ``%strata``, and what carries it out."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.commands.grammar import Grammar, Noun, Verb
from deepnote_kernel.strata.table import COMMON, SECTIONS, SHELL_COMMON, TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "deepnote_kernel.strata.commands"
NOTEBOOK = Grammar(
    "%strata", TABLE, package=PACKAGE, surface="notebook", description="", common=COMMON
)
SHELL = Grammar(
    "strata", TABLE, package=PACKAGE, surface="shell", description="", common=SHELL_COMMON
)


def _verbs() -> Iterator[tuple[str, Verb]]:
    for name, entry in TABLE.items():
        if isinstance(entry, Noun):
            for verb, each in entry.verbs.items():
                yield f"{name} {verb}", each
        else:
            yield name, entry


VERBS = dict(_verbs())


@pytest.mark.parametrize("label", VERBS)
def test_a_verb_has_a_handler_that_takes_its_options(label: str) -> None:
    """Each option arrives by its name; the handler says what it does."""
    verb = VERBS[label]
    module, _, name = verb.handler.rpartition(".")
    handler = getattr(import_module(f"{PACKAGE}.{module}"), name)
    _, *parameters = inspect.signature(handler).parameters.values()
    given = {
        o.settings.get("dest", o.flags[-1].lstrip("-").replace("-", "_")) for o in verb.options
    }
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    assert takes_any or {p.name for p in parameters} == given
    assert inspect.getdoc(handler)


@pytest.mark.parametrize("label", VERBS)
def test_help_is_a_phrase(label: str) -> None:
    """It begins small and ends without a full stop."""
    texts = [VERBS[label].summary, *(known.help for known in VERBS[label].options)]
    for text in texts:
        assert text[0].islower() or not text[0].isalpha()
        assert not text.endswith(".")


def test_every_noun_is_in_a_section() -> None:
    """The help groups them all."""
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(TABLE)


def test_a_line_is_understood() -> None:
    """Noun, verb, values and options."""
    command = NOTEBOOK.parse(["cells", "run", "abc", "--mode", "force", "--notebook", "n"])
    assert command.handler == f"{PACKAGE}.cells.run"
    assert command.options == {"cell": "abc", "mode": "force"}
    assert command.common == {"about": "n"}


def test_a_shell_has_no_cells_to_run() -> None:
    """What is about a notebook's own kernel is for notebooks."""
    assert {"start", "restart", "pull"} & {*SHELL.table} == set()
    assert {"cells", "dag", "materialize"} <= {*SHELL.table}

"""``docs/endpoints.md`` names every call of the API, and nothing that does not exist."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from deepnote_kernel.commands.grammar import Noun, Verb
from deepnote_kernel.commands.table import TABLE
from deepnote_kernel.server.description.operations import OPERATIONS

ROOT = Path(__file__).parents[2]


class Row(NamedTuple):
    """One line of a table."""

    call: str
    client: str
    command: str
    test: str


def _rows() -> list[Row]:
    lines = (ROOT / "docs" / "endpoints.md").read_text().splitlines()
    return [Row(*re.findall(r"`([^`]*)`", line)) for line in lines if line.startswith("| `")]


ROWS = _rows()
BY_CALL = pytest.mark.parametrize("row", ROWS, ids=[row.call for row in ROWS])


def test_every_call_is_there() -> None:
    """What the server serves, the page lists, each once."""
    served = [
        re.sub(r"\{\w+\}", "{id}", operation)
        for operation in OPERATIONS
        if operation.split("/")[1] in {"v1", "v2"}
    ]
    assert sorted(row.call for row in ROWS) == sorted(served)


@BY_CALL
def test_the_client_has_it(row: Row) -> None:
    """The second column is a function of the API client."""
    module, _, function = row.client.partition(".")
    assert callable(getattr(import_module(f"deepnote_kernel.api.{module}"), function))


@BY_CALL
def test_it_can_be_asked_for(row: Row) -> None:
    """The third column begins with a verb of the table that magics and shell share."""
    noun, *rest = row.command.split()
    entry: Verb | Noun = TABLE[noun]
    if isinstance(entry, Noun):
        entry = entry.verbs[rest[0]]
    assert isinstance(entry, Verb)


@BY_CALL
def test_it_is_tested(row: Row) -> None:
    """The fourth column is a test that exists."""
    path, _, name = row.test.partition("::")
    assert f"\ndef {name}(" in (ROOT / "tests" / "integration" / path).read_text()

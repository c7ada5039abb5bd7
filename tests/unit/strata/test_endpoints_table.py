"""``docs/strata.md`` names every heading of Strata's reference and every call of the client."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deepnote_kernel.commands.grammar import Noun, Verb
from deepnote_kernel.strata import calls
from deepnote_kernel.strata.table import TABLE

ROOT = Path(__file__).parents[3]

# The headings of the REST API Reference that are calls, in its order; read November 2026.
HEADINGS = """\
Create Notebook, Open Notebook, Delete Notebook, Delete Notebook By Path, Rename Notebook,
List Sessions, Get Session,
List Cells, Add Cell, Update Cell Source, Delete Cell, Reorder Cells, Execute Cell (REST),
Get DAG,
List Dependencies, Add Dependency, Remove Dependency, Get Environment State,
Get Current Environment Job, Start Environment Job, Export Requirements, Import Requirements,
Preview Requirements Import, Import environment.yaml, Preview environment.yaml Import,
List Workers, Update Notebook Worker, Update Worker Catalog,
Update Notebook Mounts,
Export Notebook Bundle,
Get AI Status, List Provider Models, Update Notebook AI Model, Chat Completion, Streaming Chat,
Agent Run,
Get Notebook Runtime Config,
Materialize, Get Stream"""

ARGUMENTS: dict[str, Any] = {
    "session_id": "S",
    "cell_id": "C",
    "build_id": "B",
    "artifact_id": "A",
    "version": 1,
    "index": 0,
    "url": "X",
    "path": "/p",
    "action": "sync",
    "env": {},
    "inputs": [],
    "mounts": [],
    "workers": [],
    "cell_ids": [],
    "timeout_s": 1.0,
}
"""Values of parameters; of any other, the first letter of its name, large."""


class Row(NamedTuple):
    """One line of a table."""

    heading: str
    call: str
    client: str
    command: str
    test: str
    versions: str


def _rows() -> list[Row]:
    lines = (ROOT / "docs" / "strata.md").read_text().splitlines()
    cells = [[cell.strip().strip("`") for cell in line.split(" | ")] for line in lines]
    rows = [Row._make(c) for c in cells if len(c) == len(Row._fields) and "/v1/" in c[1]]
    return [row._replace(heading=row.heading.removeprefix("| ")) for row in rows]


ROWS = _rows()
BY_CALL = pytest.mark.parametrize("row", ROWS, ids=[row.client for row in ROWS])


def _function(name: str) -> Any:
    module, _, function = name.partition(".")
    return getattr(importlib.import_module(f"{calls.__name__}.{module}"), function)


def test_every_heading_is_there() -> None:
    """In the reference's order; what it does not name follows in a table of its own."""
    wanted = [heading.strip() for heading in HEADINGS.replace("\n", " ").split(",")]
    assert [row.heading for row in ROWS[: len(wanted)]] == wanted


def test_every_call_of_the_client_is_there() -> None:
    """Each once."""
    names = [
        f"{module.name}.{name}"
        for module in pkgutil.iter_modules(calls.__path__)
        if not module.name.startswith("_")
        for name in importlib.import_module(f"{calls.__name__}.{module.name}").__all__
        if name[0].islower()
    ]
    assert sorted(row.client for row in ROWS) == sorted(names)


@BY_CALL
def test_the_client_makes_that_call(row: Row) -> None:
    """Method and path are those of the function."""
    function = _function(row.client)
    required = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is inspect.Parameter.empty
    ]
    values = {p.name: ARGUMENTS.get(p.name, p.name[0].upper()) for p in required}
    if row.client == "environment.remove_dependency":
        values["name"] = "P"
    assert function(**values).label == re.sub(r"[{}]", "", row.call)


@BY_CALL
def test_it_can_be_asked_for(row: Row) -> None:
    """The command begins with a verb of the table, or is a magic of a cell's own."""
    if row.command.startswith("%"):
        return
    noun, *rest = row.command.split()
    entry: Verb | Noun = TABLE[noun]
    if isinstance(entry, Noun):
        entry = entry.verbs[rest[0]]
    assert isinstance(entry, Verb)


@BY_CALL
def test_it_is_tested(row: Row) -> None:
    """The test exists, in a file that makes the call."""
    file, _, name = row.test.partition("::")
    text = (ROOT / "tests" / "integration" / "strata" / file).read_text()
    assert f"def {name}(" in text
    assert f"{row.client}(" in text

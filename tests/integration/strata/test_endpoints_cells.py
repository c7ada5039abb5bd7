"""Cells on a real server: list, add, change, order, run, cancel and delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.strata.calls import cells, notebooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.models import Notebook


@pytest.fixture
def new_cell(client: Client, notebook: Notebook) -> Iterator[Callable[[str], str]]:
    """Make cells with a source; what a test has made is deleted at its end."""
    made: list[str] = []

    def new(source: str) -> str:
        cell = client.send(cells.add(notebook.session_id))
        made.append(cell.id)
        client.send(cells.update(notebook.session_id, cell.id, source=source))
        return cell.id

    yield new
    for cell_id in made:
        client.send(cells.delete(notebook.session_id, cell_id))


def test_list_has_what_was_added_in_its_order(
    client: Client, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """A cell added behind another one is listed behind it, with its source."""
    first, last = new_cell("a = 1"), new_cell("c = 3")
    middle = client.send(cells.add(notebook.session_id, after_cell_id=first))
    listed = client.send(cells.list_(notebook.session_id))
    client.send(cells.delete(notebook.session_id, middle.id))
    assert [(cell.id, cell.source) for cell in listed] == [
        (first, "a = 1"),
        (middle.id, ""),
        (last, "c = 3"),
    ]


@pytest.mark.parametrize("language", ["python", "markdown", "prompt"])
def test_a_cell_has_the_language_it_was_added_with(
    client: Client, notebook: Notebook, language: cells.Language
) -> None:
    """A notebook holds more than Python."""
    cell = client.send(cells.add(notebook.session_id, language=language))
    client.send(cells.delete(notebook.session_id, cell.id))
    assert cell.language == language


def test_update_returns_the_cell_the_graph_and_all_cells(
    client: Client, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """The server analyses the new source at once."""
    producer, consumer = new_cell("x = 1"), new_cell("")
    update = client.send(cells.update(notebook.session_id, consumer, source="y = x + 1"))
    assert update.cell.references == ["x"]
    assert [(edge.from_cell_id, edge.to_cell_id, edge.variable) for edge in update.dag.edges] == [
        (producer, consumer, "x")
    ]
    assert [cell.id for cell in update.cells] == [producer, consumer]


def test_delete_returns_those_that_remain(
    client: Client, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """A deleted cell is in no list."""
    kept = new_cell("1")
    gone = client.send(cells.add(notebook.session_id))
    remaining = client.send(cells.delete(notebook.session_id, gone.id))
    assert [cell.id for cell in remaining] == [kept]


def test_reorder_changes_what_a_cell_sees(
    client: Client, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """A cell takes a name from the nearest cell above it that defines it."""
    reader, writer = new_cell("print(n)"), new_cell("n = 1")
    ordered = client.send(cells.reorder(notebook.session_id, [writer, reader]))
    assert [(cell.id, cell.upstream_ids) for cell in ordered] == [(writer, []), (reader, [writer])]


def test_dag_names_roots_leaves_and_an_order(
    client: Client, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """The graph follows the names that cells define and use."""
    producer, consumer = new_cell("x = 1"), new_cell("print(x)")
    dag = client.send(notebooks.dag(notebook.session_id))
    assert (dag.roots, dag.leaves) == ([producer], [consumer])
    assert dag.topological_order == [producer, consumer]
    assert dag.variable_producer == {"x": producer}


def test_execute_returns_console_and_displays(
    client: Client, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """A cell's result holds what it printed and what it showed."""
    cell_id = new_cell("import sys\nprint('out')\nprint('err', file=sys.stderr)\n[1, 2]")
    result = client.send(cells.execute(notebook.session_id, cell_id))
    assert (result.status, result.stdout, result.stderr) == ("ready", "out\n", "err\n")
    assert [(shown.content_type, shown.preview) for shown in result.displays] == [
        ("json/object", [1, 2])
    ]


def test_a_cell_that_raises_is_a_result(
    client: Client, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """The exception and its traceback are in the result, and so is what was printed before."""
    cell_id = new_cell("print('before')\n1 / 0")
    result = client.send(cells.execute(notebook.session_id, cell_id))
    assert (result.status, result.stdout) == ("error", "before\n")
    assert result.traceback.rstrip().endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize(("mode", "runs"), [("normal", 1), ("rerun", 2), ("force", 2)])
def test_a_mode_says_whether_a_stored_result_will_do(  # noqa: PLR0913, PLR0917
    client: Client,
    notebook: Notebook,
    new_cell: Callable[[str], str],
    tmp_path: Path,
    mode: cells.Mode,
    runs: int,
) -> None:
    """Only ``normal`` takes an unchanged cell's result from the last run."""
    log = tmp_path / "log"
    cell_id = new_cell(f"with open({str(log)!r}, 'a') as log:\n    log.write('x')\nprint('hi')")
    client.send(cells.execute(notebook.session_id, cell_id))
    again = client.send(cells.execute(notebook.session_id, cell_id, mode=mode))
    assert (len(log.read_text()), again.cache_hit, again.stdout) == (runs, runs == 1, "hi\n")


def test_a_normal_run_brings_stale_cells_above_up_to_date(
    client: Client, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """What a cell needs is run before it."""
    producer, consumer = new_cell("x = 1"), new_cell("print(x)")
    client.send(cells.execute(notebook.session_id, consumer))
    client.send(cells.update(notebook.session_id, producer, source="x = 2"))
    result = client.send(cells.execute(notebook.session_id, consumer))
    assert (result.status, result.stdout) == ("ready", "2\n")


def test_a_change_in_place_is_warned_of(
    client: Client, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """Later cells do not see it, and the result says so."""
    new_cell("numbers = [1]")
    cell_id = new_cell("numbers.append(2)")
    result = client.send(cells.execute(notebook.session_id, cell_id))
    assert [warning.var_name for warning in result.mutation_warnings] == ["numbers"]


def test_a_missing_module_names_the_package(
    client: Client, notebook: Notebook, new_cell: Callable[[str], str]
) -> None:
    """The result suggests what to install."""
    cell_id = new_cell("import sklearn")
    result = client.send(cells.execute(notebook.session_id, cell_id))
    assert result.suggest_install == "scikit-learn"

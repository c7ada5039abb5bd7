"""Reactive mode: Strata decides what has to run, and says so."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.strata.calls import cells
from tests.integration.strata.front_end import notes, open_front_end, printed
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepnote_kernel.strata import Client
    from tests.integration.strata.front_end import FrontEnd
    from tests.integration.strata.servers import StrataServer

pytestmark = pytest.mark.timeout(180)  # the first test of a run starts the server

CACHED = "Strata: this cell's result came from the cache."


@pytest.fixture(scope="module")
def shared(strata: StrataServer) -> Iterator[FrontEnd]:
    """A notebook that the tests of this module share, each with no cells."""
    with open_front_end(strata.url, mode="reactive") as front_end:
        front_end.run("pass")
        yield front_end


@pytest.fixture
def nb(shared: FrontEnd) -> FrontEnd:
    """The notebook, without cells."""
    shared.remote.restart()
    return shared


def test_stale_cells_above_run_first(nb: FrontEnd) -> None:
    """And it is said which, with what they printed."""
    nb.run("x = 1", "a")
    nb.run("print('doubling')\ny = x * 2", "b")
    assert nb.value("y", "c") == "2"
    nb.run("x = 5", "a")
    result = nb.run("y", "c")
    assert notes(result) == ["Strata: `print('doubling')` ran first."]
    assert printed(result) == "doubling\n"
    assert result.value == "10"


def test_nothing_runs_twice(nb: FrontEnd) -> None:
    """A cell whose variable is used later has run once."""
    nb.run("with open('twice', 'a') as f: f.write('.')\nz = 1", "a")
    assert nb.value("z", "b") == "1"
    assert nb.value("open('twice').read()", "c") == "'.'"


def test_an_unchanged_cell_is_not_run(nb: FrontEnd) -> None:
    """Its console text and value are shown all the same."""
    code = "open('ran', 'a').write('.')\nprint('text')\nvalue = 3\nvalue"
    nb.run(code, "a")
    result = nb.run(code, "a")
    assert notes(result) == [CACHED]
    assert printed(result) == "text\n"
    assert result.value == "3"
    assert nb.value("open('ran').read()", "b") == "'.'"


def test_position_decides(nb: FrontEnd) -> None:
    """A cell sees what lies above it, not what ran last."""
    nb.run("x = 1", "a")
    nb.run("x = 2", "b")
    assert nb.value("x", "c") == "2"
    nb.run("x = 1  # again", "a")
    assert nb.run("x", "c").value == "2"


def test_a_cell_is_moved_behind_what_it_uses(nb: FrontEnd) -> None:
    """Once, where a name is only defined below it."""
    nb.run("late", "a")
    nb.run("late = 7", "b")
    assert nb.value("late", "a") == "7"


def test_a_failure_above_is_named(nb: FrontEnd) -> None:
    """By the first line of the cell that failed."""
    nb.run("x = 1", "a")
    nb.run("y = 1 / x", "b")
    nb.run("y", "c")
    nb.run("x = 0", "a")
    result = nb.run("y", "c")
    assert result.reply["status"] == "error"
    assert "`y = 1 / x`" in result.reply["evalue"]
    assert notes(result) == ["Strata: `y = 1 / x` ran first, and failed."]


def test_a_deleted_cell_goes_with_its_variables(nb: FrontEnd, client: Client) -> None:
    """At once, as the notebook is what its cells are."""
    nb.run("gone = 1", "a")
    assert nb.run("gone", "b", metadata={"deletedCells": ["a"]}).reply["ename"] == "NameError"
    assert nb.remote.session is not None
    sources = [c.source for c in client.send(cells.list_(nb.remote.session.session_id))]
    assert "gone = 1\n" not in sources


def test_an_interrupt_reaches_a_cell_above(nb: FrontEnd) -> None:
    """What runs is cancelled, be it the cell that was asked for or one above it."""
    nb.run("x = 0", "a")
    nb.run("import time\nopen('begun', 'w').close()\ntime.sleep(60 * x)\ny = x", "b")
    nb.run("y", "c")
    nb.run("x = 1", "a")
    assert nb.remote.session is not None
    begun = Path(nb.remote.session.notebook_id, "work", "begun")
    begun.unlink()
    results = []
    running = threading.Thread(target=lambda: results.append(nb.run("y", "c")))
    running.start()
    wait_until(begun.exists)
    nb.remote.interrupt()
    running.join(40)
    assert results[0].reply["status"] == "error"

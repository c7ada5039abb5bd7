"""A cell on Strata shows what it shows in a plain ipykernel, but for the differences listed here.

The cells are those that live cells on Deepnote are compared by. Compared are messages, their order,
texts and the reply's status; of an exception its name, for the traceback is laid out otherwise.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.notebook import open_notebook
from tests.integration.relay.test_same_as_ipykernel import CELLS
from tests.integration.strata.kernel import open_strata_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.notebook import Notebook, Result
    from tests.integration.strata.servers import StrataServer

pytestmark = pytest.mark.timeout(180)  # the first test of a run starts the server

NO_IPYTHON = "cells are plain Python: no In, Out or _, no get_ipython(), nothing to import from it"
NO_MAGIC = "a magic without a counterpart in plain Python is refused in one line"
NO_AWAIT = "there is no top-level await, nor a loop that lives on between cells"
PROCESS = "each cell is a process of its own: what is no stored variable ends with it"
FAILED = "nothing that a failed cell has defined is kept"
UNSTORED = "a value that cannot be stored cannot be passed on, and that is said"
FORMS = "values are stored in a few forms; repr() is not called, displays are not updated"
PACKAGES = "the notebook has an environment of its own, where packages are installed first"
STREAMS = "children's output is captured: two streams, no terminal, none of forked processes"
WORDS = "the same facts in other words"

DIFFERENCES: dict[str, str] = {
    "underscore": NO_IPYTHON,
    "in and out": NO_IPYTHON,
    "dir": NO_IPYTHON,
    "display": NO_IPYTHON,
    "clear output": NO_IPYTHON,
    "next input": NO_IPYTHON,
    "request of a thread": NO_IPYTHON,
    "hook": NO_IPYTHON,
    "hook runs": NO_IPYTHON,
    "hook goes": NO_IPYTHON,
    "whos": NO_MAGIC,
    "history": NO_MAGIC,
    "capture": NO_MAGIC,
    "captured": NO_MAGIC,
    "timeit": NO_MAGIC,
    "load": NO_MAGIC,
    "unknown magic": NO_MAGIC,
    "unknown cell magic": NO_MAGIC,
    "xmode": NO_MAGIC,
    "xmode back": NO_MAGIC,
    "await": NO_AWAIT,
    "gather": NO_AWAIT,
    "task made": NO_AWAIT,
    "task awaited": NO_AWAIT,
    "async generator": NO_AWAIT,
    "async comprehension": NO_AWAIT,
    "async error": NO_AWAIT,
    "asyncio.run": NO_AWAIT,
    "wait_for": NO_AWAIT,
    "current task": NO_AWAIT,
    "cancelled": NO_AWAIT,
    "exit": PROCESS,
    "keyboard interrupt": PROCESS,
    "source": FAILED,
    "alarm restored": FAILED,
    "thread": UNSTORED,
    "sqlite": UNSTORED,
    "sqlite in the next cell": UNSTORED,
    "contextvar set": UNSTORED,
    "contextvar read": UNSTORED,
    "generator exit": UNSTORED,
    "display id": FORMS,
    "display hook error": FORMS,
    "dataframe": PACKAGES,
    "figure": PACKAGES,
    "figure and print": PACKAGES,
    "figure in a cell that fails": PACKAGES,
    "widget": PACKAGES,
    "tqdm": PACKAGES,
    "shell": STREAMS,
    "fork": STREAMS,
    "time": WORDS,
    "warning": WORDS,
    "who started it": WORDS,
}
"""Why a cell does not show the same."""


@pytest.fixture(scope="module")
def there(strata: StrataServer) -> Iterator[Notebook]:
    """Our kernel, its cells on Strata."""
    with open_strata_kernel(strata.url) as notebook:
        notebook.run("pass")
        yield notebook


@pytest.fixture(scope="module")
def plain() -> Iterator[Notebook]:
    """An ipykernel here: what is right."""
    argv = [sys.executable, "-m", "ipykernel_launcher", "--HistoryManager.enabled=False"]
    with open_notebook(argv, {}) as notebook:
        notebook.run("pass")
        yield notebook


def essence(result: Result) -> tuple[list[Any], str]:
    """Return what is compared of a cell."""
    messages, _ = result.normal()
    shown = [("error", m[1]["ename"]) if m[0] == "error" else m for m in messages]
    return shown, result.reply["status"]


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_shows_the_same(name: str, there: Notebook, plain: Notebook) -> None:
    """Or is in the list of differences; and what is listed there really differs."""
    is_same = essence(there.run(CELLS[name])) == essence(plain.run(CELLS[name]))
    assert is_same == (name not in DIFFERENCES), DIFFERENCES.get(name, "not listed")


def test_only_cells_are_listed() -> None:
    """A cell that is gone needs no reason."""
    assert {*DIFFERENCES} <= {*CELLS}

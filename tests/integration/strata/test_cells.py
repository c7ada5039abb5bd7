"""Cells on a real Strata server mean what they mean in Jupyter."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.errors import NotFoundError, SessionError, UnsupportedError
from deepnote_kernel.strata.anchor import is_anchor
from deepnote_kernel.strata.calls import cells
from tests.integration.strata.front_end import errors, notes, open_front_end, printed
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.models import Cell
    from tests.integration.strata.front_end import FrontEnd
    from tests.integration.strata.servers import StrataServer

pytestmark = pytest.mark.timeout(180)  # the first test of a run starts the server


@pytest.fixture(scope="module")
def shared(strata: StrataServer) -> Iterator[FrontEnd]:
    """A notebook that the tests of this module share, each with an empty namespace."""
    with open_front_end(strata.url) as front_end:
        front_end.run("pass")
        yield front_end


@pytest.fixture
def nb(shared: FrontEnd) -> FrontEnd:
    """The notebook, with an empty namespace."""
    shared.remote.restart()
    return shared


def strata_cells(nb: FrontEnd, client: Client) -> list[Cell]:
    """Return the cells that Strata has, but for the anchor."""
    assert nb.remote.session is not None
    found = client.send(cells.list_(nb.remote.session.session_id))
    return [cell for cell in found if not is_anchor(cell.source)]


def seen(nb: FrontEnd, client: Client) -> list[str]:
    """Return the texts of the cells above the anchor."""
    assert nb.remote.session is not None
    found = client.send(cells.list_(nb.remote.session.session_id))
    anchor = next(number for number, cell in enumerate(found) if is_anchor(cell.source))
    return [cell.source for cell in found[:anchor]]


# What a name is


def test_the_last_cell_to_run_counts(nb: FrontEnd) -> None:
    """Wherever it stands, and also when it has run before."""
    nb.run("x = 1", "a")
    nb.run("x = 2", "b")
    assert nb.value("x", "c") == "2"
    nb.run("x = 1", "a")
    assert nb.value("x", "c") == "1"


def test_a_value_stays_until_its_own_cell_runs(nb: FrontEnd) -> None:
    """What was made of an old value is not made anew."""
    nb.run("x = 1", "a")
    nb.run("y = x + 1", "b")
    nb.run("x = 10", "a")
    assert nb.value("(x, y)", "c") == "(10, 2)"


def test_a_cell_may_add_to_its_own_value(nb: FrontEnd) -> None:
    """Running it three times adds three times."""
    nb.run("n = 0", "a")
    assert [nb.value("n = n + 1\nn", "b") for _ in range(3)] == ["1", "2", "3"]
    assert nb.value("n", "c") == "3"


def test_nothing_runs_twice(nb: FrontEnd) -> None:
    """A cell whose variable is used later has run once."""
    nb.run("with open('ran', 'a') as f: f.write('.')\nz = 1", "a")
    nb.run("with open('ran', 'a') as f: f.write('.')\nw = z", "b")
    assert nb.value("w + z", "c") == "2"
    assert nb.value("open('ran').read()", "d") == "'..'"


def test_a_cell_is_one_cell_there(nb: FrontEnd, client: Client) -> None:
    """Editing and running a cell again changes the same Strata cell."""
    nb.run("one_cell = 1", "same")
    before = [c.id for c in strata_cells(nb, client) if c.source == "one_cell = 1\n"]
    nb.run("one_cell = 2", "same")
    after = [c.id for c in strata_cells(nb, client) if c.source == "one_cell = 2\n"]
    assert before == after
    assert len(after) == 1


@pytest.mark.parametrize("first", ["", "x = 3\n"], ids=["new", "again"])
def test_a_cell_that_fails_changes_nothing(nb: FrontEnd, first: str) -> None:
    """Later cells see what was there before, as that cell has no result."""
    if first:
        nb.run(first, "f")
    nb.run("x = 1", "a")
    assert nb.run("x = 1 / 0", "f").reply["ename"] == "ZeroDivisionError"
    assert nb.value("x", "c") == "1"


def test_a_name_outlives_its_line(nb: FrontEnd) -> None:
    """As in Jupyter: a cell that is edited leaves what it has defined before."""
    nb.run("import math\nold = math.floor(3.5)", "a")
    nb.run("new = math.floor(4.5)", "a")
    assert nb.value("(old, new)", "b") == "(3, 4)"


def test_earlier_runs_go_when_nothing_needs_them(nb: FrontEnd, client: Client) -> None:
    """Those that a value was made from stay, so that the notebook tells how it came about."""
    for _ in range(2):
        nb.run("n = 0", "a")
        nb.run("n = n + 1", "b")
        nb.run("n = n + 1", "b")
    nb.run("pass", "c")
    assert seen(nb, client) == ["n = 0\n", "n = n + 1\n", "n = n + 1\n", "pass\n"]


def test_a_text_that_fails_is_taken_back(nb: FrontEnd, client: Client) -> None:
    """Strata's notebook holds the text whose result counts, and its values can be looked at."""
    nb.run("word = eval('1.5')", "a")
    nb.run("word = 1 / 0", "a")
    assert seen(nb, client) == ["word = eval('1.5')\n"]
    assert nb.remote.complete("word.is_int", 11, timeout_s=20)["matches"] == ["word.is_integer"]


def test_functions_and_modules_are_shared(nb: FrontEnd) -> None:
    """A function that uses an import and another cell's value works elsewhere."""
    nb.run("import math\nscale = 2", "a")
    nb.run("def area(r):\n    return scale * math.floor(math.pi * r)", "b")
    assert nb.value("area(2)", "c") == "12"


def test_a_variable_that_was_not_kept_is_made_again(nb: FrontEnd) -> None:
    """Whether a name gets bound may not be known before; then its cell runs once more, and says."""
    nb.run("with open('again', 'a') as f: f.write('.')\nif True: maybe = 5", "a")
    result = nb.run("maybe", "b")
    assert result.value == "5"
    first_line = "with open('again', 'a') as f: f.write('…"
    reason = "ran once more, for its variables were not kept."
    assert notes(result) == [f"Strata: `{first_line}` {reason}"]
    assert nb.value("open('again').read()", "c") == "'..'"


def test_what_cannot_be_stored_is_named(nb: FrontEnd) -> None:
    """The cell counts as run; what else it made can be used."""
    result = nb.run("import sqlite3\ndb = sqlite3.connect(':memory:')\ngood = 5", "a")
    assert result.reply["status"] == "ok"
    assert errors(result) == (
        "Strata: the cell ran, but db cannot be passed on to other cells. Make it in each cell "
        "that uses it.\n"
    )
    assert nb.value("good", "b") == "5"
    assert "cannot pass db on" in errors(nb.run("db", "c"))


def test_a_change_in_place_is_pointed_out_once(nb: FrontEnd) -> None:
    """Other cells do not see it."""
    nb.run("items = [1]", "a")
    assert errors(nb.run("items.append(2)", "b")) == (
        "Strata: items was changed in place, which other cells do not see. Bind the changed value "
        "to a name here: items = ...\n"
    )
    assert errors(nb.run("items.append(2)", "b")) == ""
    assert nb.value("items", "c") == "[1]"


def test_a_deleted_cell_leaves_its_variables(nb: FrontEnd, client: Client) -> None:
    """As in Jupyter, until the namespace is emptied; then the Strata cell goes, too."""
    nb.run("kept = 1", "gone")
    assert nb.run("kept", "b", metadata={"deletedCells": ["gone"]}).value == "1"
    nb.remote.restart()
    assert "kept = 1\n" not in [cell.source for cell in strata_cells(nb, client)]


def test_a_deleted_cell_can_run_once_more(nb: FrontEnd) -> None:
    """Where what it may have bound was not kept."""
    nb.run("if True: maybe = 5", "gone")
    nb.run("pass", "b", metadata={"deletedCells": ["gone"]})
    assert nb.value("maybe", "c") == "5"


def test_a_restart_empties_the_namespace(nb: FrontEnd, client: Client) -> None:
    """The cells stay in the notebook, out of sight."""
    nb.run("old = 1", "a")
    nb.remote.restart()
    assert nb.run("old", "b").reply["ename"] == "NameError"
    assert seen(nb, client) == []
    nb.run("old = 2", "a")
    assert seen(nb, client) == ["old = 2\n"]


def test_reset_empties_the_namespace(nb: FrontEnd) -> None:
    """``%reset`` means what it says."""
    nb.run("old = 1", "a")
    nb.run("%reset -f", "r")
    assert nb.run("old", "b").reply["ename"] == "NameError"


def test_a_cell_deleted_in_strata_comes_back(nb: FrontEnd, client: Client) -> None:
    """Strata's own editor may change the notebook meanwhile."""
    nb.run("x = 4", "a")
    assert nb.remote.session is not None
    [cell] = [c for c in strata_cells(nb, client) if c.source == "x = 4\n"]
    client.send(cells.delete(nb.remote.session.session_id, cell.id))
    nb.run("x = 5", "a")
    assert nb.value("x", "b") == "5"


# What a cell shows

SHOWN: dict[str, tuple[str, dict[str, str]]] = {
    "number": ("6 * 7", {"text/plain": "42"}),
    "text": ("'a\\nb'", {"text/plain": "'a\\nb'"}),
    "tuple": ("(1, {2})", {"text/plain": "(1, {2})"}),
    "dictionary": ("{'a': [None, 1.5]}", {"text/plain": "{'a': [None, 1.5]}"}),
    "object": ("object()", {"text/plain": "<object object>"}),
    "date": ("import datetime\ndatetime.date(2026, 1, 2)", {"text/plain": "2026-01-02"}),
    "markdown": (
        "class M:\n    def _repr_markdown_(self): return '**m**'\nM()",
        {"text/markdown": "**m**", "text/plain": "**m**"},
    ),
    "picture": (
        "class P:\n    def _repr_png_(self): return b'\\x89PNG'\nP()",
        {"image/png": "iVBORw==", "text/plain": "<Figure of None x None>"},
    ),
}


@pytest.mark.parametrize(("code", "data"), SHOWN.values(), ids=SHOWN.keys())
def test_a_value_is_shown(code: str, data: dict[str, str], nb: FrontEnd) -> None:
    """In the richest form that Strata has kept."""
    [(kind, content)] = nb.run(code).messages
    assert kind == "execute_result"
    assert content["data"] == data


def test_an_index_comes_first(nb: FrontEnd) -> None:
    """Strata stores it behind the columns, and pandas notes which it is."""
    [(_, content)] = nb.run(
        "import pyarrow as pa\n"
        "table = pa.table({'n': [2, 1], 'key': ['x', 'y']})\n"
        "table.replace_schema_metadata({'pandas': '{\"index_columns\": [\"key\"]}'})"
    ).messages
    assert content["data"]["text/plain"] == "key  n\nx    2\ny    1"


def test_a_plot_that_is_not_shown_says_how(nb: FrontEnd) -> None:
    """In Jupyter it would be seen at the end of the cell."""
    axes = "type('Axes', (), {'__module__': 'matplotlib.axes'})()"
    assert nb.value(axes) == "<Axes object>: plt.show() shows the plot"


@pytest.mark.parametrize(("rows", "count", "last"), [(3, 4, -1), (40, 41, -1), (100, 14, 11)])
def test_a_table_is_shown(rows: int, count: int, last: int, nb: FrontEnd) -> None:
    """Up to sixty rows in full, though Strata's preview has but twenty; of more, both ends."""
    code = f"import pyarrow as pa\npa.table({{'n': range({rows}), 'm': ['x'] * {rows}}})"
    [(_, content)] = nb.run(code).messages
    lines = content["data"]["text/plain"].splitlines()
    assert len(lines) == count
    assert lines[last].split() == [str(rows - 1), str(rows - 1), "x"]
    assert f"{rows} rows × 2 columns" in content["data"]["text/html"]


def test_displays_come_before_the_result(nb: FrontEnd) -> None:
    """In the order in which the cell showed them."""
    result = nb.run("print('p')\ndisplay(1)\ndisplay('two')\n3")
    assert result.kinds == ["stream", "display_data", "display_data", "execute_result"]


@pytest.mark.parametrize("code", ["1;", "x = 1", "None", "print(end='')"])
def test_nothing_is_shown(code: str, nb: FrontEnd) -> None:
    """A semicolon hides the value that Strata would show."""
    assert nb.run(code).messages == []


def test_both_streams_are_shown(nb: FrontEnd) -> None:
    """Each in one piece."""
    result = nb.run("import sys\nprint('out')\nprint('err', file=sys.stderr)")
    assert (printed(result), errors(result)) == ("out\n", "err\n")


def test_an_error_shows_the_persons_code(nb: FrontEnd) -> None:
    """What was printed before it is shown as well."""
    result = nb.run("def f(n):\n    return 1 / n\nprint('before')\nf(0)")
    assert result.kinds == ["stream", "error"]
    assert result.reply["traceback"][:-1] == [
        "Traceback (most recent call last):",
        "  Cell, line 4, in <module>",
        "    f(0)",
        "  Cell, line 2, in f",
        "    return 1 / n",
    ]


# Magics

MAGICS: dict[str, tuple[str, str]] = {
    "shell": ("n = 3\n!echo {n} is n", "3 is n\n"),
    "shell's error output": ("!echo oops >&2", "oops\n"),
    "lines": ("lines = !printf 'a\\nb'\nprint(lines)", "['a', 'b']\n"),
    "bash": ("%%bash\necho one\necho two", "one\ntwo\n"),
    "pwd": ("import os\nhere = %pwd\nprint(here == os.getcwd())", "True\n"),
    "language": ("%%strata python\nprint('here')", "here\n"),
}


@pytest.mark.parametrize(("code", "text"), MAGICS.values(), ids=MAGICS.keys())
def test_a_magic_prints(code: str, text: str, nb: FrontEnd) -> None:
    """What has a counterpart in plain Python works as in IPython."""
    result = nb.run(code)
    assert result.reply["status"] == "ok"
    assert result.text == text


def test_variables_of_other_cells_go_into_commands(nb: FrontEnd) -> None:
    """As in IPython."""
    nb.run("name = 'you'", "a")
    assert nb.run("!echo {name} $name", "b").text == "you you\n"


def test_a_script_that_fails_is_an_error(nb: FrontEnd) -> None:
    """With what it printed before."""
    result = nb.run("%%bash\necho before\nexit 3")
    assert printed(result) == "before\n"
    assert result.reply["ename"] == "CalledProcessError"


def test_markdown_is_a_cell_of_its_own_kind(nb: FrontEnd, client: Client) -> None:
    """``%%strata markdown`` makes a Markdown cell there, and shows it here."""
    [(_, content)] = nb.run("%%strata markdown\n# Title", "m").messages
    assert content["data"]["text/markdown"] == "# Title\n"
    assert "markdown" in [cell.language for cell in strata_cells(nb, client)]


def test_a_name_is_described(nb: FrontEnd) -> None:
    """``name?`` opens the pager with its type, value and documentation."""
    nb.run("def f(a):\n    'Does it.'", "a")
    [page] = nb.run("f?", "b").reply["payload"]
    assert page["source"] == "page"
    assert "Does it." in page["data"]["text/plain"]


def test_a_name_is_described_from_the_text(nb: FrontEnd) -> None:
    """Where looking at the values would run cells again."""
    nb.run("first = 1", "a")
    nb.run("def f(a):\n    'Does it.'\n    return first", "b")
    nb.run("first = 2", "a")
    [page] = nb.run("f?", "c").reply["payload"]
    assert "Does it." in page["data"]["text/plain"]


def test_packages_are_installed(nb: FrontEnd, tmp_path: Path) -> None:
    """``%pip install`` changes the notebook's environment before the rest of the cell runs."""
    (tmp_path / "greet.py").write_text("word = 'hello'\n")
    (tmp_path / "pyproject.toml").write_text(
        "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n"
        "[project]\nname = 'greet'\nversion = '1'\n"
        "[tool.hatch.build.targets.wheel]\ninclude = ['greet.py']\n"
    )
    result = nb.run(f"%pip install 'greet @ file://{tmp_path}'\nimport greet\ngreet.word")
    assert result.value == "'hello'"
    assert nb.run("%pip uninstall greet").text == "Removed greet in the notebook's environment.\n"


def test_a_package_that_does_not_exist(nb: FrontEnd) -> None:
    """The package manager's reason, in one line; the cell is not run."""
    with pytest.raises(SessionError, match=r"could not be changed: .*no-such-package-here"):
        nb.run("%pip install no-such-package-here\nprint('not run')")


def test_a_missing_module_names_its_package(nb: FrontEnd) -> None:
    """Below the error."""
    result = nb.run("import numpy")
    assert result.reply["ename"] == "ModuleNotFoundError"
    assert errors(result) == "`%pip install numpy` adds it to the notebook.\n"


@pytest.mark.parametrize("code", ["input()", "await f()", "%no_such_magic"])
def test_what_cannot_be_had_is_refused(code: str, nb: FrontEnd) -> None:
    """Before anything runs."""
    with pytest.raises(UnsupportedError):
        nb.run(f"print('not run')\n{code}")


def test_environment_variables_are_set(nb: FrontEnd) -> None:
    """For all cells of the notebook."""
    nb.run("%env STRATA_TEST_WORD=blue", "a")
    assert nb.value("import os\nos.environ['STRATA_TEST_WORD']", "b") == "'blue'"


# Questions


def test_names_are_completed_from_values(nb: FrontEnd) -> None:
    """Methods of a value that no analysis of the text could know."""
    nb.run("value = eval('1.5')", "a")
    reply = nb.remote.complete("value.is_int", 12, timeout_s=20)
    assert reply["matches"] == ["value.is_integer"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (0, 12)


def test_completing_runs_nothing(nb: FrontEnd) -> None:
    """Where looking at values would run cells again, the text has to do."""
    nb.run("with open('looked', 'a') as f: f.write('.')\nfirst = 1", "a")
    nb.run("second = first", "b")
    nb.run("first = 2", "c")
    nb.run("with open('looked', 'a') as f: f.write('.')\nfirst = 1", "a")
    assert "second" in nb.remote.complete("seco", 4, timeout_s=20)["matches"]
    assert nb.value("open('looked').read()", "d") == "'..'"


def test_values_are_described(nb: FrontEnd) -> None:
    """With type and value."""
    nb.run("answer = 42", "a")
    text = nb.remote.inspect("answer", 3, timeout_s=20)["data"]["text/plain"]
    assert "42" in text
    assert "int" in text


def test_code_of_an_editors_own_is_no_cell(nb: FrontEnd, client: Client) -> None:
    """It runs beside the notebook, sees its variables and cannot change them."""
    nb.run("mine = 1", "a")
    count = len(strata_cells(nb, client))
    result = nb.run("mine = 2\nprint(mine)", store_history=False)
    assert printed(result) == "2\n"
    assert nb.value("mine", "b") == "1"
    assert len(strata_cells(nb, client)) == count + 1


def test_expressions_are_evaluated(nb: FrontEnd) -> None:
    """A front end may ask for values along with a cell."""
    nb.run("x = 20", "a")
    result = nb.run("x", "b", user_expressions={"good": "x + 1", "bad": "nothing"})
    answers: dict[str, Any] = result.reply["user_expressions"]
    assert answers["good"]["data"] == {"text/plain": "21"}
    assert answers["bad"]["ename"] == "NameError"


# One cell at a time


def test_an_interrupt_cancels_the_cell(nb: FrontEnd) -> None:
    """The next cell runs at once."""
    nb.run("x = 1", "a")
    results = []
    code = "open('sleeping', 'w').close()\nimport time\ntime.sleep(60)"
    running = threading.Thread(target=lambda: results.append(nb.run(code, "b")))
    running.start()
    assert nb.remote.session is not None
    folder = nb.remote.session.notebook_id
    wait_until(lambda: _exists(folder, "sleeping"))
    nb.remote.interrupt()
    running.join(30)
    assert results[0].reply["ename"] == "KeyboardInterrupt"
    assert nb.value("x", "c") == "1"


def test_cells_wait_for_one_another(nb: FrontEnd) -> None:
    """The server would refuse a second one."""
    values: list[str] = []
    codes = [f"import time\ntime.sleep(0.3)\n{n}" for n in range(3)]
    threads = [threading.Thread(target=lambda c=c: values.append(nb.value(c))) for c in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(values) == ["0", "1", "2"]


def test_a_cell_waits_for_one_that_runs_in_strata(nb: FrontEnd, client: Client) -> None:
    """Somebody may run a cell in Strata's own editor."""
    nb.run("pass", "a")
    assert nb.remote.session is not None
    session_id, folder = nb.remote.session.session_id, nb.remote.session.notebook_id
    other = client.send(cells.add(session_id))
    source = "open('theirs', 'w').close()\nimport time\ntime.sleep(1)"
    client.send(cells.update(session_id, other.id, source=source))
    running = threading.Thread(
        target=lambda: client.send(cells.execute(session_id, other.id, mode="force"))
    )
    running.start()
    wait_until(lambda: _exists(folder, "theirs"))
    assert nb.value("'ours'", "b") == "'ours'"
    running.join(30)
    client.send(cells.delete(session_id, other.id))


def _exists(folder: str, name: str) -> bool:
    return Path(folder, "work", name).exists()


def test_a_second_notebook_has_variables_of_its_own(nb: FrontEnd, strata: StrataServer) -> None:
    """Each Jupyter notebook has one on Strata."""
    nb.run("shared = 1", "a")
    with open_front_end(strata.url) as other:
        assert other.run("shared", "a").reply["ename"] == "NameError"


def test_a_name_that_is_no_notebooks(strata: StrataServer) -> None:
    """An absolute path must lead to a notebook."""
    with (
        open_front_end(strata.url, notebook_id=f"{strata.root}/none") as front_end,
        pytest.raises(NotFoundError, match="answered 404"),
    ):
        front_end.run("1")

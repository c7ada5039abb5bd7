"""``%strata`` and ``%%strata`` in a plain ipykernel, and the same commands in a shell."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.cli import main
from tests.integration.notebook import open_notebook
from tests.integration.strata import assistant
from tests.integration.strata.conftest import server_python
from tests.integration.strata.servers import run_strata, serve
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.notebook import Notebook, Result
    from tests.integration.strata.servers import StrataServer

pytestmark = pytest.mark.timeout(180)  # the first test of a run starts the server

ARGV = [sys.executable, "-m", "ipykernel_launcher", "--HistoryManager.enabled=False"]


@pytest.fixture(scope="module")
def ipython(strata: StrataServer) -> Iterator[Notebook]:
    """An ipykernel with the magics; its Strata notebook has a table and a cell that uses it."""
    environ = {"STRATA_URL": strata.url, "STRATA_NOTEBOOK": "magics"}
    with open_notebook(ARGV, environ) as notebook:
        notebook.run("%load_ext deepnote_magics")
        notebook.run(
            "%%strata\nimport pyarrow as pa\ntable = pa.table({'n': range(100), 'm': ['x'] * 100})"
        )
        notebook.run("%%strata\ntotal = sum(table['n'].to_pylist())\ntotal")
        yield notebook


def failure(result: Result) -> str:
    """Return the name and the words of an error of ours, which is one line."""
    assert len(result.reply["traceback"]) == 1
    return f"{result.reply['ename']}: {result.reply['evalue']}"


# Cells


def test_a_cell_runs_there(ipython: Notebook) -> None:
    """Its output appears here, its variables stay there."""
    assert ipython.run("%%strata\nimport os\nprint('there')\ntotal + 1").text == "there\n"
    assert ipython.run("total").reply["ename"] == "NameError"


def test_an_exception_is_raised_here(ipython: Notebook) -> None:
    """Under its own name, so that a run of the whole notebook stops."""
    result = ipython.run("%%strata\n1 / 0")
    assert result.reply["ename"] == "ZeroDivisionError"


def test_a_cell_of_another_language(ipython: Notebook) -> None:
    """Its kind follows the magic."""
    result = ipython.run("%%strata markdown\n# Title")
    assert result.messages[0][1]["data"]["text/markdown"] == "# Title\n"
    assert failure(ipython.run("%%strata cobol\n1")).startswith(
        "UnsupportedError: Strata has no cells in 'cobol'."
    )


def test_an_interrupt_cancels_the_cell(ipython: Notebook, strata: StrataServer) -> None:
    """The interrupt button reaches it."""
    code = "open('begun', 'w').close()\nimport time\ntime.sleep(60)"
    msg_id = ipython.send(f"%%strata\n{code}")
    wait_until((strata.root / "magics" / "work" / "begun").exists)
    ipython.interrupt()
    assert ipython.collect(msg_id).reply["ename"] == "KeyboardInterrupt"


# What a command shows

SHOWN: dict[str, list[str]] = {
    "%strata status": ["idle", "jupyter", "0.11.0"],
    "%strata config": ["personal", "0.11.0"],
    "%strata notebooks list": ["magics"],
    "%strata notebooks show": ["magics", "Cells"],
    "%strata sessions": ["magics"],
    "%strata cells": ["total", "pa, table"],
    "%strata dag": ["total = sum(table['n'].to_p…", "uses table of "],
    "%strata deps": ["pyarrow", "orjson"],
    "%strata deps list --all": ["cloudpickle"],
    "%strata env show": ["Python", "asked for"],
    "%strata env job": ["sync", "completed"],
    "%strata env export": ["pyarrow>="],
    "%strata workers": ["local", "healthy"],
    "%strata mounts": ["The notebook has no mounts."],
}


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_shows(line: str, ipython: Notebook) -> None:
    """Facts about the server and the notebook that cells run in."""
    text = ipython.run(line).value
    assert [word for word in SHOWN[line] if word not in text] == []


def test_the_graph_is_a_picture(ipython: Notebook) -> None:
    """In a notebook it is drawn."""
    [(_, content)] = ipython.run("%strata dag").messages
    assert content["data"]["text/html"].startswith("<svg ")


def test_what_is_shown_can_be_kept(ipython: Notebook) -> None:
    """The objects are those of the client."""
    ipython.run("found = %strata cells list")
    code = "{'table', 'total'} <= {name for c in found for name in c.defines}"
    assert ipython.run(code).value == "True"


def test_words_are_completed(ipython: Notebook) -> None:
    """Nouns and verbs, options, and what is on the server."""

    def offered(line: str) -> list[str]:
        reply = ipython.ask("complete_request", {"code": line, "cursor_pos": len(line)})
        matches: list[str] = reply["matches"]
        return matches

    assert "materialize" in offered("%strata mat")
    assert offered("%strata cells upd") == ["update"]
    assert "force" in offered("%strata cells run x --mode ")
    assert "magics" in offered("%strata notebooks open mag")


# Cells, packages, mounts, variables


def test_a_cell_is_made_run_and_deleted(ipython: Notebook) -> None:
    """By its id, on the server alone."""
    ipython.run("made = %strata cells add 'print(5); 6'")
    assert "Source" in ipython.run("made").value
    result = ipython.run("%strata cells run {made.id} --mode force")
    assert result.text == "5\n"
    assert ipython.run("%strata cells update {made.id} '1 / 0'").reply["status"] == "ok"
    assert "division by zero" in failure(ipython.run("%strata cells run {made.id} --mode force"))
    assert "was not running" in ipython.run("%strata cells cancel {made.id}").value
    assert ipython.run("%strata cells move {made.id}").reply["status"] == "ok"
    assert ipython.run("%strata cells delete {made.id} --yes").text.startswith("Deleted cell ")


def test_a_mount_comes_and_goes(ipython: Notebook, tmp_path: Path) -> None:
    """Cells see it as a path."""
    (tmp_path / "a.txt").write_text("in the folder")
    assert "file://" in ipython.run(f"%strata mounts add folder file://{tmp_path}").value
    shown = ipython.run("%%strata\nprint((folder / 'a.txt').read_text())")
    assert shown.text == "in the folder\n"
    assert ipython.run("%strata mounts remove folder").value == "The notebook has no mounts."


def test_packages_come_and_go(ipython: Notebook, tmp_path: Path) -> None:
    """With the stages of the work; a file of requirements shows first what it would change."""
    (tmp_path / "word.py").write_text("word = 'hello'\n")
    (tmp_path / "pyproject.toml").write_text(
        "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n"
        "[project]\nname = 'word'\nversion = '1'\n"
        "[tool.hatch.build.targets.wheel]\ninclude = ['word.py']\n"
    )
    result = ipython.run(f"%strata deps add 'word @ file://{tmp_path}'")
    assert "completed" in result.value
    assert ipython.run("%%strata\nimport word\nword.word").value == "'hello'"
    assert "completed" in ipython.run("%strata deps remove word").value
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pyarrow\norjson\ncloudpickle\n")
    preview = ipython.run(f"%strata env import {requirements} --preview")
    assert "pyarrow" in preview.value
    assert "could not be changed" in failure(ipython.run("%strata deps add no-such-package-here"))


def test_variables_there_and_back(ipython: Notebook) -> None:
    """Tables as Parquet and Arrow, other values in Python's notation."""
    ipython.run("%%strata\npair = {'k': (1, {2})}")
    assert ipython.run("%strata pull table total pair").reply["status"] == "ok"
    assert ipython.run("(len(table), total, pair)").value == "(100, 4950, {'k': (1, {2})})"
    ipython.run("import pyarrow as pa\nmine = [1, (2,)]\nsmall = pa.table({'a': [1, 2]})")
    assert ipython.run("%strata push mine small").reply["status"] == "ok"
    assert ipython.run("%%strata\n(mine, small.num_rows)").value == "([1, (2,)], 2)"


def test_rows_of_a_table(ipython: Notebook) -> None:
    """A page of it, sorted."""
    result = ipython.run("%strata data table --rows 2 --offset 1 --sort n --descending")
    assert result.text == "Rows 1 to 2 of 100.\n"
    assert result.value.splitlines() == ["n   m", "98  x", "97  x"]


def test_a_notebook_is_downloaded(ipython: Notebook, tmp_path: Path) -> None:
    """As a bundle of its files."""
    path = tmp_path / "bundle.zip"
    assert ipython.run(f"%strata export --to {path}").text.startswith("Wrote ")
    assert any(name.endswith("notebook.toml") for name in zipfile.ZipFile(path).namelist())


@pytest.fixture(scope="module")
def events(strata: StrataServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URI of a table with a thousand rows."""
    folder = tmp_path_factory.mktemp("warehouse")
    script = Path(__file__).with_name("warehouse.py")
    subprocess.run([strata.python, script, folder], check=True)
    return f"{folder.as_uri()}#db.events"


def test_a_table_is_materialized(ipython: Notebook, events: str, tmp_path: Path) -> None:
    """As an Arrow table, also into a file, and after a query."""
    path = tmp_path / "t.parquet"
    ipython.run(f"t = %strata materialize {events} --columns id --to {path}")
    assert ipython.run("(t.num_rows, t.column_names)").value == "(1000, ['id'])"
    assert path.stat().st_size > 0
    ipython.run(f"q = %strata materialize {events} --sql 'select max(value) m from input0'")
    assert ipython.run("q.to_pylist()").value == "[{'m': 499.5}]"


# Bad input

TROUBLE: dict[str, str] = {
    "%strata nope": "UsageError: There is no `%strata nope`.",
    "%strata cells add 'x": "UsageError: No closing quotation.",
    "%strata cells show 00000000": "UsageError: There is no cell '00000000'.",
    "%strata notebooks open nothing": "UnknownNameError: There is no notebook 'nothing'.",
    "%strata notebooks create magics": "NameTakenError: ",
    "%strata notebooks create ''": "ConfigError: The notebook's name is empty.",
    "%strata sessions close nothing": "SessionClosedError: ",
    "%strata workers use nothing": "UsageError: There is no worker 'nothing'.",
    "%strata mounts remove nothing": "UsageError: There is no mount 'nothing'.",
    "%strata env import nothing.txt": "ConfigError: nothing.txt cannot be read",
    "%strata pull nothing": "UnknownNameError: The notebook has no variable 'nothing'.",
    "%strata push nothing": "UnknownNameError: There is no variable 'nothing' here.",
    "%strata push ipython_object --to x": "UnknownNameError: ",
    "%strata data total": "UnsupportedError: total is no table.",
    "%strata ai status": "UnsupportedError: Strata 0.11.0 has no AI assistant.",
    "%strata materialize file:///nowhere#db.t": "NotFoundError: ",
    "%strata stream nothing": "NotFoundError: ",
    "%strata start elsewhere": "SessionError: The notebook ",
}


@pytest.mark.parametrize("line", TROUBLE)
def test_trouble_is_one_line(line: str, ipython: Notebook) -> None:
    """What is wrong, then what to do."""
    assert failure(ipython.run(line)).startswith(TROUBLE[line])


def test_an_object_cannot_be_sent(ipython: Notebook) -> None:
    """What would not be the same there is refused."""
    ipython.run("odd = object()")
    assert failure(ipython.run("%strata push odd")).startswith(
        "UnsupportedError: A object cannot be sent to Strata."
    )
    ipython.run("%%strata\nclass C: pass\nodd = C()")
    assert failure(ipython.run("%strata pull odd")).startswith("UnsupportedError: odd is neither")


def test_life_by_magic(strata: StrataServer) -> None:
    """Start, use, restart, stop, attach, in a kernel of its own."""
    with open_notebook(ARGV, {"STRATA_URL": strata.url}) as notebook:
        notebook.run("%load_ext deepnote_magics")
        assert "not open" in notebook.run("%strata status").value
        assert failure(notebook.run("%strata cells")).startswith("UsageError: No notebook is open.")
        assert "Next: notebook by-magic" in notebook.run("%strata use by-magic").text
        assert "by-magic" in notebook.run("%strata start --mode jupyter").value
        notebook.run("%%strata\nx = 1")
        notebook.run("%strata restart")
        assert notebook.run("%%strata\nx").reply["ename"] == "NameError"
        notebook.run("%%strata\nx = 2")
        assert notebook.run("%strata stop").text == "The notebook is closed.\n"
        assert notebook.run("%%strata\nx").reply["ename"] == "SessionGoneError"
        notebook.run("%strata attach by-magic")
        assert notebook.run("%%strata\nx").value == "2"
        assert notebook.run("%unload_ext deepnote_magics").reply["status"] == "ok"


# In a shell


@pytest.fixture
def shell(
    strata: StrataServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Run ``jupyter deepnote strata …`` in this process; gives status, output and errors."""
    monkeypatch.setenv("STRATA_URL", strata.url)

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["strata", *words])
        return status, *capsys.readouterr()

    return run


def test_a_notebook_by_shell(shell: Any) -> None:
    """Created, filled, listed and deleted."""
    assert shell("notebooks", "create", "by shell")[0] == 0
    assert shell("cells", "add", "x = 1", "--notebook", "by shell")[0] == 0
    status, out, _ = shell("cells", "list", "--notebook", "by shell", "--json")
    assert (status, [cell["source"] for cell in json.loads(out)]) == (0, ["x = 1"])
    assert "x = 1" in shell("dag", "--notebook", "by shell")[1]
    status, _, err = shell("notebooks", "delete", "by shell")
    assert (status, err.endswith("Nobody can be asked here. Agree with --yes.\n")) == (2, True)
    # Its environment is still being made, and it is not deleted meanwhile.
    wait_until(lambda: shell("notebooks", "delete", "by shell", "--yes")[0] == 0)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["cells"], 2),
        (["cells", "list", "--notebook", "nothing"], 4),
        (["notebooks", "nope"], 2),
        (["ai", "status", "--notebook", "magics"], 1),
        (["config", "--url", "http://127.0.0.1:1"], 6),
    ],
)
def test_exit_statuses(words: list[str], status: int, shell: Any, ipython: Notebook) -> None:
    """They are those of ``jupyter deepnote``; the message is one line that names the shell."""
    found, _, err = shell(*words)
    assert found == status
    assert err.startswith("jupyter deepnote strata: ")
    assert err.count("\n") == 1
    assert "%strata" not in err
    assert "cell first" not in err


# The assistant


def test_the_assistant_answers(tmp_path: Path) -> None:
    """On the last version that has one."""
    python = server_python("STRATA_0_7_PYTHON")
    with serve(assistant.app()) as provider:
        older = run_strata(python, tmp_path, **assistant.environ(provider))
        with older as server, open_notebook(ARGV, {"STRATA_URL": server.url}) as notebook:
            notebook.run("%load_ext deepnote_magics")
            assert notebook.run("%%strata\n6 * 7").value == "42"
            assert "available" in notebook.run("%strata ai status").value
            assert assistant.MODEL in notebook.run("%strata ai models").value
            assert notebook.run("%strata ai use other-model").reply["status"] == "ok"
            told = notebook.run("%strata ai ask 'What is this?'").text
            assert told.strip()
            whole = notebook.run("%strata ai ask 'What is this?' --whole")
            assert whole.reply["status"] == "ok"
            assert "Job" in notebook.run("%strata ai agent 'Add a cell'").value
            assert notebook.run("%strata ai reset").text.startswith("The assistant has forgotten")

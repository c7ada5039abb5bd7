"""Runs of notebooks, from a shell."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import nbformat
import pytest

from deepnote_kernel.snapshot import load
from tests.integration.commands.conftest import make_place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.commands.conftest import Done, Place, Shell
    from tests.integration.conftest import Server

CODE = """
import sys
from IPython.display import HTML, display
print('rate', rate, name)
print('careful', file=sys.stderr)
display(HTML('<b>bold</b>'))
{'answer': 42}
"""


@pytest.fixture(scope="module")
def report(server: Server) -> Place:
    """A project whose notebook takes two inputs and shows all kinds of output."""
    place = make_place(server)
    place.add("", "input-slider", deepnote_variable_name="rate", deepnote_variable_value="3")
    place.add("", "input-text", deepnote_variable_name="name", deepnote_variable_value="")
    place.add(CODE)
    return place


@pytest.fixture(scope="module")
def broken(server: Server) -> Place:
    """A project whose notebook fails."""
    place = make_place(server)
    place.add("print('before')")
    place.add("1 / 0")
    place.add("print('after')")
    return place


def _run_id(done: Done) -> str:
    return next(line.split()[1] for line in done.out.splitlines() if line.startswith("Run "))


def test_a_run_shows_its_outputs(shell: Shell, report: Place) -> None:
    """Results and prints go to stdout, what goes to stderr there goes to stderr here."""
    done = shell("run", report.notebook_id, "--input", "rate=7", "-i", "name=a b")
    assert done.status == 0
    assert "rate 7 a b\n" in done.out
    assert "{'answer': 42}" in done.out
    assert done.err == "careful\n"
    assert "State" in done.out
    assert "success" in done.out


def test_a_run_is_written_to_files(shell: Shell, report: Place, tmp_path: Path) -> None:
    """As a Jupyter notebook with its outputs, and later as the document itself."""
    target = tmp_path / "out.ipynb"
    done = shell("run", report.notebook_id, "--to", str(target))
    assert f"Wrote {target}.\n" in done.err
    notebook = nbformat.read(target, as_version=4)
    nbformat.validate(notebook)
    kinds = [output["output_type"] for output in notebook.cells[-1]["outputs"]]
    assert kinds == ["stream", "stream", "display_data", "execute_result"]
    document = tmp_path / "out.deepnote"
    assert shell("runs", "snapshot", _run_id(done), "--to", str(document)).status == 0
    assert load(document.read_text()).project.name == report.name


def test_json_leaves_stdout_to_the_run(shell: Shell, report: Place) -> None:
    """What the notebook prints is shown on stderr; the snapshot's address is not told."""
    done = shell("run", report.notebook_id, "--json")
    assert done.json["status"] == "success"
    assert done.json["snapshotDownloadUrl"] == ""
    assert "rate 3" in done.err


def test_a_run_that_fails(shell: Shell, broken: Place) -> None:
    """What came before is shown, then the remote error; the status is that of failed code."""
    done = shell("run", broken.notebook_id)
    assert done.status == 7
    assert done.out == "before\n"
    assert "Traceback" in done.err
    assert done.err.splitlines()[-1] == (
        "jupyter deepnote run: ZeroDivisionError: division by zero"
    )


def test_a_failed_run_is_looked_at_again(shell: Shell, broken: Place) -> None:
    """It is listed with its state, shown with its error, and its outputs are there."""
    shell("run", broken.notebook_id)
    (listed,) = shell("runs", "list", broken.notebook_id, "--limit", "1", "--json").json
    assert listed["status"] == "error"
    shown = shell("runs", "show", listed["runId"])
    assert shown.status == 0
    assert "ZeroDivisionError" in shown.out
    assert "http" not in shown.out
    assert shell("runs", "snapshot", listed["runId"]).status == 7


def test_no_wait(shell: Shell, report: Place) -> None:
    """The run's id is there at once, to look after it."""
    done = shell("run", report.notebook_id, "--no-wait", "--json")
    assert done.status == 0
    assert shell("runs", "show", done.json["runId"]).status == 0


def test_a_wait_that_is_too_long(shell: Shell, place: Place) -> None:
    """Waiting ends, the run does not; the line names it."""
    place.add("import time; time.sleep(60)")
    done = shell("run", place.notebook_id, "--timeout", "0.2")
    assert done.status == 1
    (listed,) = shell("runs", "list", place.notebook_id, "--json").json
    assert listed["runId"] in done.err
    assert listed["status"] in {"pending", "running"}
    assert "it goes on" in done.err


def test_the_snapshot_of_a_run_that_goes_on(shell: Shell, place: Place) -> None:
    """There is none yet, and the line says when there will be."""
    place.add("import time; time.sleep(60)")
    run_id = shell("run", place.notebook_id, "--no-wait", "--json").json["runId"]
    done = shell("runs", "snapshot", run_id)
    assert done.status == 1
    assert "Its snapshot comes with its end." in done.err


def test_a_file_that_cannot_be_written(shell: Shell, report: Place, tmp_path: Path) -> None:
    """The line names it; the run stays, with its outputs."""
    target = tmp_path / "folder.ipynb"
    target.mkdir()
    done = shell("run", report.notebook_id, "--to", str(target))
    assert done.status == 1
    assert f"{target} cannot be written" in done.err


def test_single_blocks_run_live(shell: Shell, place: Place) -> None:
    """In the project's machine, with those that depend on them."""
    place.add("print('first')")
    chosen = place.add("x = 6; print('second')")
    place.add("print('third', x * 7)")
    done = shell("run", place.notebook_id, "--live", "--block", chosen, "--downstream")
    assert done.status == 0, done.err
    assert "first" not in done.out
    assert "second\nthird 42\n" in done.out


def test_a_run_in_a_session(shell: Shell, report: Place, server: Server) -> None:
    """Its kernel keeps what the run has left there."""
    with server.client() as client:
        body = {"notebookId": report.notebook_id}
        session = client.post("/v2/sessions", json=body).json()["session"]
        words = ("run", report.notebook_id, "--session", session["id"], "--input", "rate=5")
        deadline = time.monotonic() + 30
        while (done := shell(*words)).status == 5 and time.monotonic() < deadline:
            assert "busy" in done.err or "running" in done.err  # with the session's first run
        assert done.status == 0, done.err
        assert "rate 5" in done.out
        code = {**body, "code": "print(rate)", "timeoutMs": 10_000}
        answer = client.post(f"/v2/sessions/{session['id']}/execute", json=code)
        assert answer.json()["outputs"][0]["text"] == "5\n"
        client.delete(f"/v2/sessions/{session['id']}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--block", "b"], "Add --live, or --session."),
        (["--live", "--session", "s"], "Give --live or --session, not both."),
        (["--live", "--downstream"], "Name it with --live --block."),
        (["--live", "--storage-mode", "readonly"], "Leave out --storage-mode and --machine."),
        (["--session", "s", "--machine", "m"], "Leave out --storage-mode and --machine."),
        (["--to", "out.txt"], "ends in .ipynb or .deepnote"),
        (["--to", "no-such-folder/out.ipynb"], "There is no folder no-such-folder."),
        (["--input", "rate"], "NAME=VALUE"),
        (["--input", "speed=3"], "It has rate, name."),
        (["--input", "rate=fast"], "It must be a number."),
    ],
)
def test_a_mistake_starts_nothing(
    shell: Shell, report: Place, options: list[str], message: str
) -> None:
    """The line says what would have been right."""
    before = len(shell("runs", "list", report.notebook_id, "--json").json)
    done = shell("run", report.notebook_id, *options)
    assert done.status == 2
    assert message in done.err
    assert len(shell("runs", "list", report.notebook_id, "--json").json) == before


def test_a_late_snapshot(shell: Shell, report: Place, fault: Callable[..., None]) -> None:
    """Outputs may come after the end of the run; they are waited for."""
    fault(path="/v2/runs/*", effect="late_snapshot", seconds=1.0)
    assert "rate 3" in shell("run", report.notebook_id).out


def test_a_snapshot_that_never_comes(
    shell: Shell, report: Place, broken: Place, fault: Callable[..., None]
) -> None:
    """The wait has an end: a good run stays good, a bad one bad, and a line says what lacks."""
    fault(path="/v2/runs/*", effect="late_snapshot", seconds=1000.0)
    done = shell("run", report.notebook_id, "--snapshot-wait", "0.1")
    assert done.status == 0
    assert "has not come after 0.1 s" in done.err
    assert shell("runs", "snapshot", _run_id(done), "--snapshot-wait", "0").status == 1
    failed = shell("run", broken.notebook_id, "--snapshot-wait", "0.1")
    assert failed.status == 7
    assert "ended as error: ZeroDivisionError" in failed.err


def test_a_run_without_code(shell: Shell, place: Place) -> None:
    """It has no snapshot, which is no mistake."""
    place.add("Just text.", "markdown")
    done = shell("run", place.notebook_id)
    assert done.status == 0
    assert "has no snapshot" in done.err


def test_a_run_is_not_repeated(shell: Shell, report: Place, fault: Callable[..., None]) -> None:
    """Where no answer came, it may run: the line says so, and nothing is sent again."""
    before = len(shell("runs", "list", report.notebook_id, "--json").json)
    fault(method="POST", path="/v2/runs", effect="drop", when="after")
    done = shell("run", report.notebook_id)
    assert done.status == 6
    assert "may have been carried out" in done.err
    assert len(shell("runs", "list", report.notebook_id, "--json").json) == before + 1


def test_outputs_are_those_of_the_document(shell: Shell, report: Place, tmp_path: Path) -> None:
    """The display's HTML, which a terminal cannot show, is in the file."""
    target = tmp_path / "out.ipynb"
    shell("run", report.notebook_id, "--to", str(target))
    assert "<b>bold</b>" in json.dumps(json.loads(target.read_text()))

"""``%deepnote`` with every noun, in a notebook."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.commands.conftest import make_place
from tests.integration.conftest import run_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.commands.conftest import Place
    from tests.integration.conftest import Notebook, Ran, Server

CODE = """
from IPython.display import HTML, display
print('rate', rate)
display(HTML('<b>bold</b>'))
[1, 2, 3]
"""


@pytest.fixture(scope="module")
def sales(server: Server) -> Place:
    """A project whose notebook takes an input."""
    place = make_place(server)
    place.add("", "input-slider", deepnote_variable_name="rate", deepnote_variable_value="3")
    place.add(CODE)
    return place


@pytest.fixture(scope="module")
def kernel(server: Server) -> Iterator[Notebook]:
    """A notebook on ipykernel with the extension loaded."""
    environ = {"DEEPNOTE_BASE_URL": server.url, "DEEPNOTE_TOKEN": server.token}
    with run_kernel("python3", environ) as running:
        assert running.run("%load_ext deepnote_magics").status == "ok"
        yield running


def _html(ran: Ran) -> str:
    html: str = ran.contents("execute_result")[-1]["data"]["text/html"]
    return html


def _complete(kernel: Notebook, code: str) -> list[str]:
    """Press the tab key at the end of a line."""
    kernel.client.complete(code)
    found: list[str] = kernel.client.get_shell_msg(timeout=10)["content"]["matches"]
    return found


def test_a_listing_is_a_table(kernel: Notebook, sales: Place) -> None:
    """HTML for the notebook, aligned text for whoever cannot show it."""
    ran = kernel.run(f"%deepnote projects --name '{sales.name}'")
    assert f">{sales.name}</td>" in _html(ran)
    assert "<th" in _html(ran)
    assert ran.result.splitlines()[0].split() == ["Project", "Notebooks", "Changed", "Id"]


def test_a_listing_is_objects(kernel: Notebook, sales: Place) -> None:
    """What was assigned can be used."""
    ran = kernel.run(f"found = %deepnote projects list --name '{sales.name}'")
    assert ran.messages == []
    assert kernel.run("[type(p).__name__, len(p.notebooks)] if (p := found[0]) else 0").result == (
        "['Project', 1]"
    )


def test_a_run_is_replayed(kernel: Notebook, sales: Place) -> None:
    """A line of progress, then the outputs as the notebook's own, then how it went."""
    ran = kernel.run(f"%deepnote run {sales.notebook_id} --input rate=9")
    assert ran.status == "ok", ran.reply
    assert ran.text() == "rate 9\n"
    bundles = [content["data"] for content in ran.contents("display_data")]
    assert bundles[0]["text/plain"].startswith(f"Deepnote: run {sales.notebook_id}: ")
    assert [bundle["text/html"] for bundle in bundles[1:2]] == ["<b>bold</b>"]
    assert "[1, 2, 3]" in [bundle["text/plain"] for bundle in bundles] + [
        content["data"]["text/plain"] for content in ran.contents("execute_result")
    ]
    last = ran.contents("update_display_data")[-1]["data"]["text/plain"]
    assert re.search(r": done after \d+ s$", last)
    assert '<span style="color: #2f9e62">●</span> success' in _html(ran)


def test_a_run_is_an_object(kernel: Notebook, sales: Place, tmp_path: Path) -> None:
    """And a file, where one is wanted; no address of a snapshot is in what is shown."""
    target = tmp_path / "out.ipynb"
    kernel.run(f"r = %deepnote run {sales.notebook_id} --to {target}")
    assert kernel.run("r.status").result == "'success'"
    assert kernel.run("[r, repr(r.value), r.snapshot_download_url]").result.count("http") == 0
    cells = json.loads(target.read_text())["cells"]
    assert [cell["cell_type"] for cell in cells] == ["code", "code"]
    listed = kernel.run(f"runs = %deepnote runs list {sales.notebook_id}\nruns[0].id == r.id")
    assert listed.result == "True"
    shown = kernel.run("%deepnote runs snapshot " + kernel.run("r.id").result)
    assert shown.text() == "rate 3\n"


def test_a_failed_run_fails_the_cell(kernel: Notebook, server: Server) -> None:
    """Under the name the error has on the far side, with its traceback and none of ours."""
    place = make_place(server)
    place.add("def f():\n    1 / 0\nf()")
    ran = kernel.run(f"%deepnote run {place.notebook_id}")
    assert ran.reply["ename"] == "ZeroDivisionError"
    assert "f()" in ran.traceback
    assert "deepnote_kernel" not in ran.traceback
    assert len(ran.contents("error")) == 1


def test_a_run_that_is_no_longer_waited_for(kernel: Notebook, server: Server) -> None:
    """The stop button ends the wait; the run goes on, and a line says so."""
    place = make_place(server)
    place.add("import time; time.sleep(60)")

    def on_message(message: dict[str, Any]) -> None:
        if message["msg_type"] == "update_display_data":
            kernel.manager.interrupt_kernel()

    ran = kernel.run(f"%deepnote run {place.notebook_id}", on_message=on_message)
    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert "it goes on" in ran.text()


def test_files_there_and_back(kernel: Notebook, sales: Place, tmp_path: Path) -> None:
    """A line tells the path the server gave, which is another where the first was taken."""
    source, target = tmp_path / "a.csv", tmp_path / "b.csv"
    source.write_text("x,y\n")
    kernel.run(f"%deepnote files put {sales.id} {source}")
    ran = kernel.run(f"stored = %deepnote files put {sales.id} {source}")
    assert "'a.csv' is taken" in ran.text()
    assert kernel.run("stored[0].path != 'a.csv'").result == "True"
    kernel.run(f"%deepnote files get {sales.id} a.csv --to {target}")
    assert target.read_text() == "x,y\n"


def test_deleting_asks(kernel: Notebook, server: Server) -> None:
    """The question names what would be lost; no means no."""
    place = make_place(server)
    asked = kernel.run(f"%deepnote projects delete '{place.name}'", answers=iter(["n"]))
    assert asked.reply["ename"] == "DeclinedError"
    agreed = kernel.run(f"%deepnote projects delete '{place.name}'", answers=iter(["y"]))
    assert agreed.status == "ok"
    assert place.name in agreed.text()


def test_nobody_to_ask(kernel: Notebook, sales: Place) -> None:
    """Where a notebook is executed as a whole, the line says how to agree."""
    ran = kernel.run(f"%deepnote projects delete {sales.id}")
    assert ran.reply["ename"] == "UsageError"
    assert "--yes" in ran.reply["evalue"]


@pytest.mark.parametrize(
    ("line", "ename"),
    [
        ("projects nonsense", "UsageError"),
        ("projects show", "UsageError"),
        ("projects show 'No such'", "UnknownNameError"),
        ("runs show 00000000-0000-4000-8000-000000000000", "NotFoundError"),
        ("run {notebook} --input rate=fast", "UsageError"),
        ("notebooks create {project} 'Notebook 1'", "ConflictError"),
        ("notebooks delete {notebook} --yes", "ConflictError"),
        ("notebooks schedule {notebook} nonsense", "BadRequestError"),
        ("notebooks unschedule {notebook}", "NotFoundError"),
        ("files get {project} not-there.csv", "NotFoundError"),
        ("files put {project} not-there.csv", "LocalFileError"),
    ],
)
def test_a_mistake_fails_the_cell_in_one_line(
    kernel: Notebook, sales: Place, line: str, ename: str
) -> None:
    """The error has a name to catch it by, and no traceback of ours."""
    ran = kernel.run("%deepnote " + line.format(project=sales.id, notebook=sales.notebook_id))
    assert ran.reply["ename"] == ename, ran.reply
    assert "\n" not in ran.traceback.strip()


def test_no_rights(kernel: Notebook, fault: Callable[..., None]) -> None:
    """The server refuses, and the cell says so."""
    fault(path="/v2/me", effect="status", status=403)
    assert kernel.run("%deepnote me").reply["ename"] == "PermissionDeniedError"


@pytest.mark.parametrize(
    "line",
    [
        "me",
        "projects",
        "projects show {project}",
        "notebooks",
        "notebooks show {notebook}",
        "blocks list {notebook}",
        "runs list {notebook}",
        "files list {project}",
        "machines",
        "machines show {project}",
        "integrations",
        "sessions",
    ],
)
def test_everything_shows_itself(kernel: Notebook, sales: Place, line: str) -> None:
    """As HTML and as text."""
    ran = kernel.run("%deepnote " + line.format(project=sales.id, notebook=sales.notebook_id))
    assert ran.status == "ok", ran.reply
    assert _html(ran).startswith("<")
    assert ran.result


def test_names_are_completed(kernel: Notebook, sales: Place) -> None:
    """Names with blanks come in quotation marks."""
    begun = sales.name[:-2]
    assert _complete(kernel, f"%deepnote projects show '{begun}") == [f"'{sales.name}'"]
    assert _complete(kernel, f"r = %deepnote run {sales.notebook_id[:20]}") == [sales.notebook_id]
    assert "--storage-mode" in _complete(kernel, f"%deepnote run {sales.notebook_id} --st")


def test_help(kernel: Notebook) -> None:
    """``%deepnote help NOUN`` lists its verbs."""
    shown = kernel.run("%deepnote help runs").text()
    assert shown.startswith("usage: %deepnote runs")
    assert "snapshot  show the outputs of a run" in shown


def test_commands_need_no_session(notebook: Notebook, sales: Place, server: Server) -> None:
    """In a Deepnote kernel they are answered here: no machine is started for a question."""
    with server.client() as client:
        before = client.get("/v2/sessions").json()["sessions"]
        ran = notebook.run(f"found = %deepnote notebooks list --project {sales.id}")
        assert ran.status == "ok", ran.reply
        shown = notebook.run("%deepnote notebooks show {found[0].id}")
        assert "rate (slider)" in shown.result
        assert client.get("/v2/sessions").json()["sessions"] == before

"""The examples do what they show."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.integration.conftest import run_kernel, run_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import Notebook, Server

EXAMPLES = Path(__file__).parents[2] / "examples"
STORED = ["training", "moving-data", "runs"]
"""Those that are stored with their outputs."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server started as the example about runs says."""
    document = str(EXAMPLES / "wine_report.deepnote")
    with run_server(tmp_path_factory.mktemp("server"), "--from", document) as running:
        yield running


def _outputs(notebook: Any) -> list[list[Any]]:
    """Return what the code cells of a notebook show, without what is another each time."""
    return [list(_shown(cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]


def _shown(outputs: list[Any]) -> Iterator[tuple[str, ...]]:
    for stream, group in itertools.groupby(outputs, key=lambda output: output.get("name", "")):
        if stream:
            text = "".join(output.text for output in group).rstrip("\n")
            yield ("stream", stream, _without_numbers(text.rpartition("\r")[2]))  # a bar's end
            continue
        for output in group:
            if output.output_type == "error":
                yield ("error", output.ename, output.evalue)
            else:
                text = _without_numbers(output.data["text/plain"])
                yield (output.output_type, *sorted(output.data), text)


def _without_numbers(text: str) -> str:
    """Leave out ids, times, measures and the space they take."""
    text = re.sub(r"\b[0-9a-f-]{32,36}\b", "#", text)
    return re.sub(r"\s+", " ", re.sub(r"[\d.,:#]+", "#", text))


def _execute(notebook: Any, folder: Path, **environ: str) -> None:
    NotebookClient(
        notebook,
        timeout=60,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    ).execute(env={**os.environ, **environ})


@pytest.mark.parametrize("name", STORED)
def test_an_example_shows_what_it_is_stored_with(name: str, server: Server, tmp_path: Path) -> None:
    """Cell by cell the same kinds of output, and the same words."""
    stored = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    executed = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    environ = {"DEEPNOTE_BASE_URL": server.url, "DEEPNOTE_TOKEN": server.token}
    _execute(executed, tmp_path, **(environ if name == "runs" else {}))
    assert _outputs(executed) == _outputs(stored)


def test_the_training_can_be_longer(tmp_path: Path) -> None:
    """The plot is drawn anew as the loop goes on; it is one output in the end."""
    notebook = nbformat.read(EXAMPLES / "training.ipynb", as_version=4)
    loop = next(cell for cell in notebook.cells if cell.id == "loop")
    before = loop.outputs[0].data["image/png"]
    next(cell for cell in notebook.cells if cell.id == "epochs").source = "epochs = 12"
    _execute(notebook, tmp_path)
    plots = [output for output in loop.outputs if "data" in output]
    assert len(plots) == 1
    assert plots[0].data["image/png"] != before
    assert "12/12" in loop.outputs[-1].text


class Widgets:
    """The widgets of a notebook, as a front end that draws them knows them."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self._models: dict[str, list[str]] = {}

    def run(self, code: str) -> None:
        """Run a cell, and remember the widgets it makes."""
        ran = self.notebook.run(code)
        assert ran.status == "ok", ran.reply
        for opened in ran.contents("comm_open"):
            model = opened["data"]["state"]["_model_name"]
            self._models.setdefault(model, []).append(opened["comm_id"])

    def touch(self, model: str, **data: Any) -> None:
        """Send a message of the first widget of a kind."""
        session = self.notebook.client.session
        content = {"comm_id": self._models[model][0], "data": data}
        channel: Any = self.notebook.client.shell_channel
        session.send(channel.socket, session.msg("comm_msg", content))

    def wait_for(self, is_wanted: Callable[[str, dict[str, Any]], bool]) -> None:
        """Wait until a message of the kernel is as it should be."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            message = self.notebook.client.get_iopub_msg(timeout=30)
            if is_wanted(message["msg_type"], message["content"]):
                return
        pytest.fail("the widget does not react")


@pytest.fixture(scope="module")
def widgets() -> Iterator[Widgets]:
    """The example about widgets, all of whose cells have run."""
    with run_kernel("deepnote-local", {}) as kernel:
        found = Widgets(kernel)
        for cell in nbformat.read(EXAMPLES / "widgets.ipynb", as_version=4).cells:
            if cell.cell_type == "code":
                found.run(cell.source)
        yield found


def test_a_slider_asks_for_a_score(widgets: Widgets) -> None:
    """The function is called with the slider's value."""
    widgets.touch("IntSliderModel", method="update", state={"value": 9}, buffer_paths=[])
    widgets.wait_for(lambda _, content: "9 neighbours: 9" in str(content.get("text")))


def test_a_slider_draws(widgets: Widgets) -> None:
    """A new plot comes for each place of the slider."""
    widgets.touch("FloatSliderModel", method="update", state={"value": 3.0}, buffer_paths=[])
    widgets.wait_for(
        lambda kind, content: kind == "display_data" and "image/png" in content["data"]
    )


def test_a_button_fills_a_bar(widgets: Widgets) -> None:
    """The label tells the result when the bar is full."""
    widgets.touch("ButtonModel", method="custom", content={"event": "click"})
    widgets.wait_for(lambda _, content: "'value': 200" in str(content.get("data")))
    widgets.wait_for(lambda _, content: "mean alcohol between 12." in str(content.get("data")))


def test_a_report_every_night(tmp_path: Path) -> None:
    """The script writes a report for each parameter."""
    environ = {**os.environ, "KERNEL": "deepnote-local"}
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]])
    done = subprocess.run(
        [EXAMPLES / "nightly.sh", tmp_path / "reports"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lasts = [
        nbformat.read(path, as_version=4).cells[-1].outputs[0].text
        for path in sorted(tmp_path.glob("reports/*.ipynb"))
    ]
    assert [last.partition(",")[0] for last in lasts] == ["alpha=0.1", "alpha=1", "alpha=10"]


def test_a_night_that_fails(tmp_path: Path) -> None:
    """A kernel that cannot run the cells fails the job."""
    environ = {**os.environ, "KERNEL": "deepnote"}
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]])
    command = [EXAMPLES / "nightly.sh", tmp_path]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "There is no API key for Deepnote." in done.stderr


def test_every_example_is_listed() -> None:
    """The page about the examples links each of them."""
    linked = re.findall(r"\]\(([\w.-]+)\)", (EXAMPLES / "README.md").read_text())
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"} == set(
        linked
    )

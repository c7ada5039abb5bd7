"""``DeepnoteCloudRunner`` of deepnote-toolkit, the strictest reader of runs and inputs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.clients.conftest import TIMEOUT_S, input_block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.integration.conftest import Server

JSON = dict[str, Any]

SCRIPT = Path(__file__).with_name("cloud_runner.py")

# Else it tells a Deepnote machine that is not there, for a second each, which packages it lacks.
ENVIRON = {"DEEPNOTE_RUNTIME__RUNNING_IN_DETACHED_MODE": "true"}

INPUTS = {
    "text": input_block("text", "text", "a", deepnote_input_label="A text"),
    "area": input_block("textarea", "area", "b"),
    "flag": input_block("checkbox", "flag", value=True),
    "one": input_block("select", "one", "x", deepnote_variable_options=["x", "y"]),
    "many": input_block(
        "select",
        "many",
        ["x"],
        deepnote_variable_options=["x", "y"],
        deepnote_allow_multiple_values=True,
    ),
    "number": input_block(
        "slider", "number", "3", deepnote_slider_max_value=9, deepnote_slider_step=0.5
    ),
    "day": input_block("date", "day", "2026-01-02", deepnote_input_date_version=2),
    "span": input_block("date-range", "span", ["2026-01-02", "2026-01-03"]),
    "file": input_block("file", "file", ""),
}


@pytest.fixture
def ask(programs: Path, server: Server) -> Callable[..., JSON]:
    """Ask the runner about a notebook, or run it where inputs are given."""

    def call(notebook_id: str, inputs: JSON | None = None, **options: Any) -> JSON:
        options = {
            "notebook_id": notebook_id,
            "base_url": server.url,
            "token": server.token,
            "poll_interval": 0.05,
            **options,
        }
        done = subprocess.run(
            [programs / "python", SCRIPT],
            input=json.dumps({"options": options, "inputs": inputs}),
            env={**os.environ, **ENVIRON},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: JSON = json.loads(done.stdout)
        return answer

    return call


def new_notebook(new_project: Any, *blocks: str | JSON) -> str:
    """Create a notebook of the given blocks; return its id."""
    notebook_id: str = new_project(*blocks)["project"]["notebooks"][0]["id"]
    return notebook_id


def texts(result: JSON) -> list[str]:
    """Return what the blocks of a run printed."""
    return [output["raw"]["text"] for output in result["outputs"]]


def test_the_inputs_of_a_notebook_are_described(ask: Any, new_project: Any) -> None:
    """Their names, types and values, and what bounds them."""
    info = ask(new_notebook(new_project, *INPUTS.values()))
    described = {each["variable_name"]: each for each in info["inputs"]}
    assert info["notebook"] == "Notebook 1"
    assert {name: (each["type"], each["value"]) for name, each in described.items()} == {
        name: (block["type"], block["metadata"]["deepnote_variable_value"])
        for name, block in INPUTS.items()
    }
    assert described["text"]["label"] == "A text"
    assert (described["one"]["options"], described["one"]["multiple"]) == (["x", "y"], False)
    assert described["many"]["multiple"] is True
    number = described["number"]
    assert (number["min"], number["max"], number["step"]) == (0, 9, 0.5)


def test_a_notebook_runs_with_inputs_of_every_type(ask: Any, new_project: Any) -> None:
    """What the runner sends arrives as the Python value that type stands for."""
    code = (
        "print(text, area, flag, one, many, number, day, ' '.join(map(str, span)), file, sep='\\n')"
    )
    notebook_id = new_notebook(new_project, *INPUTS.values(), code)
    result = ask(
        notebook_id,
        {
            "text": "é",
            "area": "1\n2",
            "flag": False,
            "one": "y",
            "many": ["y", "x"],
            "number": 4.5,
            "day": "2026-05-06",
            "span": ["2026-05-06", "2026-05-07"],
            "file": "data/in.csv",
        },
        storage_mode="readonly",
    )
    assert (result["success"], result["status"], result["error"]) == (True, "success", None)
    assert texts(result) == [
        "é\n1\n2\nFalse\ny\n['y', 'x']\n4.5\n2026-05-06\n2026-05-06 2026-05-07\ndata/in.csv\n"
    ]


def test_stored_values_stand_where_none_are_given(ask: Any, new_project: Any) -> None:
    """A run without inputs is a run of the notebook as it is."""
    notebook_id = new_notebook(new_project, INPUTS["text"], INPUTS["number"], "print(text, number)")
    assert texts(ask(notebook_id, {})) == ["a 3\n"]


def test_a_failing_block_fails_the_run(ask: Any, new_project: Any) -> None:
    """The result says so, with the outputs up to the error and its traceback."""
    notebook_id = new_notebook(new_project, "print('before')\n1 / 0", "print('after')")
    result = ask(notebook_id, {})
    assert (result["success"], result["status"]) == (False, "error")
    first, second = (output["raw"] for output in result["outputs"])
    assert first["text"] == "before\n"
    assert (second["output_type"], second["ename"]) == ("error", "ZeroDivisionError")


@pytest.mark.parametrize("inputs", [None, {}], ids=["info", "run"])
def test_an_unknown_notebook_is_refused(ask: Any, inputs: JSON | None) -> None:
    """With 404 or 400, as the call has it; the words are the same."""
    assert "Notebook not found" in ask("nonesuch", inputs)["refused"]


def test_an_unknown_input_is_refused(ask: Any, new_project: Any) -> None:
    """The message names it."""
    refused = ask(new_notebook(new_project), {"nonesuch": "1"})["refused"]
    assert 'Input "nonesuch" is not defined for this notebook' in refused


def test_a_wrong_token_is_refused(ask: Any, new_project: Any) -> None:
    """In the server's words."""
    assert "Unauthorized" in ask(new_notebook(new_project), token="wrong")["refused"]


def test_a_run_may_outlast_its_caller(ask: Any, new_project: Any, client: httpx.Client) -> None:
    """The caller gives up after its own time; the run goes on."""
    notebook_id = new_notebook(new_project, "import time; time.sleep(60)")
    refused = ask(notebook_id, {}, timeout=1)["refused"]
    assert "did not finish in 1 seconds" in refused
    (run,) = client.get(f"/v2/notebooks/{notebook_id}/runs").json()["runs"]
    assert run["status"] in {"pending", "running"}


@pytest.fixture
def fault(client: httpx.Client) -> Iterator[Callable[..., None]]:
    """Put a fault in force on questions about runs, until the end of the test."""
    fault_ids = []

    def add(**body: Any) -> None:
        answer = client.post("/faults", json={"method": "GET", "path": "/v2/runs/*", **body})
        fault_ids.append(answer.json()["fault"]["id"])

    yield add
    for fault_id in fault_ids:
        client.delete(f"/faults/{fault_id}")


def test_a_server_that_is_busy_for_a_moment_is_asked_again(
    ask: Any, new_project: Any, fault: Any
) -> None:
    """A poll that fails in passing costs the run nothing."""
    fault(effect="status", ordinals=[1, 2])
    assert texts(ask(new_notebook(new_project, "print('done')"), {})) == ["done\n"]


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.3, ("available", ["done\n"])), (3600, ("pending", []))]
)
def test_a_snapshot_may_come_late(
    ask: Any, new_project: Any, fault: Any, seconds: float, expected: tuple[str, list[str]]
) -> None:
    """The runner waits for it, up to the time it was given."""
    fault(effect="late_snapshot", seconds=seconds)
    result = ask(new_notebook(new_project, "print('done')"), {}, snapshot_timeout=2)
    assert result["success"] is True
    assert (result["snapshot_status"], texts(result)) == expected

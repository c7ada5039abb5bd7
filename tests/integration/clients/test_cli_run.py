"""``deepnote run --cloud``: what a person sees, and what has become of the notebook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from tests.integration.clients.conftest import input_block

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

JSON = dict[str, Any]

FIRST, SECOND = "print('first')", "print('second')"


def notebook_of(document: JSON) -> JSON:
    """Return the one notebook of a document."""
    (notebook,) = document["project"]["notebooks"]
    found: JSON = notebook
    return found


def printed(snapshot: Path) -> list[str]:
    """Return what the code blocks of a snapshot printed, in order."""
    blocks = notebook_of(yaml.safe_load(snapshot.read_text()))["blocks"]
    return [output["text"] for block in blocks for output in block.get("outputs", [])]


def test_a_notebook_runs_by_its_id(
    deepnote: Any, new_project: Any, client: httpx.Client, tmp_path: Path
) -> None:
    """The result is machine-readable, the snapshot is where it should be, the run on record."""
    notebook_id = notebook_of(new_project("print(6 * 7)"))["id"]
    done = deepnote(
        *("run", "--cloud", "--notebook-id", notebook_id, "--out", "s.deepnote", "-o", "json")
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["success"], result["status"], result["artifactStatus"]) == (
        True,
        "success",
        "saved",
    )
    assert printed(tmp_path / "s.deepnote") == ["42\n"]
    (run,) = client.get(f"/v2/notebooks/{notebook_id}/runs").json()["runs"]
    assert (run["runId"], run["status"]) == (result["runId"], "success")


def test_a_file_runs_with_inputs_and_cannot_write(
    deepnote: Any, new_project: Any, write: Any, client: httpx.Client, tmp_path: Path
) -> None:
    """Each type of input becomes the Python value it stands for; storage stays as it was."""
    document = new_project(
        input_block("text", "who", "nobody"),
        input_block("slider", "count", "3"),
        input_block("checkbox", "flag", value=False),
        input_block(
            "select",
            "letters",
            ["a"],
            deepnote_variable_options=["a", "b"],
            deepnote_allow_multiple_values=True,
        ),
        input_block("date", "day", "2026-01-02", deepnote_input_date_version=2),
        "from pathlib import Path\n"
        "try:\n    Path('kept.txt').write_text('')\nexcept OSError:\n    pass\n"
        "print(who, count, flag, letters, day)",
    )
    write(document)
    done = deepnote(
        *("run", "report.deepnote", "--cloud", "--storage-mode", "readonly"),
        *("--input", "who=world", "--input", "count=7", "--input", "flag=true"),
        *("--input", 'letters=["a", "b"]', "--input", "day=2026-05-06", "--out", "s.deepnote"),
    )
    assert done.returncode == 0, done.stderr
    assert printed(tmp_path / "s.deepnote") == ["world 7 True ['a', 'b'] 2026-05-06\n"]
    project = client.get(f"/v2/projects/{document['project']['id']}").json()["project"]
    assert project["files"] == []


def test_one_block_runs(deepnote: Any, new_project: Any, write: Any, tmp_path: Path) -> None:
    """The one that is named, and no other."""
    document = new_project(FIRST, SECOND)
    write(document)
    block_id = notebook_of(document)["blocks"][1]["id"]
    done = deepnote(
        *("run", "report.deepnote", "--cloud", "--block", block_id, "--out", "s.deepnote")
    )
    assert done.returncode == 0, done.stderr
    assert printed(tmp_path / "s.deepnote") == ["second\n"]


def test_local_edits_are_pushed_before_the_run(
    deepnote: Any, new_project: Any, write: Any, client: httpx.Client, tmp_path: Path
) -> None:
    """Blocks are changed, created, deleted and put in order, then what is on disk runs."""
    who = input_block("text", "who", "world")
    document = new_project(FIRST, "print('dropped')", "print(who)", who)
    notebook = notebook_of(document)
    first, _, second, who = notebook["blocks"]
    added = {**first, "id": "0" * 32, "content": "print('added')", "sortingKey": "000002"}
    notebook["blocks"] = [
        {**who, "sortingKey": "000000"},
        {**second, "sortingKey": "000001"},
        added,
        {**first, "content": "print('changed')", "sortingKey": "000003"},
    ]
    write(document)
    done = deepnote("run", "report.deepnote", "--cloud", "--push", "--yes", "--out", "s.deepnote")
    assert done.returncode == 0, done.stderr
    assert printed(tmp_path / "s.deepnote") == ["world\n", "added\n", "changed\n"]
    blocks = client.get(f"/v2/notebooks/{notebook['id']}").json()["notebook"]["blocks"]
    sources = ["", "print(who)", "print('added')", "print('changed')"]
    assert [block["content"] for block in blocks] == sources
    kept = (who, second, first)
    assert [blocks[n]["id"] for n in (0, 1, 3)] == [block["id"] for block in kept]


def test_a_failing_notebook_fails_the_command(
    deepnote: Any, new_project: Any, tmp_path: Path
) -> None:
    """Scripts see the exit status; the snapshot holds the traceback and nothing after it."""
    notebook_id = notebook_of(new_project("1 / 0", SECOND))["id"]
    done = deepnote(
        *("run", "--cloud", "--notebook-id", notebook_id, "--out", "s.deepnote", "-o", "json")
    )
    result = json.loads(done.stdout)
    assert (done.returncode, result["success"], result["status"]) == (1, False, "error")
    blocks = notebook_of(yaml.safe_load((tmp_path / "s.deepnote").read_text()))["blocks"]
    assert blocks[0]["outputs"][0]["ename"] == "ZeroDivisionError"
    assert not blocks[1].get("outputs")


def test_an_unknown_notebook_is_refused(deepnote: Any) -> None:
    """The server's words reach the person."""
    done = deepnote("run", "--cloud", "--notebook-id", "nonesuch")
    assert (done.returncode, done.stderr.strip()) == (1, "Notebook not found")


def test_an_input_the_server_does_not_know_is_refused(
    deepnote: Any, new_project: Any, write: Any
) -> None:
    """A local input block that was never pushed is no input; the message names it."""
    document = new_project(FIRST)
    block = {"id": "0" * 32, "blockGroup": "0", "sortingKey": "000001", "content": ""}
    notebook_of(document)["blocks"].append({**block, **input_block("text", "who", "")})
    write(document)
    done = deepnote("run", "report.deepnote", "--cloud", "--input", "who=world")
    assert done.returncode == 1
    assert 'Input "who" is not defined for this notebook' in done.stderr


def test_a_wrong_token_is_refused(deepnote: Any) -> None:
    """The command says that it is the token."""
    done = deepnote("run", "--cloud", "--notebook-id", "nonesuch", token="wrong")
    assert done.returncode == 2
    assert "check your API token" in done.stderr


def test_a_suspended_project_is_refused(
    deepnote: Callable[..., Any], new_project: Any, client: httpx.Client
) -> None:
    """Its notebooks do not run."""
    document = new_project(FIRST)
    client.put(f"/faults/projects/{document['project']['id']}", json={"suspended": True})
    done = deepnote("run", "--cloud", "--notebook-id", notebook_of(document)["id"])
    assert done.returncode == 1
    assert "Project is suspended" in done.stderr

"""The life of a session, from its first run to its end."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEX = re.compile(r"[0-9a-f]{32}")

JSON = dict[str, Any]


def test_a_new_session_has_a_run(start_session: Callable[..., Any]) -> None:
    """The answer names the session, its own notebook and its first run, under all known names."""
    content = start_session(wait=False).content
    session, run = content["session"], content["run"]
    assert UUID.fullmatch(session["id"])
    assert HEX.fullmatch(session["sessionNotebookId"])
    assert UUID.fullmatch(run["runId"])
    assert session["sessionId"] == session["id"]
    assert session["sourceNotebookId"] == session["notebookId"] != session["sessionNotebookId"]
    assert (session["status"], session["storageMode"]) == ("starting", "read_write")
    assert run["status"] == "pending"


def test_the_first_run_is_the_whole_notebook(
    start_session: Callable[..., Any], finished: Callable[..., Any]
) -> None:
    """Creating a session runs every block; what they define is there afterwards."""
    session = start_session("a = 1", "b = a + 1")
    assert finished(session.run_id)["status"] == "success"
    assert session.text("print(a, b)") == "1 2\n"


def test_an_empty_notebook_makes_a_session(
    start_session: Callable[..., Any], finished: Callable[..., Any]
) -> None:
    """With nothing to run the first run succeeds."""
    session = start_session()
    assert finished(session.run_id)["status"] == "success"


def test_execute_is_refused_during_the_first_run(
    start_session: Callable[..., Any], until: Callable[..., None], finished: Callable[..., Any]
) -> None:
    """A tracked run keeps the notebook to itself; an interrupt ends it as stopped."""
    session = start_session("import time; time.sleep(600)", wait=False)
    answer = session.execute("1")
    assert (answer.status_code, answer.json()) == (
        409,
        {"message": "Notebook is busy with a tracked run"},
    )
    until(lambda: session.status()["kernel"]["executingBlockId"])
    session.post("interrupt")
    assert finished(session.run_id)["status"] == "stopped"
    assert session.text("print('here')") == "here\n"


def test_a_failed_first_run_leaves_a_usable_kernel(
    start_session: Callable[..., Any], finished: Callable[..., Any]
) -> None:
    """The run is an error at its block; the blocks after it do not run; the kernel goes on."""
    session = start_session("a = 1", "1/0", "a = 2")
    run = finished(session.run_id)
    assert (run["status"], run["error"]) == ("error", "ZeroDivisionError: division by zero")
    assert session.text("print(a)") == "1\n"


def test_the_session_has_blocks_of_its_own(client: httpx.Client, start_session: Any) -> None:
    """Its notebook is a copy: same blocks, other ids, and changes stay there."""
    session = start_session("a = 1")
    copy_id = session.content["session"]["sessionNotebookId"]
    (source,) = client.get(f"/v2/notebooks/{session.notebook_id}").json()["notebook"]["blocks"]
    (copy,) = client.get(f"/v2/notebooks/{copy_id}").json()["notebook"]["blocks"]
    assert copy["id"] != source["id"]
    assert {**copy, "id": ""} == {**source, "id": ""}
    client.patch(f"/v2/blocks/{copy['id']}", json={"content": "a = 2"})
    assert client.get(f"/v2/blocks/{source['id']}").json()["block"]["content"] == "a = 1"


def test_the_copy_is_no_notebook_of_the_project(
    client: httpx.Client, start_session: Callable[..., Any]
) -> None:
    """The editor does not show what a session works on."""
    session = start_session()
    project = client.get(f"/v2/projects/{session.content['session']['projectId']}").json()
    assert [notebook["id"] for notebook in project["project"]["notebooks"]] == [session.notebook_id]


def test_source_and_copy_name_the_same_kernel(start_session: Callable[..., Any]) -> None:
    """Callers may use either id."""
    session = start_session("a = 1")
    session.notebook_id = session.content["session"]["sessionNotebookId"]
    assert session.text("print(a)") == "1\n"
    assert session.status()["kernel"]["status"] == "idle"


def test_another_notebook_has_a_kernel_of_its_own(
    client: httpx.Client, start_session: Callable[..., Any]
) -> None:
    """One session may work in several notebooks of its project."""
    session = start_session("a = 1")
    body = {"projectId": session.content["session"]["projectId"]}
    second = client.post("/v2/notebooks", json=body).json()["notebook"]["id"]
    first, session.notebook_id = session.notebook_id, second
    assert session.status()["kernel"] == {
        "status": "idle",
        "executingBlockId": None,
        "queuedBlockIds": [],
    }
    assert session.text("print('a' in dir())") == "False\n"
    session.notebook_id = first
    assert session.text("print('a' in dir())") == "True\n"


def test_an_interrupt_reaches_its_notebook_alone(
    client: httpx.Client,
    start_session: Callable[..., Any],
    in_background: Any,
    until: Callable[..., None],
) -> None:
    """Other notebooks keep running, so the session stays busy."""
    session = start_session()
    body = {"projectId": session.content["session"]["projectId"]}
    second = client.post("/v2/notebooks", json=body).json()["notebook"]["id"]
    call = in_background(session.execute, "import time; time.sleep(600)")
    until(lambda: session.status()["kernel"]["status"] == "busy")
    answer = client.post(f"{session.path}/interrupt", json={"notebookId": second})
    assert answer.json()["session"]["status"] == "busy"
    assert session.status()["kernel"]["status"] == "busy"
    session.post("interrupt")
    assert call.result(30).status_code == 200


@pytest.mark.parametrize("action", ["execute", "interrupt", "status"])
@pytest.mark.parametrize("is_other_project", [False, True])
def test_an_unknown_notebook_is_404(
    server: Any, session: Any, action: str, *, is_other_project: bool
) -> None:
    """A notebook of another project is as unknown as one that never was."""
    notebook_id = server.new_notebook() if is_other_project else "nonesuch"
    if action == "status":
        answer = session.client.get(f"{session.path}/status", params={"notebookId": notebook_id})
    else:
        answer = session.post(action, notebookId=notebook_id, code="1")
    assert (answer.status_code, answer.json()) == (404, {"message": "Notebook not found"})


def test_status_needs_a_notebook(session: Any) -> None:
    """Each notebook has its own kernel, so one must be named."""
    assert session.client.get(f"{session.path}/status").status_code == 400


def test_a_session_on_an_unknown_notebook_is_404(client: httpx.Client) -> None:
    """The message is the API's."""
    answer = client.post("/v2/sessions", json={"notebookId": "nonesuch"})
    assert (answer.status_code, answer.json()) == (404, {"message": "Notebook not found"})


@pytest.mark.parametrize("seconds", [59, 86_401, 0, -1])
def test_an_idle_time_out_of_range_is_400(
    client: httpx.Client, notebook: Callable[..., str], seconds: int
) -> None:
    """The message says what is allowed."""
    body = {"notebookId": notebook(), "idleShutdownSeconds": seconds}
    answer = client.post("/v2/sessions", json=body)
    assert answer.status_code == 400
    assert answer.json() == {"message": "idleShutdownSeconds must be an integer from 60 to 86400"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("idleShutdownSeconds", 60), ("storageMode", "readonly"), ("machineType", "fjord")],
)
def test_an_option_is_kept(start_session: Callable[..., Any], name: str, value: object) -> None:
    """What was asked for is what the session says."""
    session = start_session(wait=False, **{name: value})
    assert session.content["session"][name] == value


def test_an_idle_session_ends(
    start_server: Callable[..., Any], session_on: Callable[..., Any], until: Callable[..., None]
) -> None:
    """A session nobody uses is gone after its time, and says so."""
    session = session_on(start_server("--idle-shutdown", "1"))
    until(lambda: session.client.get(session.path).status_code == 404)
    answer = session.execute("1")
    assert (answer.status_code, answer.json()) == (404, {"message": "Session not found"})


def test_a_session_at_work_is_not_idle(
    start_server: Callable[..., Any], session_on: Callable[..., Any]
) -> None:
    """Code that runs longer than the idle time is use."""
    session = session_on(start_server("--idle-shutdown", "1"))
    assert session.text("import time; time.sleep(2.5); print('here')") == "here\n"


def test_a_stopped_session_is_gone(client: httpx.Client, start_session: Any) -> None:
    """Stopping is 204; afterwards the session, its notebook and a second stop are 404."""
    session = start_session()
    copy_id = session.content["session"]["sessionNotebookId"]
    answer = client.delete(session.path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.delete(session.path).json() == {"message": "Session not found"}
    assert client.get(f"/v2/notebooks/{copy_id}").status_code == 404
    assert client.get(f"/v2/runs/{session.run_id}").status_code == 200


def test_live_sessions_are_listed_newest_first(
    client: httpx.Client, start_session: Callable[..., Any]
) -> None:
    """In pages; one that was stopped is not there any more."""
    started = [start_session(wait=False).id for _ in range(3)][::-1]

    def listed() -> list[str]:
        found: list[str] = []
        params: dict[str, Any] = {"pageSize": 2}
        while True:
            page = client.get("/v2/sessions", params=params).json()
            found += [each["id"] for each in page["sessions"]]
            token = page["pagination"]["nextPageToken"]
            assert page["pagination"]["hasMore"] is (token is not None)
            if token is None:
                return [each for each in found if each in started]
            params["pageToken"] = token

    assert listed() == started
    path = f"/v2/sessions/{started[1]}"
    assert client.get(path).json()["session"]["id"] == started[1]
    client.delete(path)
    assert listed() == [started[0], started[2]]


def test_an_interrupt_does_not_kill_a_kernel_that_starts(
    start_session: Callable[..., Any], finished: Callable[..., JSON]
) -> None:
    """It ends the first run alone, however often it is sent."""
    session = start_session("1", wait=False)
    while session.status()["kernel"]["status"] == "starting":
        session.post("interrupt").raise_for_status()
    assert finished(session.run_id)["status"] == "stopped"
    assert session.text("print(2)") == "2\n"


def test_an_interrupt_reaches_code_that_waits_for_its_kernel(
    client: httpx.Client, start_session: Callable[..., Any], in_background: Any
) -> None:
    """It is not lost because the code has not begun."""
    session = start_session()
    project_id = session.content["session"]["projectId"]
    other = client.post("/v2/notebooks", json={"projectId": project_id}).json()["notebook"]
    body = {"notebookId": other["id"], "code": "import time; time.sleep(600)", "timeoutMs": 120_000}
    call = in_background(client.post, f"{session.path}/execute", json=body)
    params = {"notebookId": other["id"]}
    while client.get(f"{session.path}/status", params=params).json()["kernel"]["status"] == "idle":
        time.sleep(0.01)
    client.post(f"{session.path}/interrupt", json=params).raise_for_status()
    (output,) = call.result().json()["outputs"]
    assert output["ename"] == "KeyboardInterrupt"


def test_a_session_stopped_while_starting_is_gone(
    client: httpx.Client, start_session: Any, finished: Callable[..., Any]
) -> None:
    """Its run is recorded as stopped."""
    session = start_session("1", wait=False)
    assert client.delete(session.path).status_code == 204
    assert finished(session.run_id)["status"] == "stopped"


def test_readonly_storage_keeps_the_project_as_it_is(
    start_session: Callable[..., Any], client: httpx.Client
) -> None:
    """What such a session writes never reaches the project; it reads what is there."""
    writer = start_session("open('kept.txt', 'w').write('kept')")
    body = {"notebookId": writer.notebook_id, "storageMode": "readonly"}
    answer = client.post("/v2/sessions", json=body).json()
    reader = type(writer)(
        client, writer.notebook_id, answer["session"]["id"], answer["run"]["runId"], answer
    )
    reader.wait_ready()
    reader.outputs("open('lost.txt', 'w').write('lost')")
    assert reader.text("import os; print(sorted(os.listdir()))") == "['kept.txt', 'lost.txt']\n"
    assert writer.text("import os; print(sorted(os.listdir()))") == "['kept.txt']\n"
    client.delete(reader.path)


def test_readonly_storage_takes_whatever_lies_in_the_project(
    start_session: Callable[..., Any], finished: Callable[..., JSON]
) -> None:
    """Links stay links, wherever they lead; pipes and sockets are left out."""
    writer = start_session("import os; sorted(os.listdir())")
    writer.outputs(
        "os.symlink('missing', 'dangling'); os.symlink('.', 'circle'); os.mkfifo('pipe')\n"
        "import socket; socket.socket(socket.AF_UNIX).bind('socket')"
    )
    body = {"notebookId": writer.notebook_id, "detachedRunStorageMode": "readonly"}
    run_id = writer.client.post("/v2/runs", json=body).json()["runId"]
    (block,) = finished(run_id, snapshotDelivery="blocks")["snapshotBlocks"]
    (output,) = block["outputs"]
    assert output["data"]["text/plain"] == "['circle', 'dangling']"


def test_a_storage_mode_of_no_meaning_is_400(
    client: httpx.Client, notebook: Callable[..., str]
) -> None:
    """The message names the member."""
    body = {"notebookId": notebook(), "storageMode": "sometimes"}
    answer = client.post("/v2/sessions", json=body)
    assert answer.status_code == 400
    assert "storageMode" in answer.json()["message"]


def test_inputs_are_set_for_the_first_run(
    client: httpx.Client, start_session: Callable[..., Any], notebook: Callable[..., str]
) -> None:
    """Values given at the start win over those stored in the blocks."""
    notebook_id = notebook()
    for name, kind, value in (("n", "slider", "3"), ("s", "text", "stored")):
        metadata = {"deepnote_variable_name": name, "deepnote_variable_value": value}
        body = {"notebookId": notebook_id, "type": f"input-{kind}", "metadata": metadata}
        client.post("/v2/blocks", json=body).raise_for_status()
    content = client.post(
        "/v2/sessions", json={"notebookId": notebook_id, "inputs": {"n": "7"}}
    ).json()
    template = start_session(wait=False)
    session = type(template)(
        client, notebook_id, content["session"]["id"], content["run"]["runId"], content
    )
    session.wait_ready()
    assert session.text("print(n, s)") == "7 stored\n"
    client.delete(session.path)


def test_an_unknown_input_is_400(client: httpx.Client, notebook: Callable[..., str]) -> None:
    """The message names it."""
    body = {"notebookId": notebook(), "inputs": {"x": "1"}}
    answer = client.post("/v2/sessions", json=body)
    assert answer.status_code == 400
    assert answer.json() == {"message": 'Input "x" is not defined for this notebook'}


def blocks_of(client: httpx.Client, session: Any) -> list[str]:
    """Return the ids of the blocks of the session's own notebook."""
    path = f"/v2/notebooks/{session.content['session']['sessionNotebookId']}"
    return [block["id"] for block in client.get(path).json()["notebook"]["blocks"]]


def test_a_session_runs_blocks_as_tracked_runs(
    client: httpx.Client, start_session: Callable[..., Any], finished: Callable[..., Any]
) -> None:
    """In both shapes callers send; blocks of its copy, as changed, in its live kernel."""
    session = start_session("a = 1")
    (block_id,) = blocks_of(client, session)
    client.patch(f"/v2/blocks/{block_id}", json={"content": "a = a + 1; a"})
    bodies = [
        {"notebookId": session.notebook_id, "blockIds": [block_id]},
        {"blockId": block_id},
    ]
    for body, expected in zip(bodies, "23", strict=True):
        answer = client.post(f"{session.path}/runs", json=body)
        assert answer.status_code == 202
        (ran,) = finished(answer.json()["runId"], snapshotDelivery="blocks")["snapshotBlocks"]
        assert ran["id"] == block_id
        assert ran["outputs"][0]["data"] == {"text/plain": expected}
    assert session.text("print(a)") == "3\n"


def test_a_session_run_takes_inputs_and_dependents(
    client: httpx.Client, start_session: Callable[..., Any], finished: Callable[..., Any]
) -> None:
    """The values are for that run alone; stored ones are as they were."""
    session = start_session()
    copy_id = session.content["session"]["sessionNotebookId"]
    metadata = {"deepnote_variable_name": "n", "deepnote_variable_value": "1"}
    ids = []
    for body in (
        {"type": "input-slider", "metadata": metadata},
        {"type": "code", "content": "print(n)"},
        {"type": "code", "content": "print('other')"},
    ):
        answer = client.post("/v2/blocks", json={"notebookId": copy_id, **body})
        ids.append(answer.json()["block"]["id"])
    answer = session.post("runs", blockIds=ids[:1], runDependentBlocks=True, inputs={"n": "7"})
    run = finished(answer.json()["runId"], snapshotDelivery="blocks")
    assert [block["id"] for block in run["snapshotBlocks"]] == ids[:2]
    assert run["snapshotBlocks"][1]["outputs"][0]["text"] == "7\n"
    (shown,) = client.get(f"/v2/notebooks/{copy_id}").json()["notebook"]["inputs"]
    assert shown["value"] == "1"
    answer = session.post("runs", blockIds=ids[1:2], inputs={"n": "9"})
    (block,) = finished(answer.json()["runId"], snapshotDelivery="blocks")["snapshotBlocks"]
    assert block["outputs"][0]["text"] == "9\n"
    answer = session.post("runs", inputs={"m": "7"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"message": 'Input "m" is not defined for this notebook'},
    )


def test_a_session_runs_several_notebooks(
    client: httpx.Client,
    start_session: Callable[..., Any],
    finished: Callable[..., Any],
    until: Callable[..., None],
) -> None:
    """Each in a kernel of its own; the runs of one do not wait for those of another."""
    session = start_session("import time; time.sleep(600)", wait=False)
    until(lambda: session.status()["kernel"]["executingBlockId"])
    body = {"projectId": session.content["session"]["projectId"]}
    second = client.post("/v2/notebooks", json=body).json()["notebook"]["id"]
    block = {"notebookId": second, "type": "code", "content": "print('second')"}
    client.post("/v2/blocks", json=block).raise_for_status()
    answer = client.post(f"{session.path}/runs", json={"notebookId": second})
    run = finished(answer.json()["runId"], snapshotDelivery="blocks")
    assert run["notebookId"] == second
    assert run["snapshotBlocks"][0]["outputs"][0]["text"] == "second\n"
    assert client.get(session.path).json()["session"]["status"] == "busy"


def test_a_run_of_an_unknown_block_is_400(session: Any) -> None:
    """The message is the API's."""
    answer = session.post("runs", blockIds=["nonesuch"])
    assert (answer.status_code, answer.json()) == (400, {"message": "Block not found in notebook"})


def test_runs_wait_for_each_other(
    client: httpx.Client, start_session: Callable[..., Any], until: Callable[..., None]
) -> None:
    """Status tells which block runs and which wait; an interrupt stops them all."""
    session = start_session("import time; wait = 600", "time.sleep(wait)", wait=False)
    copy_id = session.content["session"]["sessionNotebookId"]
    text = {"notebookId": copy_id, "type": "markdown", "content": "is never in the queue"}
    client.post("/v2/blocks", json=text).raise_for_status()
    first, second, _ = blocks_of(client, session)
    until(lambda: session.status()["kernel"]["executingBlockId"] == second)
    run_id = session.post("runs").json()["runId"]
    assert session.status()["kernel"] == {
        "status": "busy",
        "executingBlockId": second,
        "queuedBlockIds": [first, second],
    }
    session.post("interrupt")
    until(lambda: client.get(f"/v2/runs/{run_id}").json()["run"]["status"] == "stopped")

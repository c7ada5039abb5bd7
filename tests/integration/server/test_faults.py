"""Failures on demand: each hits the requests it names, at the moment it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JSON = dict[str, Any]


@pytest.fixture
def fault(client: httpx.Client) -> Iterator[Callable[..., JSON]]:
    """Put a fault in force for the test; return it as the server shows it."""

    def add(effect: str, **body: Any) -> JSON:
        answer = client.post("/faults", json={"effect": effect, **body})
        assert answer.status_code == 201, answer.text
        content: JSON = answer.json()["fault"]
        return content

    yield add
    client.delete("/faults")


@pytest.fixture
def counted(start_session: Callable[..., Any]) -> Any:
    """A session in which ``n`` counts how often :func:`count` ran."""
    session = start_session("n = 0")
    session.path_of_execute = f"{session.path}/execute"
    return session


def count(session: Any) -> httpx.Response:
    """Run a cell that leaves a trace."""
    answer: httpx.Response = session.execute("n += 1")
    return answer


def times_run(session: Any) -> int:
    """Say how often the cell ran."""
    return int(session.text("print(n)"))


@pytest.mark.parametrize(("when", "expected"), [("before", 0), ("after", 1)])
def test_a_dropped_connection(
    counted: Any, fault: Callable[..., JSON], when: str, expected: int
) -> None:
    """Before: the kernel never sees the code. After: it ran, and the answer is lost."""
    fault("drop", path=counted.path_of_execute, when=when, ordinals=[1])
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        count(counted)
    assert times_run(counted) == expected


@pytest.mark.parametrize(("when", "expected"), [("before", 0), ("after", 1)])
def test_a_status(counted: Any, fault: Callable[..., JSON], when: str, expected: int) -> None:
    """The answer is replaced, with or without the request having been handled."""
    fault("status", path=counted.path_of_execute, when=when, status=502, html=True, ordinals=[1])
    answer = count(counted)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert "<html>" in answer.text
    assert times_run(counted) == expected


def test_a_rate_limit(counted: Any, fault: Callable[..., JSON]) -> None:
    """A status may say when to come back."""
    fault("status", path=counted.path_of_execute, status=429, retryAfter=7, ordinals=[1])
    answer = count(counted)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {"message": "Fault on demand"}


def test_a_duplicate(counted: Any, fault: Callable[..., JSON]) -> None:
    """The request is handled twice and answered once."""
    fault("duplicate", path=counted.path_of_execute, ordinals=[1])
    assert count(counted).status_code == 200
    assert times_run(counted) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delay(counted: Any, fault: Callable[..., JSON], when: str) -> None:
    """The answer comes late, and is the right one."""
    fault("delay", path=counted.path_of_execute, when=when, seconds=0.5)
    answer = count(counted)
    assert answer.elapsed.total_seconds() >= 0.5
    assert answer.status_code == 200


def test_a_killed_kernel(counted: Any, fault: Callable[..., JSON]) -> None:
    """The request that follows the kill finds no kernel."""
    fault("kill_kernel", path=counted.path_of_execute, ordinals=[1])
    assert count(counted).json() == {"message": "Session kernel is unavailable"}


def test_an_expired_session(counted: Any, fault: Callable[..., JSON]) -> None:
    """The request that follows the end finds no session."""
    fault("expire_session", path=counted.path_of_execute, ordinals=[1])
    assert count(counted).json() == {"message": "Session not found"}


def test_ordinals_and_counts(counted: Any, fault: Callable[..., JSON]) -> None:
    """Only the requests at the positions named are hit; all that match are counted."""
    added = fault("status", method="POST", path=counted.path_of_execute, ordinals=[2, 4])
    assert [count(counted).status_code for _ in range(5)] == [200, 503, 200, 503, 200]
    counted.status()
    (report,) = counted.client.get("/faults").json()["faults"]
    assert report == {**added, "matched": 5, "applied": 2}


def test_a_fault_of_another_method_or_path_does_not_match(
    counted: Any, fault: Callable[..., JSON]
) -> None:
    """A pattern is for the whole path."""
    fault("status", method="DELETE")
    fault("status", path="/v2/sessions")
    fault("status", path="execute")
    assert count(counted).status_code == 200


def test_a_pattern_matches_many_paths(counted: Any, fault: Callable[..., JSON]) -> None:
    """A star stands for any text."""
    fault("count", path="/v2/sessions/*/*")
    count(counted)
    counted.status()
    (report,) = counted.client.get("/faults").json()["faults"]
    assert report["matched"] == 2


def test_a_fault_is_taken_out_of_force(counted: Any, fault: Callable[..., JSON]) -> None:
    """Afterwards all is as before."""
    added = fault("status", path=counted.path_of_execute)
    assert count(counted).status_code == 503
    assert counted.client.delete(f"/faults/{added['id']}").status_code == 204
    assert count(counted).status_code == 200
    assert counted.client.delete(f"/faults/{added['id']}").status_code == 404


def test_faults_need_the_token(server: Any) -> None:
    """They are no one else's business."""
    answer = httpx.post(f"{server.url}/faults", json={"effect": "drop"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"effect": "magic"},
        {"effect": "drop", "ordinal": 1},
        {"effect": "status", "status": 200},
    ],
)
def test_a_fault_that_cannot_be_is_400(client: httpx.Client, body: JSON) -> None:
    """A slip in a fault's description is not passed over, as elsewhere."""
    assert client.post("/faults", json=body).status_code == 400


def test_what_becomes_of_late_code_is_switched(
    start_server: Callable[..., Any], session_on: Callable[..., Any], until: Callable[..., None]
) -> None:
    """The limit and what happens at it are changed while the server runs."""
    session = session_on(start_server())
    body = {"executeMs": 300, "afterTimeout": "interrupt"}
    assert session.client.put("/faults/limits", json=body).json() == body
    assert session.execute("import time; time.sleep(600)").status_code == 408
    until(lambda: session.execute("1").status_code == 200)


def test_a_session_is_struck_at_once(start_session: Callable[..., Any]) -> None:
    """Without waiting for a request."""
    session = start_session()
    assert session.client.post(f"/faults{session.path[3:]}/kill_kernel").status_code == 204
    assert session.execute("1").json() == {"message": "Session kernel is unavailable"}
    assert session.client.post(f"/faults{session.path[3:]}/expire_session").status_code == 204
    assert session.execute("1").json() == {"message": "Session not found"}
    assert session.client.post(f"/faults{session.path[3:]}/kill_kernel").status_code == 404


def test_a_suspended_project_refuses_everything(
    client: httpx.Client, start_session: Callable[..., Any]
) -> None:
    """With 409, and 400 where the API says so; afterwards all is as before."""
    session = start_session("1")
    notebook_id = session.notebook_id
    path = f"/faults/projects/{session.content['session']['projectId']}"
    client.put(path, json={"suspended": True})
    answers = [
        session.execute("1"),
        session.post("interrupt"),
        session.post("runs"),
        client.get(f"{session.path}/status", params={"notebookId": notebook_id}),
        client.post("/v2/sessions", json={"notebookId": notebook_id}),
        client.post("/v2/runs", json={"notebookId": notebook_id}),
        client.get(f"/v2/runs/{session.run_id}"),
        client.get(f"/v2/notebooks/{notebook_id}/runs"),
        client.post("/v2/blocks", json={"notebookId": notebook_id, "type": "code"}),
        client.get(f"/v2/notebooks/{notebook_id}"),
    ]
    assert [answer.status_code for answer in answers] == [409] * 9 + [400]
    assert all(answer.json() == {"message": "Project is suspended"} for answer in answers)
    client.put(path, json={"suspended": False})
    assert session.execute("1").status_code == 200

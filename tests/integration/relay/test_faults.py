"""A cell runs once and every output arrives once, whichever call of its life goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.config import Secret, Settings
from deepnote_kernel.session.protocol import Cell, InputRequest, Reply
from deepnote_kernel.session.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.integration.conftest import Server

CELL = """
import time
runs += 1
for i in range(3):
    print('line', i, flush=True)
    time.sleep(0.06)
name = input('name? ')
time.sleep(0.06)
print('hello', name)
runs
"""

SHOWN = "line 0\nline 1\nline 2\nhello you\n"

FAULTS: dict[str, dict[str, Any]] = {
    "dropped request": {"effect": "drop", "when": "before"},
    "dropped answer": {"effect": "drop", "when": "after"},
    "delayed request": {"effect": "delay", "when": "before", "seconds": 0.3},
    "delayed answer": {"effect": "delay", "when": "after", "seconds": 0.3},
    "duplicated": {"effect": "duplicate"},
    **{
        f"{status} {when}": {"effect": "status", "status": status, "when": when, "html": html}
        for status, html in ((429, False), (500, False), (502, True), (503, False), (504, True))
        for when in ("before", "after")
    },
}


@pytest.fixture(scope="module")
def remote(server: Server) -> Iterator[Remote]:
    """A live session."""
    settings = Settings(
        base_url=server.url,
        token=Secret(server.token),
        notebook_id=server.new_notebook(),
        calls_per_minute=6000,
    )
    remote = Remote(settings)
    remote.start()
    try:
        yield remote
    finally:
        remote.close()


@pytest.fixture
def faults(server: Server) -> Iterator[httpx.Client]:
    """The server's switchboard; all faults are gone afterwards."""
    with server.client() as client:
        yield client
        client.delete("/faults").raise_for_status()


def run(remote: Remote, code: str, name: str) -> tuple[str, list[str], dict[str, Any]]:
    """Run a cell; return what it printed, its results and its reply."""
    printed, results, reply = "", [], {}
    for event in remote.events(Cell(id=name, code=code, allow_stdin=True), lambda _: None):
        if isinstance(event, InputRequest):
            remote.answer("you")
        elif isinstance(event, Reply):
            reply = event.content
        elif event.msg_type == "stream":
            printed += event.content["text"]
        else:
            results.append(event.content["data"]["text/plain"])
    return printed, results, reply


def count_calls(remote: Remote, faults: httpx.Client, name: str) -> int:
    """Return how many execute calls the cell's life takes when nothing goes wrong."""
    fault = {"method": "POST", "path": "*/execute", "effect": "count"}
    fault_id = faults.post("/faults", json=fault).raise_for_status().json()["fault"]["id"]
    run(remote, CELL, name)
    reports = faults.get("/faults").json()["faults"]
    return next(int(report["matched"]) for report in reports if report["id"] == fault_id)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_one_fault_at_every_position(
    fault: dict[str, Any], remote: Remote, faults: httpx.Client, request: pytest.FixtureRequest
) -> None:
    """Whichever single call fails, the cell has run once and shown everything, in order."""
    test = request.node.name
    run(remote, "runs = 0", f"{test} start")
    calls = count_calls(remote, faults, f"{test} count")
    assert calls >= 2
    for position in range(1, calls + 1):
        faults.delete("/faults")
        aimed = {"method": "POST", "path": "*/execute", "ordinals": [position], **fault}
        faults.post("/faults", json=aimed).raise_for_status()
        printed, results, reply = run(remote, CELL, f"{test} {position}")
        assert (printed, results) == (SHOWN, [str(position + 1)]), f"call {position} of {calls}"
        assert reply["status"] == "ok"

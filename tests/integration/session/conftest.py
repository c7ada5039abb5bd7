"""Sessions on a real server, and ways to make that server fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.config import SCRATCH, Secret, Settings
from deepnote_kernel.outputs import Message
from deepnote_kernel.session.protocol import Cell, Reply
from deepnote_kernel.session.record import Records
from deepnote_kernel.session.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deepnote_kernel.session.protocol import Event
    from tests.integration.conftest import Server

LIMIT_S = 20.0


class Tester:
    """A remote, with what tests ask of it."""

    def __init__(self, server: Server, settings: Settings, records: Records) -> None:
        self.server = server
        self.records = records
        self.remote = Remote(settings, owner="test", records=records)
        self.lines: list[str] = []

    def run(self, code: str, **cell: Any) -> list[Event]:
        """Run a cell and return all its events."""
        return list(self.remote.events(Cell(id="c", code=code, **cell), self.lines.append))

    def reply(self, code: str, **cell: Any) -> dict[str, Any]:
        """Run a cell and return the content of its reply, which is the last event."""
        reply = self.run(code, **cell)[-1]
        assert isinstance(reply, Reply)
        return reply.content

    def value(self, code: str) -> str:
        """Run a cell and return its result as text."""
        [result] = [
            event
            for event in self.run(code)
            if isinstance(event, Message) and event.msg_type == "execute_result"
        ]
        text: str = result.content["data"]["text/plain"]
        return text

    @property
    def session_id(self) -> str:
        """Id of the running session."""
        assert self.remote.session is not None
        return self.remote.session.session_id

    def ask(self, method: str, path: str, /, **body: Any) -> Any:
        """Ask the server something behind the session's back."""
        with self.server.client() as client:
            answer = client.request(method, path, json=body or None)
            answer.raise_for_status()
            return answer.json() if answer.content else None

    def fault(self, route: str, effect: str, **options: Any) -> str:
        """Let something happen to calls of this session; return the fault's id.

        Args:
            route: What follows the session in the path; empty for the session itself.
            effect: What happens.
            **options: Further fields of a fault, as the server names them.
        """
        path = f"/v2/sessions/{self.session_id}/{route}".rstrip("/")
        return str(self.ask("POST", "/faults", path=path, effect=effect, **options)["fault"]["id"])

    def applied(self, fault_id: str) -> int:
        """Return how many requests a fault has hit."""
        faults = self.ask("GET", "/faults")["faults"]
        return next(int(fault["applied"]) for fault in faults if fault["id"] == fault_id)

    def session_ids_at_server(self) -> list[str]:
        """Return the ids of the sessions that the server says are running."""
        return [str(session["id"]) for session in self.ask("GET", "/v2/sessions")["sessions"]]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[..., Tester]]:
    """Make testers: ``connect(server, mode="live")``. Direct, on a scratch notebook by default."""
    testers: list[Tester] = []

    def make(server: Server, **settings: Any) -> Tester:
        chosen = {"notebook_id": SCRATCH, "mode": "direct"} | settings
        base = Settings(base_url=server.url, token=Secret(server.token))
        tester = Tester(server, base.replace(**chosen), Records(tmp_path / "sessions"))
        testers.append(tester)
        return tester

    yield make
    for tester in testers:
        tester.remote.close(timeout_s=10)


@pytest.fixture
def tester(server: Server, connect: Callable[..., Tester]) -> Tester:
    """A remote in direct mode on the shared server."""
    return connect(server)

"""Cells have no time limit, though calls have: here one of a second and a half."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.config import Secret, Settings
from deepnote_kernel.session.protocol import Cell, Message, Reply
from deepnote_kernel.session.remote import Remote
from tests.integration.conftest import run_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.conftest import Server

LIMIT_MS = "1500"

SLICED = """
import time
for i in range(12):
    print("line", i)
    time.sleep(0.25)
'end'
"""

# How much work a call needs to take some four seconds of the processor is found out on the spot.
HASH = """
import hashlib, time

def hash_(rounds):
    begin = time.process_time()
    hashlib.pbkdf2_hmac("sha256", b"password", b"salt", rounds)
    return time.process_time() - begin

rounds = int(200_000 * 4 / hash_(200_000))
print("before")
took_s = hash_(rounds)
print("after")
took_s > 2
"""

# Holds the interpreter's lock all the time: no other thread of the process runs either.
POWER = """
import time

def power(exponent):
    begin = time.process_time()
    3 ** exponent
    return time.process_time() - begin

exponent = int(1_000_000 * (4 / power(1_000_000)) ** 0.63)
print("before")
took_s = power(exponent)
print("after")
took_s > 2
"""


class Session:
    """A live session, and what its cells have shown."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._cells = 0

    def run(self, code: str, on_text: Callable[[str], object] = len) -> tuple[str, str, Reply]:
        """Run a cell; return what it printed, its result and its reply."""
        self._cells += 1
        printed, result = "", ""
        for event in self._remote.events(Cell(id=f"cell {self._cells}", code=code)):
            if isinstance(event, Reply):
                return printed, result, event
            if isinstance(event, Message) and event.msg_type == "stream":
                printed += event.content["text"]
                on_text(printed)
            elif isinstance(event, Message) and event.msg_type == "execute_result":
                result += event.content["data"]["text/plain"]
        raise AssertionError("a cell ends with a reply")


@pytest.fixture(scope="module", params=["keep", "interrupt"])
def limited(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that leaves late code running, and one that interrupts it."""
    limits = ("--execute-limit", LIMIT_MS, "--after-timeout", request.param)
    with run_server(tmp_path_factory.mktemp("server"), *limits) as server:
        yield server


@pytest.fixture
def session(limited: Server) -> Iterator[Session]:
    """A session that does not know the server's limit yet."""
    settings = Settings(
        base_url=limited.url,
        token=Secret(limited.token),
        notebook_id=limited.new_notebook(),
        calls_per_minute=6000,
    )
    remote = Remote(settings)
    remote.start()
    try:
        yield Session(remote)
    finally:
        remote.close()


@pytest.fixture
def settled(session: Session) -> Session:
    """A session that knows the limit.

    To find it out costs one late call, and where the server interrupts that, its signal reaches
    child processes too.
    """
    session.run("import time; time.sleep(2)")
    return session


def test_cell_outlives_its_calls(session: Session) -> None:
    """Each line arrives once, in order, and the cell ends well."""
    printed, result, reply = session.run(SLICED)
    assert printed == "".join(f"line {i}\n" for i in range(12))
    assert (result, reply.content["status"]) == ("'end'", "ok")


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(2.5)",
        "import asyncio; await asyncio.sleep(2.5)",
        "import threading; threading.Event().wait(2.5)",
        "import time\nend = time.monotonic() + 2.5\nwhile time.monotonic() < end:\n    pass",
    ],
    ids=["sleep", "await", "wait", "loop"],
)
def test_quiet_cell_outlives_its_calls(code: str, session: Session) -> None:
    """Nothing comes for longer than the limit, and no server's interrupt ends it; then it does."""
    printed, result, reply = session.run(f"{code}\n'end'")
    assert (printed, result, reply.content["status"]) == ("", "'end'", "ok")


@pytest.mark.parametrize("code", [HASH, POWER], ids=["hash", "power"])
def test_call_that_cannot_be_left_takes_its_time(code: str, session: Session) -> None:
    """A single call into C code outlives the limit; all is here that was printed around it."""
    printed, result, reply = session.run(code)
    assert printed == "before\nafter\n"
    assert (result, reply.content["status"]) == ("True", "ok")


def test_subprocess_outlives_its_calls(settled: Session) -> None:
    """A child process that the cell waits for ends by itself."""
    _, result, reply = settled.run("import subprocess; subprocess.run(['sleep', '3']).returncode")
    assert (result, reply.content["status"]) == ("0", "ok")


def test_thread_is_heard_while_the_cell_waits_for_a_subprocess(
    settled: Session, tmp_path: Path
) -> None:
    """Its lines arrive at once: the child waits for what happens when the tenth is here."""
    file = tmp_path / "heard"
    code = f"""
import subprocess, threading
ended = threading.Event()
def tick():
    number = 0
    while not ended.wait(0.2):
        number += 1
        print("tick", number)
thread = threading.Thread(target=tick)
thread.start()
status = subprocess.run(["sh", "-c", "until [ -e '{file}' ]; do sleep 0.05; done"]).returncode
ended.set()
thread.join()
status
"""

    def on_text(printed: str) -> None:
        if "tick 10\n" in printed:
            file.touch()

    printed, result, reply = settled.run(code, on_text)
    ticks = printed.splitlines()
    assert ticks == [f"tick {number}" for number in range(1, len(ticks) + 1)]
    assert (result, reply.content["status"]) == ("0", "ok")

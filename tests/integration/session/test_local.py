"""The embedded server of this computer: found, started, shared, and replaced when it has ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.config import Settings
from deepnote_kernel.errors import SessionGoneError, SessionStartError
from deepnote_kernel.outputs import Message
from deepnote_kernel.session import local
from deepnote_kernel.session.protocol import Cell
from deepnote_kernel.session.record import Records
from deepnote_kernel.session.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT_S = 20.0


@pytest.fixture(autouse=True)
def _runtime_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test a runtime folder of its own, and end the server it started there."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    yield
    server = local.find()
    if server is not None:
        end(server.pid)


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    """A remote on the local server."""
    settings = Settings(base_url="local", mode="direct")
    remote = Remote(settings, records=Records(tmp_path / "sessions"))
    yield remote
    remote.close(timeout_s=10)


def end(pid: int) -> None:
    """End a server and wait until it no longer listens."""
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + LIMIT_S
    while local.find() is not None:
        assert time.monotonic() < deadline, "the server did not end"
        time.sleep(0.01)


def run(remote: Remote, code: str) -> list[Any]:
    """Run a cell and return the contents of its messages."""
    events = remote.events(Cell(id="c", code=code))
    return [event.content for event in events if isinstance(event, Message)]


def test_local_session_needs_no_settings(remote: Remote) -> None:
    """No token, no notebook, no server: a cell runs all the same."""
    assert run(remote, "1 + 1")[0]["data"] == {"text/plain": "2"}


def test_server_is_shared() -> None:
    """Those who come while it starts, and after, get the same server."""
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: local.find_or_start(), range(4)))
    assert {server.pid for server in servers} == {local.find_or_start().pid}


def test_stale_runtime_file_is_replaced() -> None:
    """A file that a crash has left behind leads to a new server, not to an error."""
    path = local.runtime_file()
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"url": "http://127.0.0.1:9", "token": "t", "pid": 1}))
    assert local.find() is None
    assert local.find_or_start().url != "http://127.0.0.1:9"


@pytest.mark.parametrize("content", ["", "{", '{"url": 3}', "[]"])
def test_damaged_runtime_file_is_no_server(content: str) -> None:
    """A file that cannot be read is like none."""
    path = local.runtime_file()
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert local.find() is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_token_of_the_server_is_private() -> None:
    """Only the user's own programs can read the token, and no representation shows it."""
    server = local.find_or_start()
    assert local.runtime_file().stat().st_mode & 0o077 == 0
    assert server.token not in repr(server)


def test_deepnote_token_does_not_reach_the_server(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token for the cloud is nowhere in the environment of local cells."""
    monkeypatch.setenv("DEEPNOTE_TOKEN", "canary-of-the-cloud")
    [printed] = run(remote, "import os\nprint(sorted(os.environ.items()))")
    assert "canary" not in printed["text"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sessions of this kind")
def test_server_outlives_signals_to_our_process_group() -> None:
    """An interrupt typed into the kernel's terminal does not reach the server."""
    server = local.find_or_start()
    assert os.getsid(server.pid) != os.getsid(0)


def test_notebook_folder_does_not_shadow_modules(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A json.py beside the notebook does not keep the server from starting."""
    (tmp_path / "json.py").write_text("raise RuntimeError('shadowed')")
    monkeypatch.chdir(tmp_path)
    assert run(remote, "1")[0]["data"] == {"text/plain": "1"}


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that is read-only, as in some containers, has a remedy."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "file" / "runtime"))
    with pytest.raises(SessionStartError, match=r"runtime.*set JUPYTER_RUNTIME_DIR"):
        local.find_or_start()


def test_server_that_does_not_start_says_why(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error holds the last line of the log, and where the log is."""
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('no server today')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SessionStartError, match=r"no server today.*\.log") as caught:
        remote.start()
    assert "\n" not in str(caught.value)


def test_server_that_has_ended_takes_its_sessions_along(remote: Remote) -> None:
    """The next cell says so; a start brings another server up."""
    run(remote, "x = 1")
    server = local.find()
    assert server is not None
    end(server.pid)
    with pytest.raises(SessionGoneError, match="local server has ended"):
        run(remote, "x")
    assert remote.sessions() == []
    remote.start()
    assert run(remote, "1")[0]["data"] == {"text/plain": "1"}


def test_sessions_of_an_ended_server_are_forgotten(remote: Remote) -> None:
    """Listing what is recorded starts no server."""
    run(remote, "x = 1")
    remote.detach()
    server = local.find()
    assert server is not None
    end(server.pid)
    assert remote.sessions() == []
    assert local.find() is None


FORGETFUL = """
import os, sys
from deepnote_kernel.config import Settings
from deepnote_kernel.session.protocol import Cell
from deepnote_kernel.session.remote import Remote
remote = Remote(Settings(base_url='local', mode='direct'))
print(remote.start().session_id, flush=True)
"""

FORKING = """
child = os.fork()
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
list(remote.events(Cell(id='c', code='1')))
print('still there')
"""


def output_of(script: Path, text: str) -> list[str]:
    """Run a program to its end and return what it printed."""
    script.write_text(text)
    # Newer Pythons warn of a fork beside threads, which is what the test is about.
    command = [sys.executable, "-W", "ignore", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50)
    return done.stdout.splitlines()


def test_process_that_ends_stops_its_session(remote: Remote, tmp_path: Path) -> None:
    """A program that forgets to close its remote leaves no session behind."""
    [session_id] = output_of(tmp_path / "forgetful.py", FORGETFUL)
    remote.use(notebook_id="any")
    with pytest.raises(SessionGoneError):
        remote.attach(session_id)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_forked_child_leaves_the_session_alone(tmp_path: Path) -> None:
    """A child that ends in the ordinary way does not stop its parent's session."""
    assert output_of(tmp_path / "forking.py", FORGETFUL + FORKING)[1:] == ["still there"]

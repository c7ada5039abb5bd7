"""The server as a process: how it is told things, what it leaves behind."""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = [sys.executable, "-m", "deepnote_kernel.server"]


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False, **options
    )


def is_alive(pid: int) -> bool:
    """Say whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def kernel_of(session_on: Callable[..., Any]) -> Callable[[Any], int]:
    """Start a session on a server and return the process id of its kernel."""

    def start(server: Any) -> int:
        (output,) = session_on(server).outputs("import os; os.getpid()")
        return int(output["data"]["text/plain"])

    return start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_its_kernels(
    start_server: Callable[..., Any], kernel_of: Callable[[Any], int], number: signal.Signals
) -> None:
    """It ends with status 0 and leaves no kernel behind."""
    server = start_server()
    pid = kernel_of(server)
    server.process.send_signal(number)
    assert server.process.wait(timeout=20) == 0
    assert not is_alive(pid)


def test_a_kernel_dies_with_a_killed_server(
    start_server: Callable[..., Any],
    kernel_of: Callable[[Any], int],
    until: Callable[[Callable[[], object]], None],
) -> None:
    """A server that gets no chance to clean up leaves no kernel behind either."""
    server = start_server()
    pid = kernel_of(server)
    server.process.kill()
    until(lambda: not is_alive(pid))


def test_a_signal_ends_calls_in_progress(
    start_server: Callable[..., Any], session_on: Callable[..., Any], in_background: Any
) -> None:
    """Code that never ends does not keep the server from stopping; its caller gets an answer."""
    server = start_server()
    session = session_on(server)
    call = in_background(session.execute, "import time; time.sleep(600)")
    while session.status()["kernel"]["status"] != "busy":
        time.sleep(0.02)
    server.process.terminate()
    assert server.process.wait(timeout=20) == 0
    assert call.result(20).json() == {"message": "Session kernel is unavailable"}


@pytest.mark.parametrize(
    "request_",
    [b"GET /v2/files/download?projectId=%s&path=large HTTP/1.1", b"POST /v2/notebooks HTTP/1.1"],
    ids=["download", "upload"],
)
def test_a_slow_caller_does_not_keep_it_from_stopping(
    start_server: Callable[..., Any], request_: bytes
) -> None:
    """One who does not read the answer, or stops in the middle of a request, is cut off."""
    server = start_server()
    with server.client() as client, socket.socket() as slow:
        project_id = client.post("/v2/projects", json={"name": "P"}).json()["project"]["id"]
        form = {"projectId": project_id, "path": "large"}
        client.post("/v2/files", data=form, files={"file": bytes(20_000_000)}).raise_for_status()
        slow.connect(("127.0.0.1", client.base_url.port))
        head = request_.replace(b"%s", project_id.encode())
        headers = f"Host: localhost\r\nAuthorization: Bearer {server.token}\r\nContent-Length: 9"
        slow.sendall(head + b"\r\n" + headers.encode() + b"\r\n\r\n")
        client.get("/v2/me")
        server.process.terminate()
        assert server.process.wait(timeout=20) == 0


def test_kernels_leave_no_descriptors_open(
    start_server: Callable[..., Any], until: Callable[[Callable[[], object]], None]
) -> None:
    """A server that has run for long has no more than one that has just begun."""
    server = start_server()
    process = psutil.Process(server.process.pid)
    body = {"notebookId": server.new_notebook("1")}
    counts = []
    with server.client() as client:

        def is_over(path: str) -> bool:
            return client.get(path).json()["run"]["completedAt"] is not None

        for _ in range(4):
            started = client.post("/v2/sessions", json=body).json()
            run_path = f"/v2/runs/{started['run']['runId']}"
            until(functools.partial(is_over, run_path))
            client.delete(f"/v2/sessions/{started['session']['id']}")
            counts.append(process.num_fds())
    assert len({*counts[1:]}) == 1, counts


def test_what_a_killed_server_left_goes_at_the_next_start(
    start_server: Callable[..., Any], tmp_path: Path
) -> None:
    """Private copies of projects, and files that tell how to reach kernels."""
    left = [tmp_path / "copies" / "tmp1" / "data.csv", tmp_path / "connections" / "kernel-1.json"]
    for file in left:
        file.parent.mkdir(parents=True)
        file.touch()
    start_server("--state", str(tmp_path))
    assert not any(file.exists() for file in left)


def test_the_runtime_file_is_private_and_goes(
    start_server: Callable[..., Any], tmp_path: Path
) -> None:
    """Only this user may read the token, and only while the server listens."""
    server = start_server()
    (path,) = tmp_path.glob("server-*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    server.process.terminate()
    server.process.wait(timeout=20)
    assert not path.exists()


def test_the_token_is_made_and_printed_once(tmp_path: Path) -> None:
    """Without a token and a runtime file, a person reads it on the screen."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first, second, third = (process.stdout.readline() for _ in range(3))
        process.terminate()
        rest = process.stdout.read()
    assert first.startswith("Deepnote's API on http://127.0.0.1:")
    assert second.startswith("Token: ")
    assert "DEEPNOTE_TOKEN" in third
    assert rest == ""


def test_a_given_token_is_not_printed_nor_in_the_process_title() -> None:
    """A token given as an argument is out of sight by the time the server listens."""
    with subprocess.Popen(
        [*COMMAND, "--token", "tok-canary", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        title = Path(f"/proc/{process.pid}/cmdline").read_text()
        process.terminate()
        rest = process.stdout.read()
    assert first.startswith("Deepnote's API on ")
    assert "canary" not in title + rest
    assert "--port" in title


def test_kernels_do_not_inherit_tokens(
    start_server: Callable[..., Any], session_on: Callable[..., Any]
) -> None:
    """Neither the account's token, nor the server's, nor a variable that holds it is passed on."""
    environ = {
        "DEEPNOTE_TOKEN": "tok-canary-account",
        "DEEPNOTE_SERVER_TOKEN": "tok-canary-server",
        "COPY": "the token is tok-canary-server",
        "PLAIN": "kept",
    }
    session = session_on(start_server(environ=environ))
    printed = session.text("import os; print(dict(os.environ))")
    assert "canary" not in printed
    assert "'PLAIN': 'kept'" in printed


def test_it_exits_when_idle(start_server: Callable[..., Any]) -> None:
    """With nothing to do for the time given, it ends by itself and cleans up."""
    server = start_server("--exit-when-idle", "0.5")
    assert server.process.wait(timeout=20) == 0


def test_it_does_not_exit_while_a_session_lives(
    start_server: Callable[..., Any], session_on: Callable[..., Any]
) -> None:
    """A session keeps it; the last session's end starts the clock."""
    server = start_server("--exit-when-idle", "2")
    session = session_on(server)
    session.execute("import time; time.sleep(3)")
    assert session.text("print('here')") == "here\n"
    session.client.delete(session.path)
    assert server.process.wait(timeout=20) == 0


def test_projects_outlive_the_server(start_server: Callable[..., Any], tmp_path: Path) -> None:
    """With a state folder of one's own, what was made is there after a restart."""
    state = str(tmp_path / "state")
    first = start_server("--state", state)
    notebook_id = first.new_notebook("1+1")
    first.process.terminate()
    first.process.wait(timeout=20)
    with start_server("--state", state).client() as client:
        blocks = client.get(f"/v2/notebooks/{notebook_id}").json()["notebook"]["blocks"]
    assert [block["content"] for block in blocks] == ["1+1"]


def test_a_run_cut_off_by_a_crash_is_closed_at_the_next_start(
    start_server: Callable[..., Any], session_on: Callable[..., Any], tmp_path: Path
) -> None:
    """A run that can have no end any more is shown as failed, not as running for ever."""
    state = str(tmp_path / "state")
    first = start_server("--state", state)
    session = session_on(first)
    body = {"notebookId": first.new_notebook("import time; time.sleep(600)")}
    run_id = session.client.post("/v2/runs", json=body).json()["runId"]
    first.process.kill()
    first.process.wait()
    with start_server("--state", state).client() as client:
        content = client.get(f"/v2/runs/{run_id}").json()["run"]
        assert client.get(session.path).status_code == 404
    assert (content["status"], content["error"]) == (
        "internal_error",
        "The server stopped during the run",
    )


def test_a_state_folder_has_one_server(start_server: Callable[..., Any], tmp_path: Path) -> None:
    """A second server on the same folder says so in one line."""
    start_server("--state", str(tmp_path))
    second = run("--state", str(tmp_path))
    assert second.returncode == 1
    assert second.stderr == (
        f"The state folder {tmp_path} is used by another server. Choose another --state.\n"
    )


def test_a_runtime_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """The file is named, not the state folder."""
    path = tmp_path / "missing" / "server.json"
    done = run("--runtime-file", str(path), "--state", str(tmp_path / "state"))
    assert done.returncode == 1
    assert done.stderr == (
        f"The runtime file {path} cannot be written: No such file or directory. "
        "Choose another --runtime-file.\n"
    )


def test_a_port_in_use_is_one_line() -> None:
    """An address that is taken is named, with what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        second = run("--port", str(port))
    assert second.returncode == 1
    assert second.stderr == (
        f"Cannot listen on 127.0.0.1:{port}: Address already in use. "
        "Choose another --port or --host.\n"
    )


@pytest.mark.parametrize("port", ["-1", "99999"])
def test_a_port_that_cannot_be_is_refused(port: str) -> None:
    """The system would take what is left of the number in 16 bits."""
    done = run("--port", port)
    assert done.returncode == 2
    assert f"{port} is not between 0 and 65535" in done.stderr


def test_an_unknown_kernel_is_one_line() -> None:
    """A kernelspec that is not installed is refused at the start, not at the first session."""
    second = run("--kernel", "nonesuch")
    assert second.returncode == 1
    assert second.stderr == (
        "There is no kernel named nonesuch. `jupyter kernelspec list` shows those there are.\n"
    )


def test_a_missing_extra_is_one_line() -> None:
    """Without the extra's packages the command says what to install."""
    code = (
        "import sys; sys.modules['uvicorn'] = None; "
        "from deepnote_kernel.server.__main__ import main; sys.exit(main([]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        "The server needs uvicorn, which is not installed. "
        'Run: pip install "deepnote-kernel[server]"\n'
    )


def test_other_addresses_take_any_host_name(start_server: Callable[..., Any]) -> None:
    """Told to listen beyond this computer, it cannot know the names it is called by."""
    server = start_server("--host", "0.0.0.0")
    port = server.url.rpartition(":")[2]
    server.url = f"http://127.0.0.1:{port}"
    with server.client() as client:
        assert client.get("/v2/me", headers={"Host": "desk.example"}).status_code == 200


def test_kernel_processes_belong_to_the_server(
    start_server: Callable[..., Any], kernel_of: Callable[[Any], int]
) -> None:
    """Kernels lead process groups of their own, so that an interrupt reaches their children too."""
    pid = kernel_of(start_server())
    assert os.getpgid(pid) == pid


def test_a_kernel_that_dies_at_its_start_is_started_again(
    start_server: Callable[..., Any], kernel_of: Callable[[Any], int], tmp_path: Path
) -> None:
    """Another program may have taken one of its ports after they were chosen."""
    folder = tmp_path / "jupyter" / "kernels" / "unlucky"
    folder.mkdir(parents=True)
    once = (
        f"mkdir '{tmp_path}/tried' && exit 1; exec '{sys.executable}' -m ipykernel_launcher -f $1"
    )
    spec = {"argv": ["sh", "-c", once, "sh", "{connection_file}"], "display_name": "Unlucky"}
    (folder / "kernel.json").write_text(json.dumps({**spec, "language": "python"}))
    server = start_server(
        "--kernel", "unlucky", environ={"JUPYTER_PATH": str(tmp_path / "jupyter")}
    )
    assert is_alive(kernel_of(server))
    assert (tmp_path / "tried").is_dir()

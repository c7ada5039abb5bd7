"""Commands in a terminal: what moves, and what asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.commands.conftest import make_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.commands.conftest import Place
    from tests.integration.conftest import Server

pexpect = pytest.importorskip("pexpect", reason="terminals of this kind are POSIX's")

PROGRAM = [
    sys.executable,
    "-c",
    "import sys; from deepnote_kernel.cli import main; sys.exit(main())",
]


@pytest.fixture
def environ(server: Server) -> dict[str, str]:
    """The environment of a command for the shared server."""
    return {
        **os.environ,
        "DEEPNOTE_BASE_URL": server.url,
        "DEEPNOTE_TOKEN": server.token,
        "TERM": "xterm-256color",
        "COLUMNS": "120",
    }


@pytest.fixture
def terminal(environ: dict[str, str]) -> Callable[..., Any]:
    """Start a command in a terminal."""

    def start(*words: str) -> Any:
        program, *arguments = [*PROGRAM, *words]
        return pexpect.spawn(
            program, arguments, env=environ, encoding="utf-8", timeout=20, dimensions=(40, 120)
        )

    return start


def ended(child: Any) -> int:
    """Wait for the end of a program in a terminal, and return its exit status."""
    child.expect(pexpect.EOF)
    child.close()
    status: int = child.exitstatus
    return status


@pytest.mark.parametrize(
    ("answer", "status", "told"), [("n", 1, "Nothing was done"), ("y", 0, "Deleted the project")]
)
def test_a_question(
    server: Server,
    terminal: Callable[..., Any],
    answer: str,
    status: int,
    told: str,
) -> None:
    """It names what would be lost, and takes no for an answer."""
    place = make_place(server)
    child = terminal("projects", "delete", place.name)
    child.expect_exact(
        f"Delete the project '{place.name}' with 1 notebook and all its files? [y/N]"
    )
    child.sendline(answer)
    child.expect(told)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == status


def test_ctrl_d_is_no(place: Place, terminal: Callable[..., Any]) -> None:
    """An end of input agrees to nothing."""
    child = terminal("projects", "delete", place.id)
    child.expect_exact("[y/N]")
    child.sendeof()
    child.expect("Nothing was done")
    child.expect(pexpect.EOF)


def test_a_run_moves(place: Place, terminal: Callable[..., Any]) -> None:
    """The line tells the state and the time, and makes way for the outputs."""
    place.add("import time; time.sleep(1); print('d' + 'one')")
    child = terminal("run", place.notebook_id)
    child.expect(r"run \w+: running.*0:00:0\d")
    child.expect("done")
    child.expect("State +success")
    assert ended(child) == 0


def test_ctrl_c_ends_the_wait(place: Place, terminal: Callable[..., Any]) -> None:
    """The run goes on, and the line names it."""
    place.add("import time; time.sleep(60)")
    child = terminal("run", place.notebook_id)
    child.expect("running")
    child.sendintr()
    child.expect(r"No longer waiting for the run [\w-]+; it goes on")
    assert ended(child) == 130


def test_ctrl_c_ends_the_wait_for_an_app(
    server: Server,
    start_server: Callable[..., Server],
    terminal: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """The app goes on starting, and the line names it."""
    (tmp_path / "streamlit.py").write_text("import time; time.sleep(60)")  # stands in for it
    environ = {"PYTHONPATH": str(tmp_path), "DEEPNOTE_SERVER_TOKEN": server.token}
    place = make_place(start_server(environ=environ))
    with place.server.client() as client:
        form = {"projectId": place.id, "path": "app.py"}
        client.post("/v2/files", data=form, files={"file": b""})
    child = terminal("apps", "publish", place.id, "app.py", "--base-url", place.server.url)
    child.expect("starting")
    child.sendintr()
    child.expect(r"No longer waiting for the app [\w-]+; it goes on starting")
    assert ended(child) == 130


def test_a_start_can_be_given_up(place: Place, terminal: Callable[..., Any]) -> None:
    """A person reads that no machine goes on costing money."""
    place.add("import time; time.sleep(60)")
    child = terminal("start", place.notebook_id)
    child.expect("running the notebook")
    child.sendintr()
    child.expect("Given up: nothing was left running")
    assert ended(child) == 130


def test_a_file_moves(place: Place, terminal: Callable[..., Any], tmp_path: Path) -> None:
    """A bar, and how much has been sent."""
    source = tmp_path / "large [1].bin"
    source.write_bytes(bytes(20_000_000))
    child = terminal("files", "put", place.id, str(source))
    child.expect(r"put large \[1\]\.bin.*?━.*?MB")
    child.expect(r"File +Size")
    child.expect(r"large \[1\]\.bin +20\.0 MB")
    child.expect(pexpect.EOF)


def test_a_pipe_gets_nothing_but_results(environ: dict[str, str], place: Place) -> None:
    """Outside a terminal nothing moves: stdout is the result, stderr is empty."""
    place.add("print('hello')")
    done = subprocess.run(
        [*PROGRAM, "run", place.notebook_id],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.startswith("hello\n")
    assert done.stderr == ""


def test_bash_completes(environ: dict[str, str]) -> None:
    """The printed script completes nouns, verbs, options and choices, also after ``jupyter``."""
    asking = """
eval "$("$@")"
ask() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
  _jupyter_deepnote_of_jupyter
  echo "${COMPREPLY[*]}"
}
ask jupyter deepnote proj
ask jupyter deepnote runs ""
ask jupyter deepnote run X --stor
ask jupyter deepnote run X --storage-mode ""
ask jupyter lab ""
complete -p jupyter-deepnote >/dev/null && echo registered
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", asking, "bash", *PROGRAM, "completion", "bash"],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.splitlines() == [
        "projects",
        "list show snapshot",
        "--storage-mode",
        "read_write readonly",
        "",
        "registered",
    ]


def test_an_interrupted_question_ends_its_line(terminal: Callable[..., Any]) -> None:
    """The shell's next prompt begins on a line of its own."""
    child = terminal("login")
    child.expect_exact("API key: ")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert (child.before.splitlines()[-1:], child.exitstatus) == ([""], 130)


def test_a_reader_may_go_first(environ: dict[str, str]) -> None:
    """``| head`` is no failure of the command: nothing is said, and the status is a shell's own."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as output:
        ended = subprocess.run(
            [*PROGRAM, "me"], env=environ, stdout=output, stderr=subprocess.PIPE, check=False
        )
    assert (ended.stderr, ended.returncode) == (b"", 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(environ: dict[str, str]) -> None:
    """Output that cannot be written is named, without a traceback."""
    with Path("/dev/full").open("wb") as output:
        ended = subprocess.run(
            [*PROGRAM, "me"], env=environ, stdout=output, stderr=subprocess.PIPE, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"jupyter deepnote me: [Errno 28]")


def test_a_traceback_has_no_colours_in_a_file(server: Server, environ: dict[str, str]) -> None:
    """The escape codes that IPython puts into it are for terminals."""
    place = make_place(server)
    place.add("1/0")
    ended = subprocess.run(
        [*PROGRAM, "run", place.notebook_id],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ZeroDivisionError: division by zero" in ended.stderr
    assert "\x1b" not in ended.stderr
    assert ended.returncode == 7

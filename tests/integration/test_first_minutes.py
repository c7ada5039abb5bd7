"""From the first cell without anything to the first remote cell: each message leads to the next."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from deepnote_kernel.session import scratch
from deepnote_kernel.session.record import Record, Records
from tests.integration.commands.conftest import make_place
from tests.integration.conftest import run_kernel, run_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.commands.conftest import Place
    from tests.integration.conftest import Notebook, Ran, Server

PROGRAM = [sys.executable, "-m", "jupyter", "deepnote"]
TOKEN = "the-api-key-of-these-tests"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose notebooks are those of these tests."""
    with run_server(tmp_path_factory.mktemp("server"), "--token", TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def sales(server: Server) -> Place:
    """A project whose notebook leaves a variable behind when it runs."""
    place = make_place(server)
    place.add("revenue = 42")
    return place


@pytest.fixture(scope="module")
def environ(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of somebody whose computer has a keyring."""
    return {
        "DEEPNOTE_BASE_URL": server.url,
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
        "XDG_DATA_HOME": str(tmp_path_factory.mktemp("keyring")),
    }


@pytest.fixture(scope="module")
def kernel(server: Server) -> Iterator[Notebook]:
    """A kernel with a key that has been revoked, and without a keyring."""
    environ = {"DEEPNOTE_BASE_URL": server.url, "DEEPNOTE_TOKEN": "a-key-of-last-year"}
    with run_kernel("deepnote", environ) as running:
        yield running


def _line(ran: Ran) -> str:
    """Return the one line that a cell failed with, having checked how it is written."""
    assert ran.status == "error", ran.messages
    (error,) = ran.contents("error")
    (shown,) = error["traceback"]
    line: str = error["evalue"]
    assert re.sub(r"\x1b\[\d+m", "", shown) == f"{error['ename']}: {line}"
    assert re.fullmatch(r"[A-Z].*[.!]", line), line
    assert not re.match(r".{0,20}\b(GET|POST|PUT|PATCH|DELETE)\b", line)
    assert TOKEN not in repr(ran.messages)
    return line


def _listed(ran: Ran) -> list[list[str]]:
    """Return the lines of the offered list, without its headings."""
    text: str = ran.contents("display_data")[0]["data"]["text/plain"]
    return [line.split() for line in text.splitlines()[1:]]


def test_the_way_to_the_first_remote_cell(
    environ: dict[str, str], server: Server, sales: Place
) -> None:
    """Each message names the next step, and the last one runs a cell on the other side."""
    with run_kernel("deepnote", environ) as newcomer:
        assert "`%deepnote login`" in _line(newcomer.run("6 * 7"))

        login = newcomer.run("%deepnote login", answers=iter([TOKEN]))
        assert "Settings & members > Security > API keys" in login.text()
        assert "The API key is in file PlaintextKeyring." in login.text()
        assert login.text().splitlines()[-1] == "Next: %deepnote start"
        assert TOKEN not in repr(login.messages)

        assert "Run `%deepnote start`" in _line(newcomer.run("6 * 7"))

        start = newcomer.run("%deepnote start", answers=iter(["1"]))
        assert _listed(start)[1][:3] == ["1", "Notebook", "1"]
        assert start.text().splitlines()[-1] == "Next time: %deepnote start 'Notebook 1'"
        assert newcomer.run("revenue").result == "42"

    # Another day, the key is still there.
    with run_kernel("deepnote", environ) as back:
        assert back.run(f"%deepnote start {sales.notebook_id}").status == "ok"
        assert back.run("revenue").result == "42"


def test_a_revoked_key_is_replaced(kernel: Notebook) -> None:
    """The first cell says how; without a keyring the new key holds for this kernel."""
    line = _line(kernel.run("%deepnote start"))
    assert line.startswith("Deepnote does not accept the API key: ")
    assert "Run `%deepnote login`" in line
    login = kernel.run("%deepnote login", answers=iter([TOKEN]))
    assert login.status == "ok", login.reply
    assert "The API key holds until this kernel ends. This computer has no keyring" in login.text()
    assert "To make it last, set DEEPNOTE_TOKEN" in login.text()
    assert "DEEPNOTE_TOKEN holds another one" in login.text()
    assert kernel.run("%deepnote projects").status == "ok"


def test_a_wrong_key_is_not_kept(environ: dict[str, str], tmp_path: Path) -> None:
    """It is tried before it goes into the keyring."""
    done = subprocess.run(
        [*PROGRAM, "login", "--with-token"],
        input="not-a-key-of-anybody\n",
        env={**os.environ, **environ, "XDG_DATA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Deepnote does not accept the API key" in done.stderr
    assert list(tmp_path.rglob("*.cfg")) == []
    assert "not-a-key" not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def ipython(server: Server) -> Iterator[Notebook]:
    """A notebook on ipykernel, with a good key."""
    environ = {"DEEPNOTE_BASE_URL": server.url, "DEEPNOTE_TOKEN": TOKEN}
    with run_kernel("python3", environ) as running:
        assert running.run("%load_ext deepnote_magics").status == "ok"
        yield running


@pytest.fixture
def _nothing_chosen(ipython: Notebook, sales: Place) -> None:
    """Forget the notebook that an earlier test chose, and its session."""
    assert sales.notebook_id
    assert ipython.run("%reload_ext deepnote_magics").status == "ok"


@pytest.mark.usefixtures("_nothing_chosen")
class TestStart:
    """``%deepnote start`` where no notebook is named."""

    def test_the_latest_comes_first(self, ipython: Notebook, server: Server, sales: Place) -> None:
        """What ran last stands at number 1, an empty notebook at 0, and scratch ones nowhere."""
        ipython.run(f"%deepnote run {sales.notebook_id}")
        make_place(server)
        make_place(server, name=scratch.NAME)
        ran = ipython.run("%deepnote start", answers=iter([""]))
        shown = _listed(ran)
        assert [line[0] for line in shown] == [str(number) for number in range(len(shown))]
        assert sales.name in " ".join(shown[1])
        assert scratch.NAME not in repr(shown)
        assert ran.contents("display_data")[0]["data"]["text/html"].startswith("<table>")

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            ("", "No notebook was chosen, and no session started."),
            ("99", "There is no number 99 in the list. It goes from 0 to "),
            ("Nothing", "There is no notebook named 'Nothing'. `%deepnote notebooks` lists them"),
        ],
    )
    def test_a_slip_starts_nothing(self, ipython: Notebook, answer: str, told: str) -> None:
        """The line says what was wrong with the answer."""
        assert _line(ipython.run("%deepnote start", answers=iter([answer]))).startswith(told)
        assert ipython.run("s = %deepnote status\ns.state").result == "'not started'"

    def test_where_nobody_can_be_asked(self, ipython: Notebook) -> None:
        """A notebook that is executed as a whole shows the list and what to type."""
        ran = ipython.run("%deepnote start")
        assert len(_listed(ran)) > 1
        line = _line(ran)
        assert "`%deepnote start NOTEBOOK`" in line
        assert "`%deepnote start --scratch`" in line

    def test_a_name_will_do(self, ipython: Notebook, sales: Place) -> None:
        """The name typed is what the next start may be given."""
        name = f"{sales.name}/Notebook 1"
        ran = ipython.run("%deepnote start", answers=iter([name]))
        assert ran.text().splitlines()[-1] == f"Next time: %deepnote start '{name}'"
        ipython.run("%deepnote pull revenue")
        assert ipython.run("revenue").result == "42"

    def test_twins_are_told_apart(self, ipython: Notebook, server: Server) -> None:
        """Where a name and its project's name are not enough, the id is what to type."""
        twins = [make_place(server, name="Twins").notebook_id for _ in range(2)]
        offered = ipython.run("%deepnote start", answers=iter([""]))
        number = next(line[0] for line in _listed(offered) if "Twins" in line)
        ran = ipython.run("%deepnote start", answers=iter([number]))
        assert ran.text().split()[-1] in twins

    def test_zero_is_an_empty_notebook(self, ipython: Notebook) -> None:
        """It is made and runs nothing; a second start does not ask."""
        ran = ipython.run("%deepnote start", answers=iter(["0"]))
        assert ran.text().splitlines()[-1] == "Next time: %deepnote start --scratch"
        assert ipython.run("%%deepnote\nprint(dir().count('revenue'))").text() == "0\n"
        assert ipython.run("%deepnote start").status == "ok"


class Trouble(NamedTuple):
    """What keeps a session from starting, and what the person is told."""

    headline: str
    remedy: str
    fault: dict[str, Any] | None = None
    options: str = ""


TROUBLES = {
    "no rights": Trouble(
        "Deepnote does not allow this: Fault on demand (403, POST /v2/sessions). ",
        "sessions need a paid plan",
        {"path": "/v2/sessions", "effect": "status", "status": 403},
    ),
    "a server in trouble": Trouble(
        "Deepnote is in trouble: Fault on demand (500, POST /v2/sessions). ",
        "A machine may have started all the same",
        {"path": "/v2/sessions", "effect": "status", "status": 500},
    ),
    "a proxy": Trouble(
        "A web page answered in Deepnote's place (502, POST /v2/sessions). ",
        "A machine may have started all the same",
        {"path": "/v2/sessions", "effect": "status", "status": 502, "html": True},
    ),
    "a login page": Trouble(
        "The answer cannot be read: it is a redirect (302, POST /v2/sessions). ",
        "no proxy or login page answers in Deepnote's place",
        {"path": "/v2/sessions", "effect": "status", "status": 302, "html": True},
    ),
    "a broken connection": Trouble(
        "The request to http://127.0.0.1:",
        "A machine may have started all the same",
        {"path": "/v2/sessions", "effect": "drop"},
    ),
    "an unknown notebook": Trouble(
        "Deepnote does not find this: Notebook not found (404, POST /v2/sessions). ",
        "`%deepnote notebooks` lists those the API key can see",
        options="0" * 32,
    ),
    "no server": Trouble(
        "The request did not reach http://127.0.0.1:9 after 3 attempts: ",
        "Is the server running?",
        options="--scratch --base-url http://127.0.0.1:9",
    ),
}


@pytest.fixture
def choose(kernel: Notebook, server: Server, sales: Place) -> Callable[[str], None]:
    """Choose where the next session runs, from a good state."""

    def choose(options: str) -> None:
        kernel.run("%deepnote login", answers=iter([TOKEN]))
        for place in (f"--base-url {server.url} {sales.notebook_id}", options):
            chosen = kernel.run(f"%deepnote use {place}")
            assert chosen.status == "ok", chosen.reply

    return choose


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_a_session_that_does_not_start(
    kernel: Notebook,
    choose: Callable[[str], None],
    fault: Callable[..., None],
    trouble: Trouble,
) -> None:
    """The first cell fails with one line: what it means, then what to do."""
    choose(trouble.options)
    if trouble.fault:
        fault(**trouble.fault)
    line = _line(kernel.run("6 * 7"))
    assert line.startswith(trouble.headline)
    assert trouble.remedy in line


def test_a_suspended_project(
    kernel: Notebook, server: Server, choose: Callable[[str], None]
) -> None:
    """Deepnote's own words, and who can help."""
    place = make_place(server)
    with server.client() as client:
        client.put(f"/faults/projects/{place.id}", json={"suspended": True}).raise_for_status()
    choose(place.notebook_id)
    line = _line(kernel.run("6 * 7"))
    assert line.startswith("Deepnote cannot do this now: Project is suspended (409, ")
    assert "Resume the project in Deepnote" in line


def test_a_project_for_one_notebook(
    kernel: Notebook, server: Server, choose: Callable[[str], None]
) -> None:
    """An empty notebook cannot be put there: the type is named, and the way around."""
    place = make_place(server, projectType="agent")
    choose(f"--scratch --project {place.id}")
    line = _line(kernel.run("6 * 7"))
    assert line.startswith(f"The project '{place.name}' takes no notebook besides its own: ")
    assert "--project" in line


def test_a_key_that_expires_in_mid_session(
    kernel: Notebook, server: Server, choose: Callable[[str], None]
) -> None:
    """After a new login the session goes on where it was."""
    choose("")
    assert kernel.run("revenue += 1; revenue").result == "43"
    expired = {"path": "/v2/sessions/*", "effect": "status", "status": 401}
    with server.client() as client:
        client.post("/faults", json=expired).raise_for_status()
        assert _line(kernel.run("revenue")).startswith("Deepnote does not accept the API key: ")
        client.delete("/faults").raise_for_status()
    login = kernel.run("%deepnote login", answers=iter([TOKEN]))
    assert re.search(r"^Session [\w-]+ goes on\.$", login.text(), re.MULTILINE)
    assert kernel.run("revenue").result == "43"
    assert kernel.run("%deepnote stop").status == "ok"


def test_the_doctor_leads_on_in_a_shell(environ: dict[str, str], tmp_path: Path) -> None:
    """What is missing is named with the command that mends it."""
    done = subprocess.run(
        [*PROGRAM, "doctor"],
        env={**os.environ, **environ, "XDG_DATA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.search(r"\nToken +failed +none\n +→ Run jupyter deepnote login, ", done.stdout)


@pytest.mark.parametrize(
    ("path", "token", "row"),
    [("/elsewhere", TOKEN, "Server"), ("", "wrong", "Token"), ("", "two words", "Token")],
)
def test_the_doctor_tells_the_key_from_the_server(
    server: Server, path: str, token: str, row: str
) -> None:
    """Nobody makes a new API key because an address was mistyped."""
    done = subprocess.run(
        [*PROGRAM, "doctor"],
        env={**os.environ, "DEEPNOTE_BASE_URL": server.url + path, "DEEPNOTE_TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.findall(r"\n(\w+) +failed", done.stdout) == [row]


def test_the_doctor_looks_at_project_and_sessions(server: Server, tmp_path: Path) -> None:
    """An id of another workspace is found before a session is started with it."""
    environ = {"DEEPNOTE_BASE_URL": server.url, "DEEPNOTE_TOKEN": TOKEN}
    environ |= {"DEEPNOTE_PROJECT_ID": "nowhere", "JUPYTER_DATA_DIR": str(tmp_path)}
    Records(tmp_path / "deepnote" / "sessions").save(
        Record(id="left", notebook_id="n", base_url="http://127.0.0.1:9", state="unknown")
    )
    done = subprocess.run(
        [*PROGRAM, "doctor"],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.search(r"\nProject +failed .*Project not found.*\n +→ ", done.stdout)
    assert re.search(r"\nSession +warning +left, unknown, .*\n +→ .* stop left", done.stdout)


def test_a_terminal_asks(server: Server, sales: Place) -> None:
    """``jupyter deepnote start`` offers the same list, and says what to type next time."""
    pexpect = pytest.importorskip("pexpect", reason="terminals of this kind are POSIX's")
    environ = {**os.environ, "DEEPNOTE_BASE_URL": server.url, "DEEPNOTE_TOKEN": TOKEN}
    program, *arguments = [*PROGRAM, "start"]
    child = pexpect.spawn(
        program, arguments, env=environ, encoding="utf-8", timeout=30, dimensions=(40, 120)
    )
    child.expect("0  an empty one, made for you")
    child.expect("Its number or name, 0 for an empty one: ")
    child.sendline("0")
    child.expect_exact("Next time: jupyter deepnote start --scratch")
    child.expect(r"Session [\w-]+ is ready after \d+ s\.")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    subprocess.run([*PROGRAM, "stop", "--all"], env=environ, check=True, capture_output=True)

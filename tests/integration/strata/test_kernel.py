"""The Strata kernel as a front end meets it: a process of its own, a real server."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.strata.calls import notebooks, sessions
from tests.integration.strata.front_end import errors
from tests.integration.strata.kernel import open_strata_kernel
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepnote_kernel.strata import Client
    from tests.integration.notebook import JSON, Notebook
    from tests.integration.strata.servers import StrataServer

pytestmark = pytest.mark.timeout(180)  # the first test of a run starts the server


@pytest.fixture(scope="module")
def kernel(strata: StrataServer) -> Iterator[Notebook]:
    """A kernel that the tests of this module share."""
    with open_strata_kernel(strata.url) as notebook:
        notebook.run("pass")
        yield notebook


def folders(client: Client) -> set[str]:
    """Return the folders of the notebooks on the server."""
    return {entry.path for entry in client.send(notebooks.discover())}


def opened(client: Client) -> set[str]:
    """Return the folders of the notebooks that the server has open."""
    return {session.path for session in client.send(sessions.list_())}


def test_a_kernel_alone_opens_nothing(strata: StrataServer, client: Client) -> None:
    """Nor do questions, an editor's own code and ``%strata`` lines; the first cell does."""
    before = folders(client)
    with open_strata_kernel(strata.url) as notebook:
        notebook.run("%strata status")
        notebook.run("import sys\nprint(sys.executable)", silent=True, store_history=False)
        notebook.ask("complete_request", {"code": "pri", "cursor_pos": 3})
        notebook.ask("kernel_info_request", {})
        assert folders(client) == before
        notebook.run("pass")
        assert len(folders(client) - before) == 1
    assert folders(client) == before, "a notebook that nobody would find again is deleted"


def test_a_start_is_shown_and_goes_away(strata: StrataServer) -> None:
    """A quick one leaves nothing below the cell."""
    with open_strata_kernel(strata.url) as notebook:
        result = notebook.run("'first'")
    shown = [c["data"]["text/plain"] for kind, c in result.messages if kind == "display_data"]
    assert shown == ["Strata: opening the notebook …"]
    assert result.kinds[-2:] == ["clear_output", "execute_result"]


def test_values_errors_and_counts(kernel: Notebook) -> None:
    """A result, then an exception, with their numbers."""
    first, second = kernel.run("6 * 7"), kernel.run("1 / 0")
    assert first.value == "42"
    assert second.reply["ename"] == "ZeroDivisionError"
    assert second.reply["execution_count"] == first.reply["execution_count"] + 1


def sleeping(kernel: Notebook, begun: Path) -> str:
    """Send a cell that sleeps, wait until it does, and return its message id."""
    msg_id = kernel.send(f"open({str(begun)!r}, 'w').close()\nimport time\ntime.sleep(60)")
    wait_until(begun.exists)
    return msg_id


def test_an_interrupt_reaches_the_cell(kernel: Notebook, tmp_path: Path) -> None:
    """The interrupt button; the next cell runs at once."""
    msg_id = sleeping(kernel, tmp_path / "begun")
    kernel.interrupt()
    assert kernel.collect(msg_id).reply["ename"] == "KeyboardInterrupt"
    assert kernel.run("'next'").value == "'next'"


def test_questions_are_answered_while_a_cell_runs(kernel: Notebook, tmp_path: Path) -> None:
    """From the text of the cells: their values are out of reach."""
    kernel.run("forecast = 3")
    msg_id = sleeping(kernel, tmp_path / "begun")
    question = {"code": "foreca", "cursor_pos": 6}
    wait_until(lambda: "forecast" in kernel.ask("complete_request", question)["matches"])
    kernel.interrupt()
    assert kernel.collect(msg_id).reply["ename"] == "KeyboardInterrupt"


def test_local_cells_and_lines(kernel: Notebook) -> None:
    """``%%local`` and ``%strata`` run here, before the rest of the cell."""
    assert kernel.run("%%local\nimport os\nos.getppid()").value == str(os.getpid())
    assert kernel.run("status = %strata status\nlater = 1").reply["status"] == "ok"
    assert kernel.run("%%local\nstatus.state").value == "'idle'"
    assert kernel.run("later").value == "1"


def test_a_cell_for_deepnote_runs_there(kernel: Notebook) -> None:
    """``%%deepnote`` has a session of its own, which needs a token."""
    result = kernel.run("%%deepnote\n1")
    assert "API key for Deepnote" in str(result.reply["evalue"])


def test_comms_are_closed(kernel: Notebook) -> None:
    """Strata has no widgets: whoever opens one is told."""
    content = {"comm_id": "c1", "target_name": "jupyter.widget", "data": {}}
    kernel.client.shell_channel.send(kernel.client.session.msg("comm_open", content))

    def is_closed(found: list[JSON]) -> Any:
        return any(message["msg_type"] == "comm_close" for message in found)

    kernel.later(is_closed)


def test_input_is_refused(kernel: Notebook) -> None:
    """In one line, before anything runs."""
    result = kernel.run("input('name? ')", answers=["me"])
    assert (
        result.reply["evalue"] == "A cell on Strata takes no input. Write the answer into the cell."
    )


def test_a_restart_keeps_notebook_and_packages(
    strata: StrataServer, client: Client, tmp_path: Path
) -> None:
    """The variables are gone; the Strata notebook, found by the Jupyter notebook's path, is not."""
    document = str(tmp_path / "Sales.ipynb")
    before = folders(client)
    with open_strata_kernel(strata.url, JPY_SESSION_NAME=document) as notebook:
        notebook.run("x = 1\nopen('file', 'w').close()")
        [made] = folders(client) - before
        notebook.manager.restart_kernel()
        notebook.client.wait_for_ready(timeout=60)
        assert notebook.run("x").reply["ename"] == "NameError"
        assert notebook.run("import os\nos.path.exists('file')").value == "True"
    assert Path(made).name.startswith("jupyter-sales-")
    assert folders(client) - before == {made}
    assert made not in opened(client), "a kernel that ends closes its notebook"


def test_sigterm_closes_the_notebook(strata: StrataServer, client: Client) -> None:
    """VS Code sends nothing else."""
    before = folders(client)
    with open_strata_kernel(strata.url) as notebook:
        notebook.run("pass")
        provisioner: Any = notebook.manager.provisioner
        os.kill(provisioner.pid, signal.SIGTERM)
        wait_until(lambda: folders(client) == before)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"STRATA_URL": "http://127.0.0.1:1"}, "did not reach http://127.0.0.1:1"),
        ({"STRATA_URL": "ftp://here"}, "ftp://here"),
        ({"STRATA_MODE": "live"}, "The Strata mode is 'live'. It must be jupyter or reactive."),
        ({"STRATA_NOTEBOOK": "/nowhere/at/all"}, "answered 400"),
    ],
)
def test_trouble_is_told_in_one_line(
    environ: dict[str, str], message: str, strata: StrataServer
) -> None:
    """The server is off, the address or a setting is wrong."""
    url = environ.pop("STRATA_URL", strata.url)
    with open_strata_kernel(url, **environ) as notebook:
        reply = notebook.run("1").reply
    assert message in reply["evalue"]
    assert len(reply["traceback"]) == 1


def test_a_header_stays_secret(strata: StrataServer) -> None:
    """What goes along with requests shows nowhere."""
    with open_strata_kernel(strata.url, STRATA_HEADERS="X-Token: s3cret-value") as notebook:
        shown = [notebook.run(code) for code in ("1", "%strata status", "%strata config", "1/0")]
    assert "s3cret-value" not in str(shown)


def test_several_deliveries_of_deleted_cells(kernel: Notebook) -> None:
    """JupyterLab tells of deleted cells along with the next one."""
    message = kernel.client.session.msg(
        "execute_request",
        {"code": "'after'", "silent": False, "store_history": True, "allow_stdin": False},
        metadata={"cellId": "new", "deletedCells": ["one", "two"]},
    )
    kernel.client.shell_channel.send(message)
    result = kernel.collect(message["header"]["msg_id"])
    assert result.value == "'after'"
    assert errors(result) == ""

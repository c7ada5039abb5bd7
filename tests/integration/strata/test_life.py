"""A notebook outlives its session: servers restart, people close things, kernels go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.errors import ConnectionFailedError, SessionError, SessionGoneError
from deepnote_kernel.strata.calls import cells, notebooks
from tests.integration.strata.conftest import server_python
from tests.integration.strata.front_end import open_front_end
from tests.integration.strata.servers import run_strata

if TYPE_CHECKING:
    from pathlib import Path

    from deepnote_kernel.strata import Client
    from tests.integration.strata.servers import StrataServer

pytestmark = pytest.mark.timeout(180)  # the first test of a run starts the server


def test_a_server_may_restart(tmp_path: Path) -> None:
    """Cells fail in one line while it is off; afterwards variables are there as before."""
    python = server_python("STRATA_PYTHON")
    with run_strata(python, tmp_path) as server:
        url = server.url
        session = open_front_end(url, document="/home/me/Life.ipynb")
        front_end = session.__enter__()
        front_end.run("x = 41", "a")
    try:
        with pytest.raises(ConnectionFailedError, match="did not reach"):
            front_end.run("x + 1", "b")
        with run_strata(python, tmp_path, STRATA_PORT=url.rpartition(":")[2]):
            assert front_end.value("x + 1", "b") == "42"
            assert front_end.remote.complete("x.bit_c", 7, timeout_s=20)["matches"] == [
                "x.bit_count"
            ]
            session.__exit__(None, None, None)
    finally:
        front_end.remote.close(1)


def test_a_session_that_was_closed_is_opened_again(strata: StrataServer, client: Client) -> None:
    """Somebody may close the notebook in Strata, or it has been idle for long."""
    with open_front_end(strata.url) as front_end:
        front_end.run("x = 1", "a")
        assert front_end.remote.session is not None
        client.send(notebooks.close(front_end.remote.session.session_id))
        assert front_end.value("x", "b") == "1"


def test_a_notebook_is_attached_to_as_it_is(strata: StrataServer) -> None:
    """Another process goes on with the variables; a start would find none."""
    with open_front_end(strata.url, notebook_id="attach test") as first:
        first.run("x = 1", "a")
        assert first.remote.session is not None
        path = first.remote.session.notebook_id
        first.remote.detach()
    with open_front_end(strata.url) as second:
        second.remote.attach(path)
        assert second.value("x", "b") == "1"
    with open_front_end(strata.url, notebook_id="attach test") as third:
        assert third.run("x", "c").reply["ename"] == "NameError"


def test_a_session_that_is_gone_cannot_be_attached_to(strata: StrataServer) -> None:
    """Its notebook can, by its path."""
    with (
        open_front_end(strata.url) as front_end,
        pytest.raises(SessionGoneError, match="has ended; its notebook is still there"),
    ):
        front_end.remote.attach("11111111-1111-4111-8111-111111111111")


def test_stopping_is_final(strata: StrataServer) -> None:
    """The next cell says how to go on; another notebook is not opened behind one's back."""
    with open_front_end(strata.url) as front_end:
        front_end.run("x = 1", "a")
        front_end.remote.stop()
        with pytest.raises(SessionGoneError, match="%strata start"):
            front_end.run("x", "b")
        front_end.remote.start()
        assert front_end.run("x", "b").reply["ename"] == "NameError"


def test_somebodys_own_notebook_is_not_cleared(strata: StrataServer, client: Client) -> None:
    """Cells that a person has written in Strata stay, and are seen."""
    theirs = strata.new_notebook(client, "theirs")
    cell = client.send(cells.add(theirs.session_id))
    client.send(cells.update(theirs.session_id, cell.id, source="given = 5"))
    with open_front_end(strata.url, notebook_id=theirs.path) as front_end:
        assert front_end.value("given + 1", "a") == "6"
        front_end.remote.restart()
        assert front_end.value("given + 2", "a") == "7"
    sources = [c.source for c in client.send(notebooks.open_(theirs.path)).cells]
    assert sources[0] == "given = 5"


def test_a_failed_installation_does_no_harm(strata: StrataServer) -> None:
    """The notebook opens the next time, and its cells run."""
    with open_front_end(strata.url, document="/home/me/Harm.ipynb") as first:
        with pytest.raises(SessionError, match="could not be changed"):
            first.run("%pip install no-such-package-here")
        assert first.value("1 + 1") == "2"
    with open_front_end(strata.url, document="/home/me/Harm.ipynb") as second:
        assert second.value("1 + 1") == "2"

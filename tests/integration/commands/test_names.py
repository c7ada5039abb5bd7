"""Names and ids there are on a server, to complete a word with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.api import Client
from deepnote_kernel.commands.names import known_names
from deepnote_kernel.config import Secret, Settings
from deepnote_magics._completion import Names, workspace_names
from tests.integration.commands.conftest import make_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.commands.conftest import Place, Shell
    from tests.integration.conftest import Server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """A client of the shared server."""
    with Client(token=Secret(server.token), base_url=server.url) as opened:
        yield opened


@pytest.fixture
def names(server: Server) -> Names:
    """Names of the shared server."""
    settings = Settings(token=Secret(server.token), base_url=server.url)
    return Names(lambda: settings, workspace_names, wait_s=20)


def test_projects(client: Client, place: Place) -> None:
    """Each by its name and by its id."""
    assert {place.name, place.id} <= {*known_names(client, "project")}


def test_notebooks_of_one_name(client: Client, server: Server) -> None:
    """A path tells them apart, where the name alone would not."""
    places = [make_place(server), make_place(server)]
    found = known_names(client, "notebook")
    assert {f"{place.name}/Notebook 1" for place in places} <= {*found}
    assert {place.notebook_id for place in places} <= {*found}
    assert "Notebook 1" not in found


def test_runs(client: Client, place: Place, shell: Shell) -> None:
    """Those of the notebooks that ran last."""
    place.add("1")
    run = shell("run", place.notebook_id, "--no-wait", "--json").json
    assert run["runId"] in known_names(client, "run")


def test_machines_and_others(client: Client) -> None:
    """Of what has no names there are none."""
    assert known_names(client, "machine") == ["local"]
    assert known_names(client, "nonsense") == []


def test_an_answer_is_remembered(names: Names, server: Server, fault: Callable[..., None]) -> None:
    """The tab key is pressed often, the server is asked once."""
    first = names.of("project")
    fault(method="GET", path="/v2/projects", effect="status", status=403)
    assert first
    assert names.of("project") == first


def test_an_answer_that_is_late_serves_the_next_question(
    server: Server, place: Place, fault: Callable[..., None]
) -> None:
    """The person waits for no server; what it says is there when the key is pressed again."""
    settings = Settings(token=Secret(server.token), base_url=server.url)
    names = Names(lambda: settings, workspace_names, wait_s=0.05)
    fault(path="/v2/projects", effect="delay", seconds=0.3)
    assert names.of("project") == []
    deadline = time.monotonic() + 20
    while not names.of("project") and time.monotonic() < deadline:
        continue
    assert place.name in names.of("project")

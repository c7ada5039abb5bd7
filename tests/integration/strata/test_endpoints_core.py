"""Materialize and stream on a real server, over an Iceberg warehouse that the tests make."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.strata.arrow import read_table
from deepnote_kernel.strata.calls import core
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    import pyarrow as pa

    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.models import Build
    from tests.integration.strata.servers import StrataServer

COLUMNS = {"columns": ["id", "value"]}


@pytest.fixture(scope="module")
def events(strata: StrataServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URI of a table with a thousand rows."""
    folder = tmp_path_factory.mktemp("warehouse")
    script = Path(__file__).with_name("warehouse.py")
    subprocess.run([strata.python, script, folder], check=True)
    return f"{folder.as_uri()}#db.events"


def materialized(client: Client, uri: str) -> pa.Table:
    """Return the rows of a scan."""
    answer = client.send(core.materialize([uri], params=COLUMNS))
    return read_table(client.send(core.stream(answer.stream_url)))


def test_a_scan_streams_its_rows(client: Client, events: str) -> None:
    """What is not there yet is read while it is made."""
    answer = client.send(core.materialize([events], params=COLUMNS, name="all_events"))
    assert (answer.hit, answer.state, answer.stream_url) == (
        False,
        "building",
        f"/v1/streams/{answer.stream_id}",
    )
    table = read_table(client.send(core.stream(answer.stream_id)))
    assert (table.num_rows, table.column("value")[999].as_py()) == (1000, 499.5)


def test_what_is_there_is_not_made_again(client: Client, events: str) -> None:
    """The second time it is a hit, with the same rows."""
    first = materialized(client, events)
    answer = client.send(core.materialize([events], params=COLUMNS))
    assert answer.hit
    assert read_table(client.send(core.stream(answer.stream_url))) == first


def test_an_artifact_is_built_and_queried(client: Client, events: str) -> None:
    """A query over an artifact is a build, which names the artifact when it has ended."""
    scan = client.send(core.materialize([events], params={"columns": ["id"]}, mode="artifact"))
    wait_for_build(client, scan.build_id)
    query = core.materialize(
        [scan.artifact_uri],
        executor="duckdb_sql@v1",
        params={"sql": "SELECT count(*) AS n FROM input0 WHERE id < 10"},
        mode="artifact",
    )
    built = wait_for_build(client, client.send(query).build_id)
    table = read_table(client.send(core.artifact(built.artifact_id, built.version)))
    assert table.to_pydict() == {"n": [10]}


def wait_for_build(client: Client, build_id: str) -> Build:
    """Wait until a build is ready and return it."""
    wait_until(lambda: client.send(core.build(build_id)).state in {"ready", "failed"})
    build = client.send(core.build(build_id))
    assert build.state == "ready", build
    return build

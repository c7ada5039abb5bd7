"""What cells have stored and shown, read from a real server beyond its preview."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from deepnote_kernel.strata.arrow import read_table
from deepnote_kernel.strata.calls import cells, data

if TYPE_CHECKING:
    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.models import Notebook

SOURCE = """\
import pyarrow as pa
table = pa.table({"n": list(range(30)), "word": [f"w{n}" for n in range(30)]})
table
"""


@pytest.fixture(scope="module")
def cell_id(client: Client, notebook: Notebook) -> str:
    """Give a cell that has shown a table, and stored it for another cell."""
    cell = client.send(cells.add(notebook.session_id))
    client.send(cells.update(notebook.session_id, cell.id, source=SOURCE))
    user = client.send(cells.add(notebook.session_id))
    client.send(cells.update(notebook.session_id, user.id, source="table"))
    client.send(cells.execute(notebook.session_id, cell.id))
    return cell.id


@pytest.fixture
def artifact_uri(client: Client, notebook: Notebook, cell_id: str) -> str:
    """Give the name of the stored table."""
    listed = client.send(cells.list_(notebook.session_id))
    return next(cell for cell in listed if cell.id == cell_id).artifact_uris["table"]


def test_a_display_has_a_preview_of_a_table(
    client: Client, notebook: Notebook, cell_id: str
) -> None:
    """Twenty rows come with the result, and how many there are."""
    listed = client.send(cells.list_(notebook.session_id))
    [shown] = next(cell for cell in listed if cell.id == cell_id).display_outputs
    assert (shown.content_type, shown.rows, shown.columns) == ("arrow/ipc", 30, ["n", "word"])
    assert shown.preview[19] == [19, "w19"]


def test_a_blob_is_the_whole_table(client: Client, notebook: Notebook, cell_id: str) -> None:
    """What was shown can be read as Arrow."""
    table = read_table(client.send(data.blob(notebook.session_id, cell_id, 0)))
    assert table.column("n").to_pylist() == list(range(30))


def test_a_page_has_the_rows_asked_for(
    client: Client, notebook: Notebook, cell_id: str, artifact_uri: str
) -> None:
    """Rows are counted, sorted and cut by the server."""
    page = client.send(
        data.page(
            notebook.session_id,
            cell_id,
            artifact_uri=artifact_uri,
            offset=1,
            limit=2,
            sort_by="n",
            sort_dir="desc",
        )
    )
    assert (page.pageable, page.total, page.rows) == (True, 30, [[28, "w28"], [27, "w27"]])


def test_a_page_is_searched(
    client: Client, notebook: Notebook, cell_id: str, artifact_uri: str
) -> None:
    """Only rows that hold the text are counted."""
    call = data.page(notebook.session_id, cell_id, artifact_uri=artifact_uri, search="w29")
    assert client.send(call).rows == [[29, "w29"]]


def test_an_export_is_a_file(
    client: Client, notebook: Notebook, cell_id: str, artifact_uri: str
) -> None:
    """A whole table comes as Parquet."""
    body = client.send(data.export(notebook.session_id, cell_id, artifact_uri=artifact_uri))
    assert pq.read_table(io.BytesIO(body)).num_rows == 30


def test_an_export_as_text(
    client: Client, notebook: Notebook, cell_id: str, artifact_uri: str
) -> None:
    """A whole table comes as CSV, too."""
    call = data.export(notebook.session_id, cell_id, artifact_uri=artifact_uri, form="csv")
    rows = list(csv.reader(client.send(call).decode().splitlines()))
    assert (len(rows), rows[:2]) == (31, [["n", "word"], ["0", "w0"]])

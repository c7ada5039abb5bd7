"""What a cell has shown, as a front end shows it."""

from __future__ import annotations

import pickle
from collections import deque
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from deepnote_kernel.strata.models import Display
from deepnote_kernel.strata.objects import index_columns, shown_array, shown_object
from deepnote_kernel.strata.outputs import Table, bundle, note, shown, stream


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Display(content_type="json/object", preview="it's"), '"it\'s"'),
        (Display(content_type="json/object", preview={"a": [1, None]}), "{'a': [1, None]}"),
        (Display(content_type="arrow/ipc", preview=1.5), "1.5"),
        (Display(content_type="arrow/ipc", preview="(1+2j)"), "(1+2j)"),
        (Display(content_type="pickle/object", preview="<Foo object>"), "<Foo object>"),
        (Display(content_type="something/new", preview="?"), "?"),
    ],
)
def test_values_are_text(item: Display, text: str) -> None:
    """As IPython shows them, as far as Strata still tells."""
    assert bundle(item) == {"text/plain": text}


def test_markdown_is_markdown() -> None:
    """With its text, for terminals."""
    item = Display(content_type="text/markdown", markdown_text="# A")
    assert bundle(item) == {"text/markdown": "# A", "text/plain": "# A"}


def test_pictures_are_png() -> None:
    """Their data URL becomes plain base64."""
    item = Display(
        content_type="image/png", inline_data_url="data:image/png;base64,QUJD", width=6, height=4
    )
    assert bundle(item) == {"image/png": "QUJD", "text/plain": "<Figure of 6 x 4>"}


def test_a_table_is_shown_whole() -> None:
    """With its index as row headers and a count of rows and columns."""
    table = Table(columns=["n", "__index_level_0__"], rows=[[1, "<a>"], [22, "b"]], total=2)
    data = bundle(Display(content_type="arrow/ipc"), table=table)
    assert data["text/plain"] == "      n\n<a>   1\nb    22"
    assert "<th>&lt;a&gt;</th><td>1</td>" in data["text/html"]
    assert "2 rows × 1 columns" in data["text/html"]


def test_an_index_has_its_name() -> None:
    """Before the columns, and it is not counted as one."""
    table = Table(columns=["n", "key"], rows=[[1, "a"]], total=1, labels=["key"])
    assert bundle(Display(), table=table)["text/plain"] == "key  n\na    1"
    assert table.size == "1 rows × 1 columns"


def test_a_long_table_is_shown_by_its_ends() -> None:
    """With the numbers that its rows have in the whole table."""
    rows = [[n] for n in (0, 1, 2, 3, 4, 95, 96, 97, 98, 99)]
    text = bundle(Display(), table=Table(columns=["n"], rows=rows, total=100))["text/plain"]
    lines = text.splitlines()
    assert [line.split()[0] for line in lines[1:12]] == [*"01234", "...", *map(str, range(95, 100))]
    assert lines[-1] == "[100 rows × 1 columns]"


def test_a_result_has_a_count_and_a_display_has_none() -> None:
    """The two kinds of messages."""
    assert shown({"text/plain": "1"}, execution_count=3).msg_type == "execute_result"
    assert shown({"text/plain": "1"}).msg_type == "display_data"


def test_nothing_printed_is_no_message() -> None:
    """An empty stream would be shown as an empty line."""
    assert stream("stdout", "") == []
    assert stream("stderr", "x")[0].content == {"name": "stderr", "text": "x"}


def test_a_note_is_escaped() -> None:
    """Code in it is shown, not rendered."""
    assert "&lt;b&gt;" in note("`<b>` ran").content["data"]["text/html"]


def _stored(value: object) -> bytes:
    """Return an object as Strata stores it."""
    return pickle.dumps({"codec": "cloudpickle", "payload": pickle.dumps(value)})


@pytest.mark.parametrize(
    "value", [(1, 2), {3}, {1: (None,)}, 1 + 2j, range(3), deque([1]), Decimal("1.5"), b"a"]
)
def test_plain_objects_are_read(value: object) -> None:
    """Containers and numbers show as they are."""
    assert shown_object(_stored(value)) == repr(value)


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("run",)


@pytest.mark.parametrize("blob", [_stored(_Evil()), _stored(len), b"no pickle", _stored(_Evil)])
def test_nothing_else_is_loaded(blob: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """A pickle that names a function or a class is left alone."""
    assert shown_object(blob) is None
    assert capsys.readouterr().out == ""


def _array(values: list[float], shape: str | None) -> bytes:
    metadata = {b"strata.arrow.tensor.shape": shape.encode()} if shape else None
    table = pa.table({"values": values}).replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    blob: bytes = sink.getvalue().to_pybytes()
    return blob


def test_arrays_are_read() -> None:
    """Their shape is in the metadata."""
    assert shown_array(_array([1.0, 2.0], "[2, 1]")) == "array([[1.],\n       [2.]])"


def test_an_index_is_found() -> None:
    """Where pandas has noted it; a plain range of numbers is none."""
    notes = b'{"index_columns": ["key", {"kind": "range"}], "columns": []}'
    schema = pa.schema({"key": pa.string()}, metadata={b"pandas": notes})
    assert index_columns(schema.serialize().to_pybytes()) == ["key"]


@pytest.mark.parametrize("blob", [b"", b'{"index_columns": [', _array([1.0], None)])
def test_other_bytes_have_no_index(blob: bytes) -> None:
    """Nor has a table that pandas did not make."""
    assert index_columns(blob) == []


@pytest.mark.parametrize("blob", [_array([1.0], None), b"no arrow"])
def test_other_bytes_are_no_arrays(blob: bytes) -> None:
    """Their preview has to do."""
    assert shown_array(blob) is None

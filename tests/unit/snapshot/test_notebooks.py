"""Documents as Jupyter notebooks, and back."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnote_kernel.errors import DocumentError
from deepnote_kernel.outputs import DATAFRAME_MIME
from deepnote_kernel.snapshot import (
    Block,
    Document,
    Notebook,
    content_hash,
    convert_file,
    dump,
    from_nbformat,
    load,
    new_document,
    to_builtins,
    to_nbformat,
    validate,
)
from tests.unit.snapshot.strategies import (
    json_values,
    notebooks,
    outputs,
    quick,
    texts,
    times,
    words,
)

if TYPE_CHECKING:
    from pathlib import Path

JSON = dict[str, Any]

TIME = "2026-11-20T12:00:00.000Z"
FRAME = {
    "column_count": 1,
    "columns": [{"name": "a", "dtype": "int64"}],
    "row_count": 1,
    "rows": [{"a": 1, "_deepnote_index_column": 0}],
}

QUERY = 'import duckdb\n\nduckdb.sql("""\nSELECT 1\n""").df()'


def block(block_type: str = "code", content: str = "x", **more: Any) -> Block:
    """Return a block with an id of its own."""
    fields = {"id": f"id-{content}", "block_group": "g", "sorting_key": "a0", **more}
    return Block(type=block_type, content=content, **fields)


def notebook(*blocks: Block) -> Notebook:
    """Return a notebook of these blocks."""
    return Notebook(id="n", name="Notebook", blocks=list(blocks))


def from_file(nb: Any) -> Notebook:
    """Return the notebook that is read from the file nbformat writes."""
    nbformat.validate(nb)
    return from_nbformat(nbformat.reads(nbformat.writes(nb), as_version=4))


def cell(block: Block) -> Any:
    """Return the cell of a block."""
    return to_nbformat(notebook(block)).cells[0]


def edited(block: Block, source: str, cell_type: str = "") -> Block:
    """Return the block of a cell whose text, and maybe type, was edited."""
    nb = to_nbformat(notebook(block))
    if cell_type:
        new = getattr(nbformat.v4, f"new_{cell_type}_cell")
        nb.cells[0] = new(id=nb.cells[0].id, metadata=nb.cells[0].metadata)
    nb.cells[0].source = source
    return from_file(nb).blocks[0]


@st.composite
def jupyter_notebooks(draw: st.DrawFn) -> Any:
    """Return notebooks as Jupyter makes them, with everything nbformat has a place for."""
    metadata = st.fixed_dictionaries(
        {},
        optional={
            "tags": st.lists(words, max_size=2),
            "execution": st.dictionaries(
                st.sampled_from(
                    ["iopub.execute_input", "shell.execute_reply", "iopub.status.busy"]
                ),
                times | words,
            ),
            "other": json_values(),
        },
    )
    attachments = st.dictionaries(words, st.just({"image/png": "aGk="}), min_size=1, max_size=1)
    cells = []
    for number in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["code", "markdown", "raw"]))
        made: JSON = {
            "id": f"cell-{number}",
            "cell_type": kind,
            "metadata": draw(metadata),
            "source": draw(texts()),
        }
        if kind == "code":
            made["execution_count"] = draw(st.none() | st.integers(1, 99))
            made["outputs"] = draw(outputs())
        elif draw(st.booleans()):
            made["attachments"] = draw(attachments)
        cells.append(made)
    kernel = {"name": draw(words), "display_name": draw(texts())}
    notebook_metadata = draw(st.just({}) | st.just({"kernelspec": kernel, "title": "T"}))
    return nbformat.from_dict(
        {"cells": cells, "metadata": notebook_metadata, "nbformat": 4, "nbformat_minor": 5}
    )


@given(notebooks())
@quick
def test_a_notebook_survives_jupyter(given: Notebook) -> None:
    """Every block with all it holds, by way of a valid file."""
    assert from_file(to_nbformat(given)) == given


@given(jupyter_notebooks())
@quick
def test_a_jupyter_notebook_survives_a_document(given: Any) -> None:
    """Every cell with all it holds, by way of YAML that Deepnote's tools take."""
    document = new_document([from_nbformat(given)], name="Project")
    validate(document)
    (read,) = load(dump(document)).project.notebooks
    back = to_nbformat(read)
    del back.metadata["deepnote"]
    assert back == given


def test_ids_are_shared() -> None:
    """A block's id is its cell's, where nbformat allows it."""
    nb = to_nbformat(notebook(block(id="0123456789abcdef" * 2), block(id="a b/c")))
    assert nb.cells[0].id == "0123456789abcdef" * 2
    assert nb.cells[1].metadata.deepnote.id == "a b/c"


def test_plain_code_is_a_plain_cell() -> None:
    """A block as a cell makes it leaves no trace in the cell."""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    assert to_nbformat(from_nbformat(nb)).cells == nb.cells


def test_a_notebook_without_a_kernel_gets_one() -> None:
    """Deepnote's notebooks run Python; editors and papermill want to be told."""
    nb = to_nbformat(notebook())
    assert nb.metadata.kernelspec.name == "python3"
    assert from_nbformat(nb).extra == {}


def test_times_are_where_jupyterlab_has_them() -> None:
    """Start and end of a cell's execution."""
    ran = cell(block(execution_started_at=TIME, execution_finished_at=TIME))
    assert ran.metadata.execution == {"iopub.execute_input": TIME, "shell.execute_reply": TIME}


def test_a_data_frame_is_a_table_in_jupyter() -> None:
    """The table is made for the cell, and is no part of the block."""
    shown = {"output_type": "display_data", "data": {DATAFRAME_MIME: FRAME}, "metadata": {}}
    nb = to_nbformat(notebook(block(outputs=[shown])))
    assert "<table" in nb.cells[0].outputs[0].data["text/html"]
    assert from_file(nb).blocks[0].outputs == [shown]


@pytest.mark.parametrize(
    "output",
    [
        {"output_type": "stream", "name": "stdout", "text": "a", "truncated": True},
        {"output_type": "execute_result", "data": {"text/html": {"a": 1}}},
        {"output_type": "error", "ename": "E", "evalue": None, "traceback": "line"},
        {"output_type": "newer", "value": 1},
        {"no": "type"},
    ],
)
def test_an_output_that_nbformat_does_not_allow_is_kept(output: JSON) -> None:
    """The cell shows what it can of it."""
    given = notebook(block(outputs=[output], execution_count=1))
    assert from_file(to_nbformat(given)).blocks[0].outputs == [output]


def test_a_new_output_wins() -> None:
    """Over one that was kept because the cell could not hold it."""
    nb = to_nbformat(notebook(block(outputs=[{"output_type": "newer"}])))
    new = nbformat.v4.new_output("stream", text="new")
    nb.cells[0].outputs = [new]
    assert from_file(nb).blocks[0].outputs == [new]


@pytest.mark.parametrize(
    ("given", "source", "expected"),
    [
        (block("code", "1"), "2", ("code", "2")),
        (block("markdown", "a"), "b", ("markdown", "b")),
        (block("text-cell-h1", "a"), "# b!", ("text-cell-h1", "b!")),
        (block("text-cell-h1", "a"), "## b", ("markdown", "## b")),
        (block("text-cell-p", "a"), "a **b**", ("markdown", "a **b**")),
        (block("text-cell-p", "a"), r"a \*b\*", ("text-cell-p", "a *b*")),
        (block("text-cell-bullet", "a"), "- b\n- c", ("markdown", "- b\n- c")),
        (block("separator", ""), "text", ("markdown", "text")),
        (block("sql", "SELECT 1"), "x = 1", ("code", "x = 1")),
        (block("sql", "SELECT 1"), QUERY.replace("1", "2"), ("sql", "SELECT 2")),
        (block("sql", "SELECT 1"), "# 1\n" + QUERY, ("code", "# 1\n" + QUERY)),
        (block("agent", "a"), "# Deepnote gives an agent this task here:\n# b", ("agent", "b")),
        (block("agent", "a"), "b()", ("code", "b()")),
        (block("big-number", ""), "(", ("code", "(")),
        (block("visualization", ""), "df.plot()", ("code", "df.plot()")),
    ],
)  # fmt: skip
def test_an_edit_wins(given: Block, source: str, expected: tuple[str, str]) -> None:
    """A block keeps its type where the new text is still one of it."""
    found = edited(given, source)
    assert (found.type, found.content) == expected


@pytest.mark.parametrize(
    ("block_type", "metadata", "source", "value"),
    [
        ("input-text", {}, 'x = "new"', "new"),
        ("input-textarea", {}, "x = 'a\\nb'", "a\nb"),
        ("input-checkbox", {}, "x = True", True),
        ("input-select", {}, "x = 'b'", "b"),
        ("input-select", {"deepnote_allow_multiple_values": True}, "x = ['a', 'b']", ["a", "b"]),
        ("input-slider", {}, "x = 7.50", "7.5"),
        (
            "input-date",
            {"deepnote_input_date_version": 2},
            "from datetime import date as _date\nx = _date.fromisoformat('2026-01-02')",
            "2026-01-02",
        ),
        (
            "input-date-range",
            {},
            "from datetime import date as _date\nx = [_date.fromisoformat('2026-01-02'), None]",
            ["2026-01-02", ""],
        ),
        ("input-file", {"deepnote_variable_value": "a.csv"}, "x = None", ""),
    ],
)
def test_an_edited_value_is_the_input_s(
    block_type: str, metadata: JSON, source: str, value: object
) -> None:
    """Other code becomes code; an assignment stays an input."""
    given = block(block_type, "", metadata={"deepnote_variable_name": "x", **metadata})
    found = edited(given, source)
    assert (found.type, found.metadata.get("deepnote_variable_value")) == (block_type, value)


@pytest.mark.parametrize(
    "source", ["x = y", "x = 1", "x = 'a'  # why", "x += 'a'", "x, y = 'a'", ""]
)
def test_code_that_is_no_value_of_the_input_is_code(source: str) -> None:
    """Nothing of it is lost, comments neither."""
    found = edited(block("input-text", "", metadata={"deepnote_variable_name": "x"}), source)
    assert (found.type, found.content) == ("code", source)


def test_a_todo_that_is_ticked_in_jupyter_is_done() -> None:
    """And one that is not is not."""
    given = block("text-cell-todo", "a", metadata={"formattedRanges": []})
    assert edited(given, "- [x] a").metadata == {"checked": True}
    assert edited(given, "- [ ] b").metadata == {"checked": False}


@pytest.mark.parametrize("before", ["sha256:stale", content_hash("1")])
def test_a_hash_follows_an_edit(before: str) -> None:
    """A block that had one has the right one afterwards, and only then another."""
    given = block("code", "1", content_hash=before)
    assert edited(given, "1").content_hash == before
    assert edited(given, "2").content_hash == content_hash("2")
    assert edited(given, "").content_hash is None


@pytest.mark.parametrize("given", [block("code", "1"), block("input-text", "")])
def test_a_cell_that_became_markdown_is_markdown(given: Block) -> None:
    """Whatever block it was."""
    found = edited(given, "# Title", "markdown")
    assert (found.type, found.content) == ("markdown", "# Title")


def test_a_copied_cell_has_an_id_of_its_own() -> None:
    """Also where the original's id is kept in the metadata, and copied with it."""
    nb = to_nbformat(notebook(block(id="a b"), block(id="c")))
    nb.cells.insert(1, copy.deepcopy(nb.cells[0]))
    nb.cells[1].id = "copy"
    found = from_file(nb).blocks
    assert [one.id for one in found] == ["a b", "copy", "c"]
    assert len({one.sorting_key for one in found}) == 3


def test_a_moved_cell_is_in_its_new_place() -> None:
    """Keys sort as cells stand; those that still do are left as they are."""
    nb = to_nbformat(notebook(block(id="a", sorting_key="a0"), block(id="b", sorting_key="m")))
    assert [one.sorting_key for one in from_file(nb).blocks] == ["a0", "m"]
    nb.cells.reverse()
    assert [one.sorting_key for one in from_file(nb).blocks] == ["000000", "000001"]


def test_cells_without_ids_get_stable_ones() -> None:
    """Older versions of nbformat have none."""
    source = {"cell_type": "raw", "metadata": {}, "source": ["a\n", "b"]}
    nb = nbformat.from_dict({"cells": [source], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    first, second = (from_nbformat(nb, notebook_id="n", name="Name") for _ in range(2))
    assert first == second
    assert (first.name, first.blocks[0].content) == ("Name", "a\nb")


@pytest.mark.parametrize(
    ("place", "value", "path"),
    [
        ("cell", {"type": 1}, "cells[0].metadata.deepnote.type"),
        ("cell", {"outputs": {}}, "cells[0].metadata.deepnote.outputs"),
        ("notebook", {"isModule": "yes"}, "metadata.deepnote.isModule"),
    ],
)
def test_metadata_that_no_document_can_hold_is_named(place: str, value: JSON, path: str) -> None:
    """By the place in the notebook."""
    nb = to_nbformat(notebook(block()))
    (nb.cells[0] if place == "cell" else nb).metadata["deepnote"] = value
    with pytest.raises(DocumentError) as caught:
        from_nbformat(nb)
    assert caught.value.path == path


def test_a_notebook_that_deepnote_exported_is_understood() -> None:
    """Its own names for what it knows of a block."""
    heading = nbformat.v4.new_markdown_cell(
        "# Title\\!",
        metadata={"cell_id": "h", "deepnote_cell_type": "text-cell-h1", "formattedRanges": []},
    )
    query = nbformat.v4.new_code_cell(
        "df_1 = _dntk.execute_sql(...)",
        metadata={
            "cell_id": "q",
            "deepnote_cell_type": "sql",
            "deepnote_sql_source": "SELECT 1",
            "deepnote_variable_name": "df_1",
            "tags": ["t"],
        },
    )
    nb = nbformat.v4.new_notebook(
        cells=[heading, query], metadata={"deepnote_notebook_id": "n", "deepnote_is_module": True}
    )
    nb.cells[1]["block_group"] = "group"
    found = from_nbformat(nb, name="Name")
    assert (found.id, found.name, found.is_module, found.extra) == (
        "n", "Name", True, {"nbformat": {}},
    )  # fmt: skip
    first, second = found.blocks
    assert (first.id, first.type, first.content) == ("h", "text-cell-h1", "Title!")
    assert (second.type, second.content, second.block_group) == ("sql", "SELECT 1", "group")
    assert second.metadata["deepnote_variable_name"] == "df_1"
    assert to_nbformat(found).cells[1].metadata.tags == ["t"]


def test_a_new_document_is_valid() -> None:
    """With a project id and a time of its own."""
    document = new_document([notebook(block())], name="Project")
    validate(document)
    assert to_builtins(new_document([], name="P", project_id="p", created_at=TIME)) == {
        "version": "1.0.0",
        "metadata": {"createdAt": TIME},
        "project": {"id": "p", "name": "P", "notebooks": []},
    }


def test_a_file_is_converted_and_back(tmp_path: Path) -> None:
    """With the document around its notebook."""
    source, middle, target = (tmp_path / name for name in ("a.deepnote", "b.ipynb", "c.deepnote"))
    document = new_document([notebook(block())], name="Project")
    document.environment = {"platform": "linux"}
    source.write_text(dump(document), encoding="utf-8")
    convert_file(source, middle)
    convert_file(middle, target)
    assert target.read_text(encoding="utf-8") == source.read_text(encoding="utf-8")


def test_a_jupyter_file_becomes_a_project(tmp_path: Path) -> None:
    """Named after the file."""
    source, target = tmp_path / "My notebook.ipynb", tmp_path / "b.deepnote"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), source)
    convert_file(source, target)
    document: Document = load(target.read_bytes())
    validate(document)
    assert (document.project.name, document.project.notebooks[0].name) == ("My notebook",) * 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", r"has 2 notebooks\. Name one of its notebooks by name or id: 'One', 'Two'\."),
        ("Three", r"has no notebook 'Three'\. Name one"),
    ],
)
def test_a_document_of_several_notebooks_asks_which(
    tmp_path: Path, name: str, message: str
) -> None:
    """By name or id, both of which it takes."""
    source, target = tmp_path / "a.deepnote", tmp_path / "b.ipynb"
    both = [Notebook(id=one.lower(), name=one, blocks=[]) for one in ("One", "Two")]
    source.write_text(dump(new_document(both, name="Project")), encoding="utf-8")
    with pytest.raises(DocumentError, match=message):
        convert_file(source, target, notebook=name)
    for wanted in ("Two", "two"):
        convert_file(source, target, notebook=wanted)
        assert nbformat.read(target, as_version=4).metadata.deepnote.name == "Two"


@pytest.mark.parametrize(
    ("name", "text", "target", "message"),
    [
        ("a.ipynb", "{", "b.deepnote", "a.ipynb is not a Jupyter notebook"),
        ("a.ipynb", '{"nbformat": 4, "nbformat_minor": 5}', "b.deepnote", "not a Jupyter notebook"),
        ("a.ipynb", "[]", "b.deepnote", "not a Jupyter notebook"),
        ("a.ipynb", '{"nbformat": 4, "cells": [1]}', "b.deepnote", "not a Jupyter notebook"),
        ("a.ipynb", "{}", "b.ipynb", r"a.ipynb cannot become b.ipynb\. One must end"),
        ("a.deepnote", "", "b.ipynb", "is empty"),
    ],
)
def test_a_file_that_cannot_be_converted_is_named(
    tmp_path: Path, name: str, text: str, target: str, message: str
) -> None:
    """Nothing is written."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError, match=message):
        convert_file(tmp_path / name, tmp_path / target)
    assert [one.name for one in tmp_path.iterdir()] == [name]

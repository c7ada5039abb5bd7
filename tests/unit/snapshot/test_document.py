"""Documents: read, written, and made of a run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from deepnote_kernel.errors import DocumentError
from deepnote_kernel.snapshot import (
    Document,
    content_hash,
    dump,
    from_builtins,
    load,
    snapshot_document,
    snapshot_hash,
    to_builtins,
    validate,
)
from tests.unit.snapshot.strategies import documents, quick

JSON = dict[str, Any]

TIME = "2026-11-20T12:00:00.000Z"

MINIMAL = """\
version: 1.0.0
metadata:
  createdAt: 2026-11-20T12:00:00.000Z
project:
  id: p
  name: Project
  notebooks:
    - id: n
      name: Notebook
      blocks:
        - id: b
          blockGroup: g
          sortingKey: a0
          type: code
          content: print("- *args")
"""


def block(content: str = "1", **more: Any) -> JSON:
    """Return a block as a run records it."""
    return {"id": f"b{content}", "type": "code", "content": content, "metadata": {}, **more}


def document(*blocks: JSON, error: str | None = None) -> Document:
    """Return the snapshot of a run of some blocks."""
    return snapshot_document(
        project={"id": "p", "name": "Project"},
        notebook={"id": "n", "name": "Notebook"},
        blocks=list(blocks),
        inputs={"x": "1"},
        created_at=TIME,
        started_at=TIME,
        finished_at="2026-11-20T12:00:01.500Z",
        error=error,
    )


@given(documents())
@quick
def test_a_document_survives_being_written(written: Document) -> None:
    """With everything in it, and the same text each time."""
    read = load(dump(written))
    assert read == written
    assert dump(read) == dump(written)


def test_a_minimal_document_is_read() -> None:
    """A date is a text; what is absent is nothing."""
    read = load(MINIMAL)
    (notebook,) = read.project.notebooks
    (only,) = notebook.blocks
    assert read.metadata.created_at == TIME
    assert (only.content, only.metadata, only.outputs) == ('print("- *args")', {}, None)
    assert not read.is_snapshot
    assert load(MINIMAL.encode()) == read


def test_unknown_keys_are_kept() -> None:
    """At every level: a newer Deepnote's document passes through whole."""
    data = to_builtins(load(MINIMAL))
    for level in (
        data,
        data["metadata"],
        data["project"],
        data["project"]["notebooks"][0],
        data["project"]["notebooks"][0]["blocks"][0],
    ):
        level["extra"] = {"newer": [1, "two"]}
    assert to_builtins(load(dump(from_builtins(data, Document)))) == data


@pytest.mark.parametrize(
    ("before", "after", "path", "message"),
    [
        ("type: code", "type: 3", "project.notebooks[0].blocks[0].type", "got `int`"),
        ("          type: code\n", "", "project.notebooks[0].blocks[0]", "missing .* `type`"),
        ("blocks:", "blocks: x\n      y:", "project.notebooks[0].blocks", "a list, not a text"),
        ("project:", "project: 1\nq:", "project", "a mapping, not a scalar"),
        ("metadata:", "metadata: []\nq:", "metadata", "a mapping, not a list"),
        ("version: 1.0.0", "version: 1", "version", "got `int`"),
        (MINIMAL, "- 1", "", "must be a mapping"),
        (MINIMAL, "", "", "is empty"),
    ],
)
def test_a_wrong_part_is_named(before: str, after: str, path: str, message: str) -> None:
    """By its path, in the error and in its words."""
    with pytest.raises(DocumentError, match=message) as caught:
        load(MINIMAL.replace(before, after))
    assert caught.value.path == path
    assert str(caught.value).startswith(path or "The document")


def test_a_block_that_ran_has_its_outputs() -> None:
    """With its count and both times."""
    ran: JSON = {
        "executionStartedAt": TIME,
        "executionFinishedAt": TIME,
        "executionCount": 3,
        "outputs": [],
    }
    (written,) = document(block(**ran)).project.notebooks[0].blocks
    assert {name: to_builtins(written)[name] for name in ran} == ran


def test_a_block_that_did_not_run_has_none() -> None:
    """It is there with its source alone."""
    (written,) = document(block(outputs=[])).project.notebooks[0].blocks
    assert (written.content, written.outputs, written.execution_count) == ("1", None, None)


def test_blocks_keep_their_order() -> None:
    """Sorting keys sort as the blocks stand, whatever the reader's rules."""
    blocks = document(*(block(str(n)) for n in range(12))).project.notebooks[0].blocks
    keys = [written.sorting_key for written in blocks]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert len({written.block_group for written in blocks}) == len(blocks)


def test_a_run_is_a_valid_snapshot() -> None:
    """That Deepnote's tools take, with the time it took."""
    snapshot = document(block())
    validate(snapshot)
    assert snapshot.is_snapshot
    assert snapshot.metadata.snapshot_hash == snapshot_hash(snapshot)
    assert snapshot.execution is not None
    assert snapshot.execution.summary is not None
    assert snapshot.execution.summary.total_duration_ms == 1500


def test_an_error_is_told_apart() -> None:
    """Its name, its message and the number of blocks that failed."""
    ran = {"executionStartedAt": TIME}
    execution = to_builtins(document(block(**ran), block("2", **ran), error="KeyError: 'a: b'"))[
        "execution"
    ]
    assert execution["error"] == {"name": "KeyError", "message": "'a: b'", "traceback": []}
    assert execution["summary"]["blocksSucceeded"] == 1
    assert execution["summary"]["blocksFailed"] == 1


def test_the_hash_follows_the_source_alone() -> None:
    """Outputs do not change it; source and order do."""
    one, two, ran = block("1"), block("2"), {"executionStartedAt": TIME, "outputs": [{}]}
    assert snapshot_hash(document(one, two)) == snapshot_hash(document({**one, **ran}, two))
    assert snapshot_hash(document(one, two)) != snapshot_hash(document(two, one))


def test_the_hash_follows_environment_and_integrations() -> None:
    """Whatever the order in which integrations are listed."""
    hashes = set()
    for environment in ({}, {"hash": "e"}):
        for ids in ("ab", "ba", "a"):
            data = to_builtins(document(block()))
            data["environment"] = environment
            data["project"]["integrations"] = [{"id": i, "name": "", "type": "pg"} for i in ids]
            hashes.add(snapshot_hash(from_builtins(data, Document)))
    assert len(hashes) == 4


def test_a_snapshot_hash_is_that_of_its_lines() -> None:
    """As Deepnote's tools compute it."""
    data = to_builtins(document(block("a")))
    data["environment"] = {"hash": "e"}
    data["project"]["integrations"] = [{"id": "i", "name": "", "type": "pg"}]
    lines = ["version:1.0.0", "env:e", "integration:i:pg", f"block:ba:{content_hash('a')}"]
    assert snapshot_hash(from_builtins(data, Document)) == content_hash("\n".join(lines))


@pytest.mark.parametrize("name", ["project", "metadata"])
def test_a_missing_part_is_an_error(name: str) -> None:
    """The message names it."""
    data = to_builtins(load(MINIMAL))
    del data[name]
    with pytest.raises(DocumentError, match=f"missing required field `{name}`"):
        from_builtins(data, Document)

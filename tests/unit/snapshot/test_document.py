"""The document that records a run."""

from __future__ import annotations

from typing import Any

from deepnote_kernel.snapshot import content_hash, snapshot_document, snapshot_hash

JSON = dict[str, Any]

TIME = "2026-11-20T12:00:00.000Z"


def block(content: str = "1", **more: Any) -> JSON:
    """Return a block as a run records it."""
    return {"id": f"b{content}", "type": "code", "content": content, "metadata": {}, **more}


def document(*blocks: JSON, error: str | None = None) -> JSON:
    """Return the snapshot of a run of some blocks."""
    return snapshot_document(
        project={"id": "p", "name": "Project"},
        notebook={"id": "n", "name": "Notebook"},
        blocks=list(blocks),
        inputs={"x": "1"},
        created_at=TIME,
        started_at=TIME,
        finished_at=TIME,
        error=error,
    )


def test_a_block_that_ran_has_its_outputs() -> None:
    """With its count and both times."""
    ran: JSON = {
        "executionStartedAt": TIME,
        "executionFinishedAt": TIME,
        "executionCount": 3,
        "outputs": [],
    }
    (written,) = document(block(**ran))["project"]["notebooks"][0]["blocks"]
    assert {name: written[name] for name in ran} == ran


def test_a_block_that_did_not_run_has_none() -> None:
    """It is there with its source alone."""
    (written,) = document(block(outputs=[]))["project"]["notebooks"][0]["blocks"]
    assert written["content"] == "1"
    assert "outputs" not in written
    assert "executionCount" not in written


def test_blocks_keep_their_order() -> None:
    """Sorting keys sort as the blocks stand, whatever the reader's rules."""
    blocks = document(*(block(str(n)) for n in range(12)))["project"]["notebooks"][0]["blocks"]
    keys = [written["sortingKey"] for written in blocks]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert len({written["blockGroup"] for written in blocks}) == len(blocks)


def test_an_error_is_told_apart() -> None:
    """Its name, its message and the number of blocks that failed."""
    ran = {"executionStartedAt": TIME}
    execution = document(block(**ran), block("2", **ran), error="KeyError: 'a: b'")["execution"]
    assert execution["error"] == {"name": "KeyError", "message": "'a: b'", "traceback": []}
    assert execution["summary"] == {"blocksExecuted": 2, "blocksSucceeded": 1, "blocksFailed": 1}


def test_the_hash_follows_the_source_alone() -> None:
    """Outputs do not change it; source and order do."""
    one, two = (block(c, contentHash=content_hash(c)) for c in "12")
    assert snapshot_hash([one, two]) == snapshot_hash([{**one, "outputs": [1]}, two])
    assert snapshot_hash([one, two]) != snapshot_hash([two, one])
    assert snapshot_hash([]).startswith("sha256:")


def test_a_content_hash_is_that_of_its_utf8() -> None:
    """Known value: SHA-256 of the letter a."""
    assert content_hash("a") == (
        "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    )

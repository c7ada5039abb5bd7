"""Build the document that records a run.

Source: Deepnote's format as its own tools read it (deepnote/deepnote, ``packages/blocks``;
deepnote-cli 0.10.0), read 2026-11-20.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

__all__ = ["content_hash", "snapshot_document", "snapshot_hash"]

JSON = dict[str, Any]

VERSION = "1.0.0"


def content_hash(content: str) -> str:
    """Return the hash that identifies a block's source."""
    return "sha256:" + hashlib.sha256(content.encode(errors="replace")).hexdigest()


def snapshot_hash(blocks: list[JSON]) -> str:
    """Return the hash over the blocks of a snapshot; equal sources have equal hashes.

    Args:
        blocks: Blocks in order, with ``id`` and, where they have source, ``contentHash``.
    """
    lines = [f"version:{VERSION}"]
    lines += [f"block:{b['id']}:{b['contentHash']}" for b in blocks if "contentHash" in b]
    return content_hash("\n".join(lines))


def snapshot_document(  # noqa: PLR0913 - each argument is a part of the document
    *,
    project: JSON,
    notebook: JSON,
    blocks: list[JSON],
    inputs: JSON,
    created_at: str,
    started_at: str,
    finished_at: str,
    error: str | None = None,
) -> JSON:
    """Return the snapshot of one run of one notebook.

    Args:
        project: ``id`` and ``name``.
        notebook: ``id`` and ``name``.
        blocks: The blocks in order, each with ``id``, ``type``, ``content``, ``metadata`` and, once
            it ran, ``outputs``, ``executionCount``, ``executionStartedAt`` and
            ``executionFinishedAt``.
        inputs: Values of input blocks the run was given.
        created_at: When the run was asked for. Times are UTC, ISO 8601 with ``Z``.
        started_at: When its first block began.
        finished_at: When it ended.
        error: What ended it early, as ``Name: value``; ``None`` where nothing did.
    """
    written = [_block(block, number) for number, block in enumerate(blocks)]
    execution: JSON = {
        "startedAt": started_at,
        "finishedAt": finished_at,
        "triggeredBy": "api",
        "inputs": inputs,
        "summary": _summary(blocks, is_failed=error is not None),
    }
    if error is not None:
        name, _, message = error.partition(": ")
        execution["error"] = {"name": name, "message": message, "traceback": []}
    return {
        "environment": {},
        "execution": execution,
        "metadata": {"createdAt": created_at, "snapshotHash": snapshot_hash(written)},
        "project": {**project, "notebooks": [{**notebook, "blocks": written}]},
        "version": VERSION,
    }


def _block(block: JSON, number: int) -> JSON:
    written: JSON = {
        "id": block["id"],
        # One group a block: the group says which blocks stand side by side.
        "blockGroup": uuid.uuid5(uuid.NAMESPACE_OID, block["id"]).hex,
        "sortingKey": f"{number:06d}",
        "type": block["type"],
        "content": block["content"],
        "metadata": block["metadata"],
    }
    if block["content"]:
        written["contentHash"] = content_hash(block["content"])
    if "executionStartedAt" in block:
        names = ("executionCount", "executionStartedAt", "executionFinishedAt", "outputs")
        written.update({name: block[name] for name in names if name in block})
    return written


def _summary(blocks: list[JSON], *, is_failed: bool) -> JSON:
    executed = sum("executionStartedAt" in block for block in blocks)
    failed = int(is_failed and executed > 0)
    return {
        "blocksExecuted": executed,
        "blocksSucceeded": executed - failed,
        "blocksFailed": failed,
    }

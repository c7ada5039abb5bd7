"""Read and write documents, and build the one that records a run.

Source: Deepnote's format as its own tools read it (deepnote/deepnote, ``packages/blocks``;
deepnote-cli 0.10.0), read 2026-11-20.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from deepnote_kernel.errors import DocumentError
from deepnote_kernel.snapshot.identity import (
    block_group,
    content_hash,
    snapshot_hash,
    sorting_key,
)
from deepnote_kernel.snapshot.models import Document, from_builtins, to_builtins
from deepnote_kernel.snapshot.reading import parse
from deepnote_kernel.snapshot.writing import write

__all__ = ["dump", "load", "snapshot_document"]

JSON = dict[str, Any]


def load(text: str | bytes) -> Document:
    """Read a document or a snapshot.

    What it must have is there afterwards; whether Deepnote takes all of it, :func:`validate` says.

    Raises:
        DocumentError: The text is not YAML that the format allows (its line is named), or a part
            is missing or of the wrong type (its path is named).
    """
    data = parse(text)
    if data is None:
        raise DocumentError("The document is empty.", "Choose a .deepnote file.")
    return from_builtins(data, Document)


def dump(document: Document) -> str:
    """Return a document as YAML, ending in a newline; equal documents have equal texts."""
    return write(to_builtins(document))


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
    triggered_by: str = "api",
) -> Document:
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
        triggered_by: ``api``, ``schedule``, ``user`` or ``ci``.
    """
    execution: JSON = {
        "startedAt": started_at,
        "finishedAt": finished_at,
        "triggeredBy": triggered_by,
        "inputs": inputs,
        "summary": {
            **_summary(blocks, is_failed=error is not None),
            "totalDurationMs": _milliseconds(started_at, finished_at),
        },
    }
    if error is not None:
        execution["error"] = _error(error, blocks)
    written = [_block(block, number) for number, block in enumerate(blocks)]
    data = {
        "environment": {},
        "execution": execution,
        "metadata": {"createdAt": created_at},
        "project": {**project, "notebooks": [{**notebook, "blocks": written}]},
    }
    document = from_builtins(data, Document)
    document.metadata.snapshot_hash = snapshot_hash(document)
    return document


def _block(block: JSON, number: int) -> JSON:
    written: JSON = {
        "id": block["id"],
        "type": block["type"],
        "blockGroup": block.get("blockGroup") or block_group(block["id"]),
        "sortingKey": sorting_key(number),
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


def _error(line: str, blocks: list[JSON]) -> JSON:
    """Return what ended a run: the last error its blocks put out, or what the line says."""
    outputs = [output for block in blocks for output in block.get("outputs") or []]
    for output in reversed(outputs):
        if output["output_type"] == "error":
            names = {"name": "ename", "message": "evalue", "traceback": "traceback"}
            return {name: output[key] for name, key in names.items()}
    name, _, message = line.partition(": ")
    return {"name": name, "message": message, "traceback": []}


def _milliseconds(start: str, end: str) -> int:
    began, ended = (datetime.fromisoformat(time.replace("Z", "+00:00")) for time in (start, end))
    return max(0, round((ended - began).total_seconds() * 1000))

"""Notebooks that Deepnote, or its tools, have exported for Jupyter.

They keep what they know of a block flat in the cell's metadata, under names of their own.

Source: notebooks exported by Deepnote, and deepnote/deepnote, ``packages/convert``
(``deepnote-to-jupyter.ts``), read 2026-11-20.
"""

from __future__ import annotations

from typing import Any

from deepnote_kernel.snapshot.markdown import text_content

__all__ = ["NOTEBOOK_KEYS", "read_exported"]

JSON = dict[str, Any]

NOTEBOOK_KEYS = {
    "deepnote_notebook_id": "id",
    "deepnote_notebook_name": "name",
    "deepnote_execution_mode": "executionMode",
    "deepnote_is_module": "isModule",
    "deepnote_working_directory": "workingDirectory",
}
"""Keys of a notebook's metadata, and those of a document's notebook."""

_CELL_KEYS = {
    "cell_id": "id",
    "deepnote_cell_type": "type",
    "deepnote_block_group": "blockGroup",
    "deepnote_sorting_key": "sortingKey",
    "deepnote_content_hash": "contentHash",
    "deepnote_execution_started_at": "executionStartedAt",
    "deepnote_execution_finished_at": "executionFinishedAt",
    "deepnote_sql_source": "content",
    "deepnote_source": "content",
}
_JUPYTER_KEYS = {"execution", "jupyter", "slideshow", "tags"}


def read_exported(cell: JSON, metadata: JSON) -> JSON:
    """Return the keys of the block an exported cell was made of; none where it was not exported.

    Args:
        cell: The cell.
        metadata: Its metadata; what is Deepnote's is taken out.
    """
    if not isinstance(metadata.get("deepnote_cell_type"), str):
        return {}
    found = {ours: metadata.pop(name) for name, ours in _CELL_KEYS.items() if name in metadata}
    found["metadata"] = {
        name: metadata.pop(name) for name in [*metadata] if name not in _JUPYTER_KEYS
    }
    if "block_group" in cell:
        found.setdefault("blockGroup", cell["block_group"])
    if found["type"] in ("code", "markdown"):
        found["content"] = cell["source"]
    else:
        found.setdefault("content", text_content(found["type"], cell["source"]))
    return found

"""One block as one cell of a Jupyter notebook, and back.

A cell's ``metadata.deepnote`` holds what Jupyter has no place for, and a block's
``metadata.nbformat`` what Deepnote has none for. Neither holds what the other side can tell: a
block that is plain code is a plain cell, and the other way round.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from deepnote_kernel.snapshot.cell_outputs import cell_outputs, completed, joined, outputs_of
from deepnote_kernel.snapshot.exported import read_exported
from deepnote_kernel.snapshot.identity import block_group, content_hash, sorting_key
from deepnote_kernel.snapshot.markdown import MARKDOWN_TYPES, edited_text, markdown_source
from deepnote_kernel.snapshot.models import Block, from_builtins, to_builtins
from deepnote_kernel.snapshot.python import edited_python, python_source

__all__ = ["FOREIGN", "OURS", "block_from_cell", "cell_from_block"]

JSON = dict[str, Any]

OURS = "deepnote"
"""The key of a cell's, or a notebook's, metadata that holds what is Deepnote's."""

FOREIGN = "nbformat"
"""The key of a block's metadata that holds what is Jupyter's."""

_SHOWN = "shownHash"  # of the cell's text as it was made: with another one it has been edited
_PLAIN_TYPES = {"code": "code", "markdown": "markdown", "raw": "markdown"}
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
_TIMES = {  # as JupyterLab records them, in a cell's metadata.execution
    "executionStartedAt": "iopub.execute_input",
    "executionFinishedAt": "shell.execute_reply",
}


def cell_from_block(block: Block, number: int) -> JSON:
    """Return the cell for a block.

    Args:
        block: The block.
        number: Its place in the notebook, counted from 0.
    """
    kept: JSON = to_builtins(block)
    foreign = _mapping(block.metadata.get(FOREIGN))
    kept["metadata"] = {k: v for k, v in block.metadata.items() if k != FOREIGN}
    cell: JSON = {
        "cell_type": _cell_type(block),
        "id": _cell_id(block),
        "metadata": _mapping(foreign.get("metadata")),
        "source": _source(block),
    }
    if attachments := foreign.get("attachments"):
        cell["attachments"] = attachments
    if cell["cell_type"] == "code":
        _move_execution(block, kept, cell)
    if _is_plain(block):
        del kept["content"]
    else:
        kept[_SHOWN] = content_hash(cell["source"])
    told = _told(cell, number, block.id)
    if kept := {k: v for k, v in kept.items() if k not in told or v != told[k]}:
        cell["metadata"][OURS] = kept
    return cell


def block_from_cell(cell: JSON, number: int, *, default_id: str) -> Block:
    """Return the block for a cell.

    Args:
        cell: The cell, as nbformat reads it.
        number: Its place in the notebook, counted from 0.
        default_id: The block's id where the cell has none.

    Raises:
        DocumentError: ``metadata.deepnote`` holds what no block can; its path is named.
    """
    cell = {**cell, "source": joined(cell["source"])}
    metadata = _mapping(cell.get("metadata"))
    exported = read_exported(cell, metadata)
    kept = exported or _mapping(metadata.pop(OURS, None))
    shown_hash = kept.pop(_SHOWN, None)
    block_id = kept.get("id", cell.get("id") or default_id)
    execution = _execution(cell, metadata) if cell["cell_type"] == "code" else {}
    fields = {**_told(cell, number, str(block_id)), "content": cell["source"], **execution, **kept}
    block = from_builtins({**fields, "id": block_id}, Block, f"cells[{number}].metadata.{OURS}")
    if cell["cell_type"] == "code":
        is_shown = cell_outputs(block.outputs, block.execution_count) == cell.get("outputs")
        block.outputs = block.outputs if "outputs" in kept and is_shown else outputs_of(cell)
    if foreign := _foreign(cell, metadata):
        block.metadata = {**block.metadata, FOREIGN: foreign}
    is_unedited = shown_hash in (None, content_hash(cell["source"]))
    if not is_unedited or _cell_type(block) != cell["cell_type"]:
        block = _edited(block, cell["cell_type"], cell["source"])
    elif shown_hash:
        return block
    if block.content_hash is not None:
        block.content_hash = _right_hash(block)
    return block


def _cell_type(block: Block) -> str:
    if block.type not in MARKDOWN_TYPES:
        return "code"
    is_raw = _mapping(block.metadata.get(FOREIGN)).get("cellType") == "raw"
    return "raw" if is_raw and block.type == "markdown" else "markdown"


def _cell_id(block: Block) -> str:
    """Return the block's id, or one derived from it where nbformat allows no such id."""
    return block.id if _CELL_ID.fullmatch(block.id) else block_group(block.id)


def _source(block: Block) -> str:
    return markdown_source(block) if block.type in MARKDOWN_TYPES else python_source(block)


def _is_plain(block: Block) -> bool:
    """Whether the cell's text is the block's, and its hash the one it should have."""
    is_hashed = block.content_hash in (None, _right_hash(block))
    return block.type in ("code", "markdown") and is_hashed


def _right_hash(block: Block) -> str | None:
    return content_hash(block.content) if block.content else None


def _told(cell: JSON, number: int, block_id: str) -> JSON:
    """Return what a block is where its cell's metadata says nothing of it."""
    return {
        "id": cell.get("id"),
        "type": _PLAIN_TYPES[cell["cell_type"]],
        "blockGroup": block_group(block_id),
        "sortingKey": sorting_key(number),
        "metadata": {},
    }


def _move_execution(block: Block, kept: JSON, cell: JSON) -> None:
    """Put what a run left where Jupyter has a place for it."""
    count = kept.pop("executionCount", None)
    cell["execution_count"] = count
    cell["outputs"] = cell_outputs(block.outputs, count)
    kept["outputs"] = block.outputs
    if outputs_of(cell) == completed(block.outputs, count):
        del kept["outputs"]
    times = {
        name: kept.pop(key) for key, name in _TIMES.items() if _TIME.fullmatch(kept.get(key, ""))
    }
    if times:
        execution = _mapping(cell["metadata"].get("execution"))
        cell["metadata"]["execution"] = execution | times


def _execution(cell: JSON, metadata: JSON) -> JSON:
    """Take the count and the times of a run out of a code cell and its metadata."""
    found: JSON = {"executionCount": cell.get("execution_count")}
    execution = _mapping(metadata.get("execution"))
    for key, name in _TIMES.items():
        time = execution.get(name)
        if isinstance(time, str) and _TIME.fullmatch(time):
            found[key] = execution.pop(name)
            metadata["execution"] = execution
    if len(found) > 1 and not execution:
        del metadata["execution"]
    return found


def _foreign(cell: JSON, metadata: JSON) -> JSON:
    foreign: JSON = {"metadata": metadata} if metadata else {}
    if cell.get("attachments"):
        foreign["attachments"] = cell["attachments"]
    if cell["cell_type"] == "raw":
        foreign["cellType"] = "raw"
    return foreign


def _edited(block: Block, cell_type: str, source: str) -> Block:
    """Return the block for a cell whose text or type is not what was made of the block."""
    edited = None
    if _cell_type(block) == cell_type:
        edit = edited_text if cell_type == "markdown" else edited_python
        edited = edit(block, source)
    if edited is None:
        edited = msgspec.structs.replace(block, type=_PLAIN_TYPES[cell_type], content=source)
    return edited


def _mapping(value: Any) -> JSON:
    return dict(value) if isinstance(value, dict) else {}

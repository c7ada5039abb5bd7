"""``.deepnote`` documents and the rows of the store, one made from the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel import snapshot
from deepnote_kernel.server.storage.store import Block, Notebook, new_hex_id, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deepnote_kernel.server.storage.store import Project, Store

__all__ = ["is_id", "notebook_document", "put_notebook"]

JSON = dict[str, Any]

# Source: deepnote/deepnote, packages/blocks, read 2026-11-20.
_EXECUTION_METADATA = {
    "execution_context_id",
    "execution_millis",
    "execution_start",
    "last_executed_function_notebook_id",
    "last_function_run_started_at",
    "output_cleared",
    "source_hash",
}
_INTEGRATION = "sql_integration_id"
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def is_id(text: str) -> bool:
    """Whether a document's id can be one here, where it becomes part of paths."""
    return _ID.fullmatch(text) is not None


def notebook_document(
    project: Project, notebook: Notebook, blocks: list[Block], init_notebook_id: str | None
) -> snapshot.Document:
    """Return a notebook in its project's envelope, without outputs or traces of runs.

    Args:
        project: The project.
        notebook: The notebook.
        blocks: Its blocks, in order.
        init_notebook_id: The notebook that prepares the project's machine, if there is one.
    """
    content = {"id": notebook.id, "name": notebook.name, "blocks": [], **notebook.settings}
    written = snapshot.from_builtins(content, snapshot.Notebook)
    written.blocks = [_written_block(block, number) for number, block in enumerate(blocks)]
    envelope = snapshot.Project(
        id=project.id,
        name=project.name,
        notebooks=[written],
        init_notebook_id=init_notebook_id,
        integrations=[
            snapshot.from_builtins(integration, snapshot.Integration)
            for integration in project.integrations
        ],
        settings=project.settings or None,
    )
    times = snapshot.Metadata(created_at=project.created_at, modified_at=project.updated_at)
    return snapshot.Document(metadata=times, project=envelope)


def put_notebook(
    store: Store,
    project_id: str,
    content: snapshot.Notebook,
    *,
    before: Notebook | None = None,
    blocks_before: Mapping[str, Block] | None = None,
) -> None:
    """Store a notebook of a document without its outputs, as a new one or in another's place.

    Blocks keep their ids, except those another notebook uses.

    Args:
        store: Where it is put.
        project_id: The project it belongs to.
        content: The notebook.
        before: The notebook whose place it takes, its blocks already gone.
        blocks_before: The blocks that are gone, by id: versions go on from theirs.
    """
    settings = snapshot.to_builtins(content)
    for name in ("id", "name", "blocks"):
        del settings[name]
    at = now()
    if before is None:
        row = Notebook(
            id=content.id,
            project_id=project_id,
            name=content.name,
            source_id=None,
            created_at=at,
            updated_at=at,
            settings=settings,
        )
        store.insert(row)
    else:
        store.update(Notebook, before.id, name=content.name, settings=settings, updated_at=at)
    for position, block in enumerate(content.blocks):
        row_of_block = _block_row(block, content.id, position, (blocks_before or {}).get(block.id))
        if not is_id(block.id) or store.find(Block, id=block.id):
            row_of_block = msgspec.structs.replace(row_of_block, id=new_hex_id())
        store.insert(row_of_block)


def _block_row(
    block: snapshot.Block, notebook_id: str, position: int, before: Block | None
) -> Block:
    metadata = _without_traces(block.metadata)
    version = 1
    if before is not None:
        version = before.version + (before.content != block.content)
    return Block(
        id=block.id,
        notebook_id=notebook_id,
        type=block.type,
        content=block.content,
        metadata=metadata,
        integration_id=metadata.pop(_INTEGRATION, None),
        version=version,
        position=position,
        block_group=block.block_group or None,
    )


def _written_block(block: Block, number: int) -> snapshot.Block:
    metadata = _without_traces(block.metadata)
    if block.integration_id is not None:
        metadata[_INTEGRATION] = block.integration_id
    return snapshot.Block(
        id=block.id,
        type=block.type,
        block_group=block.block_group or snapshot.block_group(block.id),
        sorting_key=snapshot.sorting_key(number),
        content=block.content,
        content_hash=snapshot.content_hash(block.content) if block.content else None,
        metadata=metadata,
    )


def _without_traces(metadata: JSON) -> JSON:
    return {name: value for name, value in metadata.items() if name not in _EXECUTION_METADATA}

"""Blocks of a notebook, one at a time.

Source: https://deepnote.com/docs, Public API v2, Blocks API, and Deepnote's public clients, read
November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, present, segment
from deepnote_kernel.api.models import Block
from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["create", "delete", "get", "update"]

_UNKNOWN = {404: "Check the block id; the block may have been deleted."}


def create(  # noqa: PLR0913 - as many as the API's own
    notebook_id: str,
    *,
    type_: str = "code",
    content: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    position: int | None = None,
    integration_id: str | None = None,
    include_notebook_block_ids: bool | None = None,
) -> Call[Block]:
    """Add a block to a notebook.

    Args:
        notebook_id: The notebook.
        type_: The kind of block: ``code``, ``markdown``, ``sql``, ``input-text`` and so on.
        content: Its source.
        metadata: What its kind has besides, such as ``deepnote_variable_name``.
        position: Where it goes, counted from 0; ``None`` for the end.
        integration_id: What an SQL block queries.
        include_notebook_block_ids: Whether to tell the order of all blocks afterwards.
    """
    body: dict[str, Any] = present(
        notebookId=notebook_id,
        type=type_,
        content=content,
        metadata=metadata,
        position=position,
        integrationId=integration_id,
        includeNotebookBlockIds=include_notebook_block_ids,
    )
    return Call(
        method="POST",
        path="/v2/blocks",
        body=body,
        read=_read_created,
        remedies={404: "Check the notebook id, and that the token may see the notebook."},
    )


def get(block_id: str) -> Call[Block]:
    """Get a block."""
    return Call(
        method="GET",
        path=_path(block_id),
        read=reading.enveloped("block", Block),
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def update(
    block_id: str, *, content: str | None = None, integration_id: str | None = None
) -> Call[Block]:
    """Change a block's source or integration; the answer holds its id and version alone.

    Args:
        block_id: The block. Its kind and metadata cannot be changed.
        content: Its new source; ``None`` leaves it.
        integration_id: What an SQL block queries from now on; ``None`` leaves it.

    Raises:
        ConfigError: Neither is given; nothing was sent.
    """
    body = present(content=content, integrationId=integration_id)
    if not body:
        raise ConfigError(
            f"The block {block_id} was given no change.", "Give content or integration_id."
        )
    return Call(
        method="PATCH",
        path=_path(block_id),
        body=body,
        read=reading.enveloped("block", Block),
        remedies=_UNKNOWN,
    )


def delete(block_id: str) -> Call[None]:
    """Delete a block. Repeated, it may answer 404: the block is gone already."""
    return Call(
        method="DELETE",
        path=_path(block_id),
        read=reading.nothing,
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def _path(block_id: str) -> str:
    return f"/v2/blocks/{segment('block', block_id)}"


def _read_created(body: bytes) -> Block:
    raw = reading.parse_object(body)
    block = msgspec.convert(raw.get("block") or raw, dict[str, Any])
    return reading.adopt(Block, {**block, "notebookBlockIds": raw.get("notebookBlockIds")})

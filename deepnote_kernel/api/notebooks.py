"""Notebooks of a project.

Source: https://deepnote.com/docs, Public API v2, Notebooks API, read November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, present, segment
from deepnote_kernel.api.models import Notebook, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.api.models import Page

__all__ = ["create", "delete", "get", "list_runs", "rename", "reorder_blocks"]

_UNKNOWN = {404: "Check the notebook id, and that the token may see the notebook."}


def create(project_id: str, *, name: str | None = None) -> Call[Notebook]:
    """Create an empty notebook in a standard project; its name must be new there."""
    return Call(
        method="POST",
        path="/v2/notebooks",
        body=present(projectId=project_id, name=name),
        read=reading.enveloped("notebook", Notebook),
        remedies={404: "Check DEEPNOTE_PROJECT_ID, and that the token may see the project."},
    )


def get(notebook_id: str) -> Call[Notebook]:
    """Get a notebook with its blocks and inputs."""
    return Call(
        method="GET",
        path=_path(notebook_id),
        read=reading.enveloped("notebook", Notebook),
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def rename(notebook_id: str, name: str) -> Call[Notebook]:
    """Give a notebook another name, which must be new in its project.

    A server from before renaming was possible answers 404 or 405.
    """
    return Call(
        method="PATCH",
        path=_path(notebook_id),
        body={"name": name},
        read=reading.enveloped("notebook", Notebook),
        remedies=_UNKNOWN,
    )


def reorder_blocks(
    notebook_id: str,
    block_ids: Sequence[str],
    *,
    at: Literal["start", "end"] = "end",
    after: str | None = None,
) -> Call[list[str]]:
    """Move blocks, in the order given, to one place; the result is the order of all blocks.

    Args:
        notebook_id: The notebook.
        block_ids: The blocks to move, none of them twice.
        at: Where they go.
        after: The block they are to follow instead; it is not one of them.
    """
    placement = {"type": at} if after is None else {"type": "after", "blockId": after}
    return Call(
        method="POST",
        path=f"{_path(notebook_id)}/reorder-blocks",
        body={"blockIds": block_ids, "placement": placement},
        read=_read_order,
        remedies=_UNKNOWN,
    )


def delete(notebook_id: str) -> Call[None]:
    """Delete a notebook; a project keeps at least one."""
    return Call(
        method="DELETE",
        path=_path(notebook_id),
        read=reading.nothing,
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def list_runs(
    notebook_id: str, *, page_size: int | None = None, page_token: str | None = None
) -> Call[Page[Run]]:
    """List a notebook's runs, newest first, whoever or whatever started them.

    Args:
        notebook_id: The notebook.
        page_size: Runs per page, 1 to 100; ``None`` for the server's default, 20.
        page_token: The page to get; ``None`` for the first.
    """
    return Call(
        method="GET",
        path=f"{_path(notebook_id)}/runs",
        query=present(pageSize=page_size, pageToken=page_token),
        read=reading.paged("runs", Run),
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def _path(notebook_id: str) -> str:
    return f"/v2/notebooks/{segment('notebook', notebook_id)}"


class _Ordered(msgspec.Struct, rename="camel"):
    block_ids: list[str]


def _read_order(body: bytes) -> list[str]:
    return reading.decode(body, _Ordered).block_ids

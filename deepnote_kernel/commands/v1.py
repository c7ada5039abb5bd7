"""``execute-v1``: start a notebook through the legacy API, which tells nothing more of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.api import notebooks, v1
from deepnote_kernel.commands.names import find_notebook_id

if TYPE_CHECKING:
    from deepnote_kernel.commands.context import Context

__all__ = ["execute"]


def execute(context: Context, *, notebook: str) -> None:
    """Start a notebook on its project's machine."""
    found = context.client.send(notebooks.get(find_notebook_id(context.client, notebook)))
    context.client.send(v1.execute(found.project_id, found.id))
    context.surface.say(f"Asked to run {found.name!r}; the legacy API says nothing of its end.")

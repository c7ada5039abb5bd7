"""``integrations``: connections of the workspace to databases and other services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.api import integrations
from deepnote_kernel.commands.views import Listing, moment

if TYPE_CHECKING:
    from deepnote_kernel.api.models import Integration
    from deepnote_kernel.commands.context import Context

__all__ = ["list_"]


def list_(context: Context) -> Listing[Integration]:
    """List the workspace's integrations."""
    return Listing(
        context.client.iterate(integrations.list_()),
        ["Integration", "Type", "Changed", "Id"],
        lambda item: (
            item.name,
            item.type,
            moment(item.updated_at or item.created_at),
            item.id,
        ),
        empty="The workspace has no integrations.",
    )

"""``me``: whom the token speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.api import me
from deepnote_kernel.commands.views import Card

if TYPE_CHECKING:
    from deepnote_kernel.api.models import Me
    from deepnote_kernel.commands.context import Context

__all__ = ["show"]


def show(context: Context) -> Card[Me]:
    """Show the person, the workspace and the key's rights."""
    found = context.client.send(me.get())
    return Card(
        found,
        {
            "User": found.user.name or found.user.email,
            "Workspace": found.workspace.name,
            "API key": found.api_key.name,
            "Access": found.access_level,
            "Server": context.settings.base_url,
        },
    )

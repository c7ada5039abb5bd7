"""Connections of the workspace to databases and other services.

Source: Deepnote's public clients, read November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, present
from deepnote_kernel.api.models import Integration, Page

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["list_"]


def list_(
    *, integration_ids: Sequence[str] | None = None, include_metadata: bool = False
) -> Call[Page[Integration]]:
    """List integrations.

    Args:
        integration_ids: Only these; ``None`` for all.
        include_metadata: Whether to bring their settings along.
    """
    return Call(
        method="GET",
        path="/v2/integrations",
        query=present(
            includeMetadata="true" if include_metadata else None,
            integrationIds=",".join(integration_ids) if integration_ids is not None else None,
        ),
        read=reading.paged("integrations", Integration),
        replay_safe=True,
    )

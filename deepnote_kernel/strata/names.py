"""What there is on a Strata server, to complete a word with."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from deepnote_kernel.strata.calls import cells, notebooks, sessions
from deepnote_kernel.strata.client import Client

if TYPE_CHECKING:
    from deepnote_kernel.config import Settings
    from deepnote_kernel.strata.settings import StrataSettings

__all__ = ["known_names"]


def known_names(settings: Settings, kind: str) -> list[str]:
    """Return the names and ids of what there is of a kind.

    Args:
        settings: :class:`~deepnote_kernel.strata.settings.StrataSettings`.
        kind: ``notebook``, ``session`` or ``cell`` (of the notebooks that are open); none of any
            other.

    Raises:
        DeepnoteError: The server cannot be asked.
    """
    where = cast("StrataSettings", settings)
    headers, allow_http = where.revealed_headers(), where.allow_http
    with Client(where.base_url, headers=headers, allow_http=allow_http) as client:
        if kind == "notebook":
            return sorted({entry.name for entry in client.send(notebooks.discover())})
        opened = [session.session_id for session in client.send(sessions.list_())]
        if kind == "session":
            return opened
        if kind == "cell":
            return [cell.id for each in opened for cell in client.send(cells.list_(each))]
    return []

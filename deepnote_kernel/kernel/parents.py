"""Remember which message each cell came with."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepnote_kernel.outputs import JSON

__all__ = ["Parents"]


class Parents:
    """Headers of recent requests by their id, for output that comes after the cell has ended.

    Args:
        limit: How many to remember; the oldest are forgotten first.
    """

    def __init__(self, limit: int = 1000) -> None:
        self._headers: OrderedDict[str, JSON] = OrderedDict()
        self._limit = limit

    def remember(self, message: JSON) -> None:
        """Remember the header of a request."""
        header = message["header"]
        self._headers[header["msg_id"]] = header
        self._headers.move_to_end(header["msg_id"])
        if len(self._headers) > self._limit:
            self._headers.popitem(last=False)

    def header(self, msg_id: str) -> JSON:
        """Return the header of a request; of the latest where this one is not known."""
        if msg_id in self._headers:
            return self._headers[msg_id]
        return next(reversed(self._headers.values()), {})

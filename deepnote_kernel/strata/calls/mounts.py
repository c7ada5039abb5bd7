"""Mounts: folders and buckets that a notebook's cells see as a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.calls._parts import notebook_path
from deepnote_kernel.strata.models import Mount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.api.call import Call

__all__ = ["set_"]


def set_(session_id: str, mounts: Sequence[Mount]) -> Call[list[Mount]]:
    """Set the mounts of a notebook, in place of those it has; each becomes a variable of its name.

    An opened notebook tells which it has.
    """
    return _parts.put(
        notebook_path(session_id, "mounts"),
        {"mounts": [msgspec.structs.asdict(mount) for mount in mounts]},
        _parts.listed("mounts", Mount),
    )

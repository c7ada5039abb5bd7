"""What all models share."""

from __future__ import annotations

from typing import Any, TypeAlias

from deepnote_kernel.api.models import base

__all__ = ["JsonObject", "Model"]

JsonObject: TypeAlias = dict[str, Any]


class Model(base.Model, frozen=True, kw_only=True, rename="lower"):
    """Base of what comes over the wire; Strata writes its names in snake case, as Python does."""

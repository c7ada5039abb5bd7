"""Every call that a Strata server answers, by its nouns.

The first argument of most is the *session id*: it names an open notebook, and the id within the
notebook's file does not.

Source: https://strata-notebook.readthedocs.io, REST API Reference, read November 2026; what servers
from 0.5.0 to 0.11.0 really do was measured.
"""

from __future__ import annotations

from deepnote_kernel.strata.calls import (
    ai,
    cells,
    core,
    data,
    environment,
    mounts,
    notebooks,
    sessions,
    workers,
)

__all__ = [
    "ai",
    "cells",
    "core",
    "data",
    "environment",
    "mounts",
    "notebooks",
    "sessions",
    "workers",
]

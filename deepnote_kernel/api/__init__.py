"""Typed client of Deepnote's Public API.

A call is a value: the modules named after the API's nouns build it, a client sends it.

    from deepnote_kernel.api import Client, sessions
    from deepnote_kernel.config import Secret

    with Client(token=Secret("…")) as client:
        created = client.send(sessions.create("notebook-id"))

Importing this package does not import httpx; making a client does.
"""

from __future__ import annotations

from deepnote_kernel.api import (
    blocks,
    files,
    integrations,
    machines,
    me,
    models,
    notebooks,
    projects,
    runs,
    schedules,
    sessions,
    streamlit_apps,
    v1,
)
from deepnote_kernel.api.call import Call
from deepnote_kernel.api.client import AsyncClient, Client
from deepnote_kernel.api.retry import Retry

__all__ = [
    "AsyncClient",
    "Call",
    "Client",
    "Retry",
    "blocks",
    "files",
    "integrations",
    "machines",
    "me",
    "models",
    "notebooks",
    "projects",
    "runs",
    "schedules",
    "sessions",
    "streamlit_apps",
    "v1",
]

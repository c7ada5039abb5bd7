"""The legacy API: it starts a notebook in its project and says nothing of what comes of it.

Source: https://deepnote.com/docs, API, "Execute notebook", read November 2026.
"""

from __future__ import annotations

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, segment

__all__ = ["execute"]


def execute(project_id: str, notebook_id: str) -> Call[None]:
    """Start a notebook on its project's machine. Prefer :func:`deepnote_kernel.api.runs.create`."""
    project, notebook = segment("project", project_id), segment("notebook", notebook_id)
    return Call(
        method="POST",
        path=f"/v1/projects/{project}/notebooks/{notebook}/execute",
        read=reading.nothing,
        remedies={404: "Check both ids; the v1 API may be switched off, use runs instead."},
    )

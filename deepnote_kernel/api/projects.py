"""Projects of the token's workspace.

Source: https://deepnote.com/docs, Public API v2, Projects API, read November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, present, segment
from deepnote_kernel.api.models import Project

if TYPE_CHECKING:
    from deepnote_kernel.api.models import Page

__all__ = ["create", "delete", "get", "list_"]

_UNKNOWN = {404: "Check the project id, and that the token may see the project."}


def list_(
    *,
    name_contains: str | None = None,
    page_size: int | None = None,
    page_token: str | None = None,
) -> Call[Page[Project]]:
    """List projects.

    Args:
        name_contains: Only projects whose name contains this, whatever the case.
        page_size: Projects per page, 1 to 100; ``None`` for the server's default, 50.
        page_token: The page to get; ``None`` for the first.
    """
    return Call(
        method="GET",
        path="/v2/projects",
        query=present(nameContains=name_contains, pageSize=page_size, pageToken=page_token),
        read=reading.paged("projects", Project),
        replay_safe=True,
    )


def create(
    name: str,
    *,
    folder_id: str | None = None,
    project_type: str | None = None,
    environment_id: str | None = None,
) -> Call[Project]:
    """Create a project; it comes with one empty notebook.

    Args:
        name: Its name.
        folder_id: The folder it goes into; ``None`` for the top.
        project_type: ``standard``, or another kind the API knows; ``None`` for its default.
        environment_id: The environment of its machine; ``None`` for the default.
    """
    return Call(
        method="POST",
        path="/v2/projects",
        body=present(
            name=name,
            folderId=folder_id,
            projectType=project_type,
            environmentId=environment_id,
        ),
        read=reading.enveloped("project", Project),
    )


def get(project_id: str) -> Call[Project]:
    """Get a project with the names of its notebooks."""
    return Call(
        method="GET",
        path=_path(project_id),
        read=reading.enveloped("project", Project),
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def delete(project_id: str) -> Call[None]:
    """Delete a project and all that is in it."""
    return Call(
        method="DELETE",
        path=_path(project_id),
        read=reading.nothing,
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def _path(project_id: str) -> str:
    return f"/v2/projects/{segment('project', project_id)}"

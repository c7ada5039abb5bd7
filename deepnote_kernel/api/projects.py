"""Projects of the token's workspace.

Source: https://deepnote.com/docs, Public API v2, Projects API, read November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import ARCHIVE_TIMEOUT_S, Call, present, segment
from deepnote_kernel.api.models import ImportedProject, Project
from deepnote_kernel.api.transfer import Content, Download
from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from deepnote_kernel.api.models import Page

__all__ = ["create", "delete", "export", "get", "import_", "list_", "update"]

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
    """Get a project with its files, integrations and the names of its notebooks."""
    return Call(
        method="GET",
        path=_path(project_id),
        read=reading.enveloped("project", Project),
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def update(
    project_id: str,
    *,
    sharing_enabled: bool | None = None,
    api_access_enabled: bool | None = None,
    streamlit_app_api_access_enabled: bool | None = None,
    environment_id: str | None = None,
) -> Call[Project]:
    """Change a project's settings; what is left out stays as it is.

    Args:
        project_id: The project.
        sharing_enabled: Whether its static site is served.
        api_access_enabled: Whether the static site may call the API.
        streamlit_app_api_access_enabled: Whether its Streamlit app may call the API.
        environment_id: The environment of its machine.

    Raises:
        ConfigError: No setting is given; nothing was sent.
    """
    static_files = present(sharingEnabled=sharing_enabled, apiAccessEnabled=api_access_enabled)
    body: dict[str, Any] = present(
        staticFiles=static_files or None,
        streamlitAppApiAccessEnabled=streamlit_app_api_access_enabled,
        environmentId=environment_id,
    )
    if not body:
        raise ConfigError(f"The project {project_id} was given no change.", "Give a setting.")

    def read(answer: bytes) -> Project:
        raw = reading.parse_object(answer)
        given = msgspec.convert(raw.get("project") or raw, dict[str, Any])
        return reading.adopt(Project, {"id": project_id, **given})

    return Call(method="PATCH", path=_path(project_id), body=body, read=read, remedies=_UNKNOWN)


def delete(project_id: str) -> Call[None]:
    """Delete a project and all that is in it."""
    return Call(
        method="DELETE",
        path=_path(project_id),
        read=reading.nothing,
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def export(project_id: str) -> Call[bytes]:
    """Get a ZIP archive with one ``.deepnote`` document for each notebook, without outputs."""
    return Call(
        method="GET",
        path=f"{_path(project_id)}/export",
        download=Download(),
        read=bytes,
        timeout_s=ARCHIVE_TIMEOUT_S,
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def import_(  # noqa: PLR0913 - as many as the API's own
    project_id: str,
    archive: bytes,
    *,
    base_modified_at: str | None = None,
    base_content_hash: str | None = None,
    delete_missing_notebooks: bool = False,
    force: bool = False,
) -> Call[ImportedProject]:
    """Replace a project's notebooks with those of an archive; their outputs are cleared.

    Args:
        project_id: The project.
        archive: A ZIP archive as :func:`export` gives it.
        base_modified_at: The ``modified_at`` of the version the archive was made from.
        base_content_hash: The ``content_hash`` of that version.
        delete_missing_notebooks: Whether notebooks that the archive lacks are deleted.
        force: Whether to import even where the project has changed since; else that is a
            ``ConflictError``.
    """
    query = present(
        baseModifiedAt=base_modified_at,
        baseContentHash=base_content_hash,
        deleteMissingNotebooks="true" if delete_missing_notebooks else None,
        force="true" if force else None,
    )
    return Call(
        method="POST",
        path=f"{_path(project_id)}/import",
        query=query,
        body=Content(data=archive, media_type="application/zip"),
        read=_read_imported,
        timeout_s=ARCHIVE_TIMEOUT_S,
        remedies=_UNKNOWN,
    )


def _path(project_id: str) -> str:
    return f"/v2/projects/{segment('project', project_id)}"


def _read_imported(body: bytes) -> ImportedProject:
    raw = reading.parse_object(body)
    project = msgspec.convert(raw.get("project") or raw, dict[str, Any])
    return reading.adopt(ImportedProject, {**project, "notebooks": raw.get("notebooks")})

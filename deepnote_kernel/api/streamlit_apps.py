"""Streamlit apps: files of a project that its machine serves as web pages.

No call that deletes an app has been published.

Source: Deepnote's public clients (deepnote-cli 0.10.0, ``streamlit publish``), read November 2026.
"""

from __future__ import annotations

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, segment
from deepnote_kernel.api.models import Page, StreamlitApp, StreamlitAppStatus

__all__ = ["create", "list_", "status"]


def create(project_id: str, entrypoint: str) -> Call[StreamlitApp]:
    """Serve a file as an app; one that is served already is a ``ConflictError``.

    At Deepnote this restarts the project's machine, whatever runs there.

    Args:
        project_id: The project.
        entrypoint: Path of a Python file that is in the project's storage, below ``/work``.
    """
    return Call(
        method="POST",
        path="/v2/streamlit-apps",
        body={"projectId": project_id, "entrypoint": entrypoint},
        read=reading.enveloped("streamlitApp", StreamlitApp),
        remedies={404: "Check the project id; the file must be in the project's files already."},
    )


def list_(project_id: str) -> Call[Page[StreamlitApp]]:
    """List a project's apps."""
    return Call(
        method="GET",
        path="/v2/streamlit-apps",
        query={"projectId": project_id},
        read=reading.paged("streamlitApps", StreamlitApp),
        replay_safe=True,
        remedies={404: "Check the project id, and that the token may see the project."},
    )


def status(app_id: str) -> Call[StreamlitAppStatus]:
    """Ask whether an app is there to be used."""
    return Call(
        method="GET",
        path=f"/v2/streamlit-apps/{segment('app', app_id)}/status",
        read=lambda body: reading.adopt(StreamlitAppStatus, reading.parse_object(body)),
        replay_safe=True,
        remedies={404: "Check the id, as the list of the project's apps has it."},
    )

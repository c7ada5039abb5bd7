"""Machines: the kinds there are, and the one a project has.

Source: https://deepnote.com/docs, Public API v2, Machines API, read November 2026.
"""

from __future__ import annotations

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, segment
from deepnote_kernel.api.models import Machine, MachineType, Page

__all__ = ["get", "list_types"]


def list_types() -> Call[Page[MachineType]]:
    """List the kinds of machine the workspace may use."""
    return Call(
        method="GET",
        path="/v2/machine-types",
        read=reading.paged("machineTypes", MachineType),
        replay_safe=True,
    )


def get(project_id: str) -> Call[Machine]:
    """Get the machine of a project. Sessions and detached runs have machines of their own."""
    return Call(
        method="GET",
        path=f"/v2/projects/{segment('project', project_id)}/machine",
        read=reading.enveloped("machine", Machine),
        replay_safe=True,
        remedies={404: "Check the project id, and that the token may see the project."},
    )

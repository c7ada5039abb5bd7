"""When notebooks run by themselves. A project has one scheduled notebook at most.

Source: https://deepnote.com/docs, Public API v2, Schedules API, and Deepnote's public clients, read
November 2026.
"""

from __future__ import annotations

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, present, segment
from deepnote_kernel.api.models import Schedule

__all__ = ["create", "delete", "get"]

_UNKNOWN = {404: "Check the notebook id; only a scheduled notebook has a schedule."}


def create(notebook_id: str, cron: str, *, timezone: str | None = None) -> Call[Schedule]:
    """Schedule a notebook, in place of whatever schedule its project has.

    Args:
        notebook_id: The notebook.
        cron: Five fields: minute, hour, day of the month, month, day of the week.
        timezone: IANA name of the zone the fields are in; ``None`` for UTC.
    """
    return Call(
        method="POST",
        path=_path(notebook_id),
        body=present(cron=cron, timezone=timezone),
        read=reading.enveloped("schedule", Schedule),
        remedies={
            400: "Give five cron fields, as in '0 9 * * 1-5', and an IANA zone: Europe/Prague.",
            404: "Check the notebook id, and that the token may see the notebook.",
        },
    )


def get(notebook_id: str) -> Call[Schedule]:
    """Get the schedule of a notebook; one without is not found."""
    return Call(
        method="GET",
        path=_path(notebook_id),
        read=reading.enveloped("schedule", Schedule),
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def delete(notebook_id: str) -> Call[None]:
    """Remove the schedule of a notebook; one without is not found."""
    return Call(
        method="DELETE",
        path=_path(notebook_id),
        read=reading.nothing,
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def _path(notebook_id: str) -> str:
    return f"/v2/notebooks/{segment('notebook', notebook_id)}/schedule"

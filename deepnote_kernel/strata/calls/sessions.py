"""Sessions: the notebooks a server has open."""

from __future__ import annotations

from deepnote_kernel.api.call import Call, segment
from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.models import Notebook, Session

__all__ = ["get", "list_"]


def list_() -> Call[list[Session]]:
    """List the open notebooks. A server in service mode does not tell (403)."""
    return Call(
        method="GET",
        path="/v1/notebooks/sessions",
        read=_parts.listed("sessions", Session),
        replay_safe=True,
    )


def get(session_id: str) -> Call[Notebook]:
    """Get an open notebook, whole, as when it was opened."""
    return Call(
        method="GET",
        path=f"/v1/notebooks/sessions/{segment('session', session_id)}",
        read=_parts.model(Notebook),
        replay_safe=True,
    )

"""Sessions: the notebooks a server has open."""

from __future__ import annotations

from deepnote_kernel.api.call import Call, segment
from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.models import Notebook, Session

__all__ = ["get", "list_"]


def list_() -> Call[list[Session]]:
    """List the open notebooks. A server in service mode does not tell (403)."""
    return _parts.get("/v1/notebooks/sessions", _parts.listed("sessions", Session))


def get(session_id: str) -> Call[Notebook]:
    """Get an open notebook, whole, as when it was opened."""
    return _parts.get(
        f"/v1/notebooks/sessions/{segment('session', session_id)}", _parts.model(Notebook)
    )

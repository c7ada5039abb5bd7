"""What the exit status of ``jupyter deepnote`` means."""

from __future__ import annotations

from enum import IntEnum

from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.errors import (
    ConflictError,
    DeepnoteError,
    MissingTokenError,
    NotFoundError,
    PermissionDeniedError,
    RunFailedError,
    TransportError,
    UnauthorizedError,
    UnknownNameError,
)

__all__ = ["Status", "status_of"]


class Status(IntEnum):
    """Exit statuses; scripts may rely on them."""

    GOOD = 0
    FAILED = 1
    """For a reason that has no number of its own."""

    MISUSED = 2
    """The command line was not understood; nothing was done."""

    FORBIDDEN = 3
    """There is no token, or it may not do this."""

    NOT_FOUND = 4
    """There is no such project, notebook, run, session or file."""

    CONFLICT = 5
    """The name is taken, the project is suspended or has changed, or something runs already."""

    UNREACHABLE = 6
    """No answer came from the server."""

    CODE_FAILED = 7
    """The command worked; the code it ran ended with an error."""

    INTERRUPTED = 130
    """By Ctrl-C, as shells count it."""

    UNREAD = 141
    """Whoever read the output, such as ``head``, has had enough of it; as shells count it."""


_STATUSES: tuple[tuple[type[DeepnoteError], Status], ...] = (
    (UsageError, Status.MISUSED),
    (MissingTokenError, Status.FORBIDDEN),
    (UnauthorizedError, Status.FORBIDDEN),
    (PermissionDeniedError, Status.FORBIDDEN),
    (UnknownNameError, Status.NOT_FOUND),
    (NotFoundError, Status.NOT_FOUND),
    (ConflictError, Status.CONFLICT),
    (TransportError, Status.UNREACHABLE),
    (RunFailedError, Status.CODE_FAILED),
)


def status_of(error: DeepnoteError) -> Status:
    """Return the exit status that tells an error."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), Status.FAILED)

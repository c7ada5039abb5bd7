"""Which exit status an error is."""

from __future__ import annotations

import pytest

from deepnote_kernel import errors
from deepnote_kernel.cli.shell import CellFailedError
from deepnote_kernel.cli.status import Status, status_of
from deepnote_kernel.commands.grammar import UsageError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("x"), 2),
        (errors.MissingTokenError("x"), 3),
        (errors.UnauthorizedError("x", status_code=401), 3),
        (errors.PermissionDeniedError("x", status_code=403), 3),
        (errors.NotFoundError("x", status_code=404), 4),
        (errors.UnknownNameError("x"), 4),
        (errors.ConflictError("x", status_code=409), 5),
        (errors.ConnectionFailedError("x"), 6),
        (errors.RequestTimeoutError("x"), 6),
        (errors.RunFailedError("x"), 7),
        (CellFailedError("x"), 7),
        (errors.ConfigError("x"), 1),
        (errors.SessionGoneError("x"), 1),
        (errors.ServerError("x", status_code=500), 1),
    ],
)
def test_status(error: errors.DeepnoteError, status: int) -> None:
    """Scripts rely on these numbers."""
    assert status_of(error) == status


def test_the_numbers_are_told() -> None:
    """``--help`` lists every status."""
    from deepnote_kernel.cli import GRAMMAR  # noqa: PLC0415 - nothing else here needs it

    shown = " ".join(GRAMMAR.parser().format_help().split())
    assert [status for status in Status if f"{status:d} " not in shown] == []

"""Every refusal has the API's envelope."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from starlette.requests import Request

from deepnote_kernel.server import errors

REQUEST = Request({"type": "http"})


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (errors.BadRequestError("no"), 400, "no"),
        (errors.UnauthorizedError("no"), 401, "no"),
        (errors.NotFoundError("no"), 404, "no"),
        (errors.ExecutionTimedOutError(), 408, "Execution timed out"),
        (errors.ConflictError("no"), 409, "no"),
        (errors.KernelUnavailableError(), 409, "Session kernel is unavailable"),
        (errors.PayloadTooLargeError("no"), 413, "no"),
    ],
)
def test_a_refusal_is_its_status_and_message(
    error: errors.RequestError, status: int, message: str
) -> None:
    """One class for each status."""
    answer = asyncio.run(errors.on_request_error(REQUEST, error))
    assert answer.status_code == status
    assert msgspec.json.decode(bytes(answer.body)) == {"message": message}


def test_a_crash_shows_nothing_of_the_inside() -> None:
    """The traceback is for the log."""
    answer = asyncio.run(errors.on_crash(REQUEST, ValueError("secret")))
    assert answer.status_code == 500
    assert msgspec.json.decode(bytes(answer.body)) == {"message": "Internal server error"}
    assert answer.headers["Connection"] == "close"

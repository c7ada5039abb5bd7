"""The error tree: what each error says and keeps."""

from __future__ import annotations

import inspect

import pytest

from deepnote_kernel import errors
from deepnote_kernel.errors import APIStatusError, ConflictError, DeepnoteError, TransportError


def test_an_error_reads_as_its_message_and_its_remedy() -> None:
    """What happened comes first, what to do second, on one line."""
    error = DeepnoteError("The notebook is busy.", "Wait a moment.")
    assert str(error) == "The notebook is busy. Wait a moment."
    assert (error.message, error.remedy) == ("The notebook is busy.", "Wait a moment.")


def test_an_error_without_a_remedy_reads_as_its_message() -> None:
    """No space is left where a remedy would be."""
    assert str(DeepnoteError("It ended.")) == "It ended."


def test_an_error_shows_itself_in_ipython_as_one_line() -> None:
    """Nobody needs to read our frames: IPython asks the error for its traceback."""
    (line,) = DeepnoteError("It ended.", "Start it.")._render_traceback_()
    assert line.endswith("DeepnoteError\x1b[39m: It ended. Start it.")


def test_a_status_error_keeps_what_is_known_of_the_answer() -> None:
    """Status, body, words, request id and the wait asked for are attributes."""
    error = APIStatusError(
        "m",
        "r",
        status_code=429,
        body={"message": "w"},
        server_message="w",
        request_id="q",
        retry_after_s=3.0,
    )
    assert vars(error) == {
        "message": "m",
        "remedy": "r",
        "status_code": 429,
        "body": {"message": "w"},
        "server_message": "w",
        "request_id": "q",
        "retry_after_s": 3.0,
    }


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Project is suspended", "suspended"),
        ("Notebook is busy with a tracked run", "busy"),
        ("Another cell is running", "busy"),
        ("The session kernel is unavailable", "unavailable"),
        ("The kernel is not available", "unavailable"),
        ("Notebook name already exists", ""),
        ("", ""),
    ],
)
def test_a_conflict_knows_its_reason(words: str, reason: str) -> None:
    """One status has several meanings; the server's words tell them apart."""
    assert ConflictError("m", status_code=409, server_message=words).reason == reason


@pytest.mark.parametrize(
    ("error", "base"),
    [
        ("ConfigError", DeepnoteError),
        ("ConnectionFailedError", TransportError),
        ("RequestTimeoutError", TransportError),
        ("ResponseFormatError", DeepnoteError),
        ("SessionGoneError", errors.SessionError),
        *(
            (name, APIStatusError)
            for name in (
                "BadRequestError",
                "UnauthorizedError",
                "PermissionDeniedError",
                "NotFoundError",
                "ExecutionTimeoutError",
                "ConflictError",
                "PayloadTooLargeError",
                "RateLimitedError",
                "ServerError",
            )
        ),
    ],
)
def test_an_error_is_caught_by_its_kind(error: str, base: type[DeepnoteError]) -> None:
    """Callers catch a whole kind of error by its base."""
    assert issubclass(getattr(errors, error), base)


def test_every_error_is_exported_and_drawn_in_the_tree() -> None:
    """The docstring's tree, the export list and the module agree."""
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert defined == {name for name in errors.__all__ if name.endswith("Error")}
    assert errors.__doc__ is not None
    assert [name for name in sorted(defined) if name not in errors.__doc__] == []

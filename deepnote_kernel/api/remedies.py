"""Which error a status is, how to say so to a person, and what they can do about it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepnote_kernel import errors

if TYPE_CHECKING:
    from deepnote_kernel.api.call import Call

__all__ = ["CHECK_URL", "error_class", "headline", "maybe_done", "remedy"]

CHECK_URL = "Check DEEPNOTE_BASE_URL, and that no proxy or login page answers in Deepnote's place."

_CLASSES: dict[int, type[errors.APIStatusError]] = {
    400: errors.BadRequestError,
    401: errors.UnauthorizedError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    408: errors.ExecutionTimeoutError,
    409: errors.ConflictError,
    413: errors.PayloadTooLargeError,
    429: errors.RateLimitedError,
}

_NOT_OURS = (401, 403, 404)
_SERVER_ERROR = 500

_REMEDIES = {
    400: "Check the values that were given.",
    401: "Run `%deepnote login` with a valid one, or set DEEPNOTE_TOKEN to it; in Deepnote, "
    "Settings & members > Security > API keys makes one.",
    403: "Ask the workspace's administrator for access; the API and sessions depend on the plan.",
    404: "Check the id, DEEPNOTE_BASE_URL, and that the API key's account may see it.",
    408: "Split the cell into shorter ones, or use live mode, which has no time limit.",
    413: "Send less at once; put large data into a file.",
    429: "Wait a minute and try again, or lower DEEPNOTE_CALLS_PER_MINUTE.",
}

_HEADLINES: dict[type[errors.APIStatusError], str] = {
    errors.BadRequestError: "Deepnote cannot make sense of this",
    errors.UnauthorizedError: "Deepnote does not accept the API key",
    errors.PermissionDeniedError: "Deepnote does not allow this",
    errors.NotFoundError: "Deepnote does not find this",
    errors.ExecutionTimeoutError: "Deepnote gave up waiting for the code",
    errors.ConflictError: "Deepnote cannot do this now",
    errors.PayloadTooLargeError: "Deepnote does not take this much",
    errors.RateLimitedError: "Deepnote got too many requests",
    errors.ServerError: "Deepnote is in trouble",
}

_CONFLICTS = {
    "suspended": "Resume the project in Deepnote, or ask the workspace's administrator.",
    "busy": "Wait until what is running has ended, or interrupt it.",
    "unavailable": "Wait a minute; if the kernel stays away, start a new session.",
    "": "Try again in a moment; if it names something that exists already, choose another name.",
}


def error_class(status: int, words: str, *, is_page: bool = False) -> type[errors.APIStatusError]:
    """Return the error for a status.

    Some calls answer 400 where others answer 404 or 409: the words tell, and the class is the same.
    A web page that refuses, or finds nothing, is not Deepnote's and says nothing about a session.

    Source: Deepnote's reference and public clients (unknown notebook, suspended project), read
    November 2026.
    """
    if status >= _SERVER_ERROR:
        return errors.ServerError
    if is_page and status in _NOT_OURS:
        return errors.APIStatusError
    kind = _CLASSES.get(status, errors.APIStatusError)
    if kind is errors.BadRequestError:
        said = words.lower()
        if "not found" in said:
            return errors.NotFoundError
        if "suspended" in said:
            return errors.ConflictError
    return kind


def headline(kind: type[errors.APIStatusError], *, is_page: bool = False) -> str:
    """Return what an error means to whoever does not know the API, without a full stop."""
    if is_page:
        return "A web page answered in Deepnote's place"
    return _HEADLINES.get(kind, "Deepnote refused")


def remedy(call: Call[Any], kind: type[errors.APIStatusError], status: int, words: str) -> str:
    """Return one sentence that says what to do about a call's error."""
    if kind is errors.APIStatusError:
        return CHECK_URL
    if kind is errors.NotFoundError:
        return call.remedies.get(404) or _REMEDIES[404]
    if kind is errors.ConflictError:
        return _CONFLICTS[errors.ConflictError.reason_in(words)]
    if kind is errors.ServerError:
        if "hardware" in words.lower():
            return "Deepnote has no machine to give right now: try again in a few minutes."
        return maybe_done(call) or "Deepnote or a proxy is in trouble: try again in a minute."
    return call.remedies.get(status) or _REMEDIES[status]


def maybe_done(call: Call[Any]) -> str:
    """Return the warning due to a call that may have been carried out; empty where none is."""
    if call.replay_safe:
        return ""
    general = "It may have been carried out: look before repeating it."
    return call.remedies.get(_SERVER_ERROR, general)

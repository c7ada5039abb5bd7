"""From what came back from a Strata server to a result, or to an error worth reading. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepnote_kernel import errors
from deepnote_kernel.api import words
from deepnote_kernel.api.remedies import maybe_done
from deepnote_kernel.api.responses import Answer, Reader
from deepnote_kernel.api.retry import retry_after_s
from deepnote_kernel.strata.refusals import refusal, said

if TYPE_CHECKING:
    from deepnote_kernel.api.call import Call

__all__ = ["START_SERVER", "StrataReader", "is_unknown_route"]

_CHECK_URL = "Check STRATA_URL, and that no proxy or login page answers in Strata's place."
_SERVER_ERROR = 500

START_SERVER = (
    "`uvx --python 3.12 --from 'strata-notebook[notebook]' strata-notebook` starts a server; "
    "STRATA_URL, or the option --url, gives the address of another."
)
"""What to do where no server answers on this computer."""

_KINDS: dict[int, tuple[type[errors.APIStatusError], str]] = {
    400: (errors.BadRequestError, "Check the values that were given."),
    401: (
        errors.UnauthorizedError,
        "Give the headers that the server, or its proxy, wants: STRATA_HEADERS.",
    ),
    403: (
        errors.PermissionDeniedError,
        "Ask who runs the server, or check STRATA_HEADERS.",
    ),
    404: (errors.NotFoundError, "Check the id and STRATA_URL."),
    409: (errors.ConflictError, "Try again in a moment."),
    413: (errors.PayloadTooLargeError, "Send less at once."),
    422: (errors.BadRequestError, "Check the values that were given."),
    429: (
        errors.RateLimitedError,
        "Wait a second, or start the server with STRATA_RATE_LIMIT_ENABLED=false.",
    ),
}

# Starlette's own words for a path, or a method, that no route of the server has.
_UNKNOWN_ROUTE = {(404, "Not Found"), (405, "Method Not Allowed")}


class StrataReader(Reader, frozen=True, kw_only=True):
    """Reads what came of an attempt at a call, and words its errors."""

    check_url = _CHECK_URL
    start_server = START_SERVER
    check_network = "Check the network, STRATA_URL and any proxy."

    def _status_error(
        self, call: Call[Any], answer: Answer, times: str, now_s: float
    ) -> errors.APIStatusError:
        body = self._scrubbed(words.parsed(answer.body))
        text = words.spoken(body) if words.is_page(answer.body) else words.one_line(said(body))
        kind, advice = _classified(call, answer.status, text, body)
        message = f"{call.label} answered {answer.status}{times}: {text or 'no reason given'}"
        return kind(
            f"{message.rstrip('.…')}.",
            advice,
            status_code=answer.status,
            body=body,
            server_message=text,
            request_id=self._scrubbed(answer.headers.get("x-request-id", "")),
            retry_after_s=retry_after_s(answer.headers, now_s),
        )


def _classified(
    call: Call[Any], status: int, text: str, body: Any
) -> tuple[type[errors.APIStatusError], str]:
    if refused := refusal(status, body):
        return refused
    if status >= _SERVER_ERROR:
        advice = maybe_done(call) or "Try again; if it stays, look into the server's log."
        return errors.ServerError, call.remedies.get(status, advice)
    if "STRATA_ALLOWED_HOSTS" in text:
        return errors.BadRequestError, "Or reach it by a name that it knows: check STRATA_URL."
    kind, advice = _KINDS.get(status, (errors.APIStatusError, _CHECK_URL))
    return kind, call.remedies.get(status, advice)


def is_unknown_route(error: errors.DeepnoteError) -> bool:
    """Return whether the server may not know the call at all: its version may lack it."""
    return (
        isinstance(error, errors.APIStatusError)
        and (error.status_code, error.server_message) in _UNKNOWN_ROUTE
    )

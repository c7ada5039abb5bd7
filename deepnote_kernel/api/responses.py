"""From what came back to a result, or to an error worth reading. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import msgspec

from deepnote_kernel import errors
from deepnote_kernel.api import words
from deepnote_kernel.api.remedies import CHECK_URL, error_class, headline, maybe_done, remedy
from deepnote_kernel.api.retry import retry_after_s
from deepnote_kernel.config import Secret

if TYPE_CHECKING:
    from deepnote_kernel.api.call import Call

__all__ = ["Answer", "Failure", "Reader"]

T = TypeVar("T")

_REDIRECT = 300
_ERROR = 400


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    """Looked up in lower case."""

    body: bytes

    def __repr__(self) -> str:
        # Bodies are large, and an error's may echo the token.
        return f"Answer(status={self.status}, {len(self.body)} bytes)"


_TLS_ADVICE = {
    "WRONG_VERSION_NUMBER": "What answers there speaks http, not https: check the address.",
    "CERTIFICATE_VERIFY_FAILED": "Set SSL_CERT_FILE to a file of your network's certificates.",
}
"""What to do about a failed handshake, by the word OpenSSL has for it."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """No response: what went wrong on the wire."""

    kind: Literal["unreached", "timeout", "broken"]
    """``unreached``: nothing was sent. The others leave open whether the call was carried out."""

    reason: str


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Reads what came of an attempt at a call, and words its errors."""

    base_url: str
    is_loopback: bool
    """Whether that address is on this computer, where a person can start the server."""

    secrets: tuple[Secret, ...]
    """Kept out of every message, even where a server echoes them."""

    # What another system's reader says in its own words.
    check_url: ClassVar[str] = CHECK_URL
    start_server: ClassVar[str] = "Is the server running? `jupyter deepnote serve` starts one."
    check_network: ClassVar[str] = "Check the network, DEEPNOTE_BASE_URL and any proxy."

    def read(self, call: Call[T], outcome: Answer | Failure, *, attempt: int, now_s: float) -> T:
        """Return the result of a call, or raise what went wrong.

        Args:
            call: The call.
            outcome: What came of it.
            attempt: Its number, from 1, for the message.
            now_s: The time, in seconds since the epoch.

        Raises:
            DeepnoteError: The call did not succeed, or its answer cannot be read.
        """
        times = f" after {attempt} attempts" if attempt > 1 else ""
        if isinstance(outcome, Failure):
            raise self._transport_error(call, outcome, times)
        if outcome.status >= _ERROR:
            raise self._status_error(call, outcome, times, now_s)
        if outcome.status >= _REDIRECT:
            # Followed, it could carry the token, or a cell, to somebody else.
            reason = "it is a redirect"
        else:
            try:
                return call.read(outcome.body)
            except ValueError as error:
                is_page = words.is_page(outcome.body)
                reason = "it is a web page" if is_page else words.one_line(str(error))
        message = f"The answer cannot be read: {reason} ({outcome.status}, {call.label})."
        raise errors.ResponseFormatError(self._scrubbed(message), self.check_url)

    def _transport_error(
        self, call: Call[Any], failure: Failure, times: str
    ) -> errors.TransportError:
        match failure.kind:
            case "unreached":
                message = f"The request did not reach {self.base_url}{times}"
                usual = self.start_server if self.is_loopback else self.check_network
                signs = (sign for sign in _TLS_ADVICE if sign in failure.reason)
                advice = _TLS_ADVICE.get(next(signs, ""), usual)
                kind: type[errors.TransportError] = errors.ConnectionFailedError
            case "timeout":
                message = f"{self.base_url} gave no answer within {call.timeout_s:g} s{times}"
                advice = maybe_done(call) or "Try again in a moment."
                kind = errors.RequestTimeoutError
            case _:
                message = f"The request to {self.base_url} lost its connection{times}"
                advice = maybe_done(call) or "Check the network and try again."
                kind = errors.TransportError
        reason = words.one_line(failure.reason).rstrip(".")
        return kind(self._scrubbed(f"{message}: {reason} ({call.label})."), advice)

    def _status_error(
        self, call: Call[Any], answer: Answer, times: str, now_s: float
    ) -> errors.APIStatusError:
        body = self._scrubbed(words.parsed(answer.body))
        said = words.spoken(body)
        is_page = words.is_page(answer.body)
        kind = error_class(answer.status, said, is_page=is_page)
        shown = headline(kind, is_page=is_page) + (f": {said.rstrip('.')}" if said else "")
        message = f"{shown} ({answer.status}{times}, {call.label})."
        return kind(
            self._scrubbed(message),
            remedy(call, kind, answer.status, said),
            status_code=answer.status,
            body=body,
            server_message=said,
            request_id=self._scrubbed(answer.headers.get("x-request-id", "")),
            retry_after_s=retry_after_s(answer.headers, now_s),
        )

    def _scrubbed(self, value: T) -> T:
        for secret in self.secrets:
            value = words.scrubbed(value, secret)
        return value

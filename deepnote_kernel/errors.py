"""Every error this package raises on purpose.

::

    DeepnoteError                   something the user can read and act on
    ├── ConfigError                 a setting is missing or wrong; nothing was sent
    │   ├── MissingTokenError       there is no token
    │   └── UnknownNameError        nothing has the name that was given
    ├── LocalFileError              a file on this computer cannot be read or written
    ├── TransportError              no answer came back
    │   ├── ConnectionFailedError   the request never arrived
    │   └── RequestTimeoutError     it may have arrived; the answer did not come in time
    ├── APIStatusError              an answer of status 400 or above
    │   ├── BadRequestError         400
    │   ├── UnauthorizedError       401
    │   ├── PermissionDeniedError   403
    │   ├── NotFoundError           404
    │   ├── ExecutionTimeoutError   408: the code ran longer than the call may take
    │   ├── ConflictError           409: suspended project, busy notebook, or kernel unavailable
    │   ├── PayloadTooLargeError    413
    │   ├── RateLimitedError        429
    │   └── ServerError             5xx
    ├── ResponseFormatError         an answer below 400 that cannot be read
    ├── RunFailedError              a run ended without success
    ├── DocumentError               a ``.deepnote`` document cannot be read or is not valid
    └── SessionError                the remote session cannot do what was asked
        ├── SessionStartError       it did not become ready
        ├── SessionGoneError        it has ended; its variables are lost
        ├── KernelDiedError         its kernel has died; the session goes on
        └── UnsupportedError        this way of running cells has no such feature

An expected error reaches the notebook as one line: what happened, then what to do about it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = [
    "APIStatusError",
    "BadRequestError",
    "ConfigError",
    "ConflictError",
    "ConflictReason",
    "ConnectionFailedError",
    "DeepnoteError",
    "DocumentError",
    "ExecutionTimeoutError",
    "KernelDiedError",
    "LocalFileError",
    "MissingTokenError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RequestTimeoutError",
    "ResponseFormatError",
    "RunFailedError",
    "ServerError",
    "SessionError",
    "SessionGoneError",
    "SessionStartError",
    "TransportError",
    "UnauthorizedError",
    "UnknownNameError",
    "UnsupportedError",
]


ConflictReason: TypeAlias = Literal["suspended", "busy", "unavailable", ""]


class DeepnoteError(Exception):
    """Something went wrong that the user can understand and act on.

    Args:
        message: What happened, naming the thing it happened to. One sentence.
        remedy: What to do about it. One sentence, or empty where there is nothing to do.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for its traceback by this name. Nobody needs to read ours.
        return [f"\x1b[31m{type(self).__name__}\x1b[39m: {self}"]


class ConfigError(DeepnoteError):
    """A setting is missing or wrong; nothing was sent."""


class MissingTokenError(ConfigError):
    """There is no token for the server."""


class UnknownNameError(ConfigError):
    """No project, notebook or session has the name that was given, or there is none at all."""


class LocalFileError(DeepnoteError):
    """A file on this computer cannot be read or written."""


class TransportError(DeepnoteError):
    """No answer came back."""


class ConnectionFailedError(TransportError):
    """The request did not reach the server."""


class RequestTimeoutError(TransportError):
    """The answer did not come in time; the request may have been carried out."""


class APIStatusError(DeepnoteError):
    """The server answered with a status of 400 or above.

    Args:
        message: What it means, the server's own words, the status and the call, in one line.
        remedy: What to do about it.
        status_code: The HTTP status.
        body: The parsed JSON body, or the text where it was not JSON.
        server_message: The server's own words alone; empty where it said nothing readable.
        request_id: The server's ``X-Request-Id``, for its support; empty where it sent none.
        retry_after_s: How long the server asked to wait, in seconds; ``None`` where it did not say.
    """

    def __init__(  # noqa: PLR0913 - an error carries all that is known of the answer
        self,
        message: str,
        remedy: str = "",
        *,
        status_code: int,
        body: object = None,
        server_message: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, remedy)
        self.status_code = status_code
        self.body = body
        self.server_message = server_message
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class BadRequestError(APIStatusError):
    """400: the request was not understood."""


class UnauthorizedError(APIStatusError):
    """401: the token is missing or not valid."""


class PermissionDeniedError(APIStatusError):
    """403: the token may not do this, or the plan does not include it."""


class NotFoundError(APIStatusError):
    """404, or 400 where it says so: there is no such session, notebook, run or project."""


class ExecutionTimeoutError(APIStatusError):
    """408: the code ran longer than the call may take; its outputs are lost to the caller."""


class ConflictError(APIStatusError):
    """409: the project is suspended, the notebook is busy, or the kernel is unavailable.

    A suspended project may also be answered with 400.
    """

    @property
    def reason(self) -> ConflictReason:
        """Which of them it is, as far as the server's words tell; empty where they do not."""
        return self.reason_in(self.server_message)

    @staticmethod
    def reason_in(words: str) -> ConflictReason:
        """Read the reason out of a server's words: its status is one and the same for all."""
        said = words.lower()
        if "suspended" in said:
            return "suspended"
        if "unavailable" in said or "not available" in said:
            return "unavailable"
        if "busy" in said or "running" in said or "tracked run" in said:
            return "busy"
        return ""


class PayloadTooLargeError(APIStatusError):
    """413: the request body is larger than the server takes."""


class RateLimitedError(APIStatusError):
    """429: too many requests in the last minute."""


class ServerError(APIStatusError):
    """5xx: the server, or a proxy before it, failed."""


class ResponseFormatError(DeepnoteError):
    """The server answered with a redirect, or with success that cannot be read."""


class RunFailedError(DeepnoteError):
    """A run ended without success; what its blocks put out has been shown."""


class DocumentError(DeepnoteError):
    """A ``.deepnote`` document cannot be read, or holds what the format does not allow.

    Args:
        message: What is wrong, with its line or path. One sentence.
        remedy: What to do about it.
        path: Where it stands, ``project.notebooks[0].blocks[3].type`` for example; empty where
            the text is no YAML that the format allows.
    """

    def __init__(self, message: str, remedy: str = "", *, path: str = "") -> None:
        super().__init__(message, remedy)
        self.path = path


class SessionError(DeepnoteError):
    """The remote session cannot do what was asked."""


class SessionStartError(SessionError):
    """The session did not become ready."""


class SessionGoneError(SessionError):
    """The session has ended, and its variables with it."""


class KernelDiedError(SessionError):
    """The session's kernel has died, and its variables with it; the machine still runs."""


class UnsupportedError(SessionError):
    """This way of running cells has no such feature."""

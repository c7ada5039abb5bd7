"""When to send a call again, and after how long. Pure: the policy decides, the client sleeps."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timezone
from email.utils import parsedate_to_datetime
from math import inf
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.errors import (
    ConnectionFailedError,
    DeepnoteError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Retry", "retry_after_s"]

_NOT_IMPLEMENTED = 501


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how patiently a call is sent again.

    A refusal for its rate (429) and a connection that was never made leave nothing done, so any
    call is sent again after them. After anything else a call may have been carried out, and only
    one that is ``replay_safe`` is sent again.
    """

    retries: int = 5
    """How often at most a call is sent again."""

    connect_retries: int = 2
    """How often at most where no connection can be made: a server that is off stays off."""

    timeout_retries: int = 1
    """How often at most after an answer that did not come in time."""

    base_s: float = 0.5
    """Seconds before the first retry; doubled for each further one."""

    cap_s: float = 8.0
    """Seconds the doubling stops at."""

    ceiling_s: float = 120.0
    """Seconds a server may ask to wait; asked for more, the client gives up."""

    jitter: Callable[[], float] = random.random
    """Gives a number from 0 to 1, so that clients that failed together do not return together."""

    def delay_s(self, error: DeepnoteError, *, attempt: int, replay_safe: bool) -> float | None:
        """Return the seconds to wait before the next attempt, or ``None`` to give up.

        Args:
            error: What came of the latest attempt.
            attempt: Its number, from 1.
            replay_safe: Whether the call may be sent again although it may have been carried out.
        """
        if attempt > self._retries_after(error, replay_safe=replay_safe):
            return None
        asked = error.retry_after_s if isinstance(error, (RateLimitedError, ServerError)) else None
        if asked is None:
            backoff_s = min(self.cap_s, self.base_s * 2.0 ** (attempt - 1))
            return backoff_s * (0.5 + self.jitter() / 2)
        return asked * (1 + self.jitter() / 10) if asked <= self.ceiling_s else None

    def _retries_after(self, error: DeepnoteError, *, replay_safe: bool) -> int:
        match error:
            case RateLimitedError():
                return self.retries
            case ConnectionFailedError():
                return self.connect_retries
            case RequestTimeoutError() if replay_safe:
                return self.timeout_retries
            case ServerError(status_code=status) if replay_safe and status != _NOT_IMPLEMENTED:
                return self.retries
            case TransportError() if replay_safe and not isinstance(error, RequestTimeoutError):
                return self.retries
        return 0


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Return the seconds a server asks to wait, or ``None`` where it does not say.

    ``Retry-After`` holds seconds or an HTTP date (RFC 9110, 10.2.3), ``RateLimit-Reset`` seconds.

    Args:
        headers: The answer's headers, looked up in lower case.
        now_s: The time, in seconds since the epoch.
    """
    for name in ("retry-after", "ratelimit-reset"):
        seconds = _seconds(headers.get(name, "").strip(), now_s)
        if seconds is not None:
            return seconds
    return None


def _seconds(text: str, now_s: float) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text, now_s)
    return seconds if 0 <= seconds < inf else None


def _seconds_until(date: str, now_s: float) -> float:
    try:
        then = parsedate_to_datetime(date)
        if then.tzinfo is None:  # an HTTP date is always in GMT
            then = then.replace(tzinfo=timezone.utc)
        return max(0.0, then.timestamp() - now_s)
    except (IndexError, OverflowError, TypeError, ValueError):  # all of them, by version of Python
        return -1.0

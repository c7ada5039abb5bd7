"""When a call is sent again, and after how long."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnote_kernel.api.retry import Retry, retry_after_s
from deepnote_kernel.errors import (
    BadRequestError,
    ConfigError,
    ConflictError,
    ConnectionFailedError,
    DeepnoteError,
    ExecutionTimeoutError,
    NotFoundError,
    RateLimitedError,
    RequestTimeoutError,
    ResponseFormatError,
    ServerError,
    TransportError,
)

NOW_S = 1_800_000_000.0


def rate_limited(retry_after: float | None = None) -> RateLimitedError:
    """Return a 429 that asks to wait."""
    return RateLimitedError("m", status_code=429, retry_after_s=retry_after)


def attempts(error: DeepnoteError, *, replay_safe: bool, retry: Retry | None = None) -> int:
    """Count the attempts a policy allows where each ends in the same error."""
    policy, attempt = retry or Retry(), 1
    while policy.delay_s(error, attempt=attempt, replay_safe=replay_safe) is not None:
        attempt += 1
    return attempt


@pytest.mark.parametrize(
    ("error", "any_call", "replay_safe"),
    [
        (rate_limited(), 6, 6),
        (ConnectionFailedError("m"), 3, 3),
        (TransportError("m"), 1, 6),
        (RequestTimeoutError("m"), 1, 2),
        (ServerError("m", status_code=500), 1, 6),
        (ServerError("m", status_code=503), 1, 6),
        (ServerError("m", status_code=501), 1, 1),
        (BadRequestError("m", status_code=400), 1, 1),
        (NotFoundError("m", status_code=404), 1, 1),
        (ExecutionTimeoutError("m", status_code=408), 1, 1),
        (ConflictError("m", status_code=409), 1, 1),
        (ResponseFormatError("m"), 1, 1),
        (ConfigError("m"), 1, 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_safe_calls_are_repeated_after_an_open_outcome(
    error: DeepnoteError, any_call: int, replay_safe: int
) -> None:
    """What was refused or never arrived may be repeated by all; what may have run, by the safe."""
    assert attempts(error, replay_safe=False) == any_call
    assert attempts(error, replay_safe=True) == replay_safe


def test_delays_double_up_to_a_cap() -> None:
    """The wait doubles from the base until the cap."""
    retry = Retry(retries=6, base_s=1.0, cap_s=10.0, jitter=lambda: 1.0)
    delays = [retry.delay_s(TransportError("m"), attempt=n, replay_safe=True) for n in range(1, 8)]
    assert delays == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, None]


@given(jitter=st.floats(0, 1), attempt=st.integers(1, 5))
def test_jitter_halves_a_delay_at_most(jitter: float, attempt: int) -> None:
    """Clients that failed together spread over half the wait."""
    full_s = min(8.0, 0.5 * 2 ** (attempt - 1))
    retry = Retry(jitter=lambda: jitter)
    delay_s = retry.delay_s(rate_limited(), attempt=attempt, replay_safe=False)
    assert delay_s is not None
    assert full_s / 2 <= delay_s <= full_s


@given(jitter=st.floats(0, 1), asked_s=st.floats(0, 120))
def test_a_server_is_never_asked_sooner_than_it_wants(jitter: float, asked_s: float) -> None:
    """Jitter only adds to a wait the server asked for."""
    retry = Retry(jitter=lambda: jitter)
    delay_s = retry.delay_s(rate_limited(asked_s), attempt=1, replay_safe=False)
    assert delay_s is not None
    assert asked_s <= delay_s <= asked_s * 1.1


def test_a_server_that_asks_for_too_long_is_given_up() -> None:
    """Beyond the ceiling waiting in silence helps nobody."""
    retry = Retry(ceiling_s=60.0)
    assert retry.delay_s(rate_limited(60.0), attempt=1, replay_safe=False) is not None
    assert retry.delay_s(rate_limited(60.1), attempt=1, replay_safe=False) is None


def test_a_server_error_may_say_when_to_return() -> None:
    """503 carries Retry-After too."""
    error = ServerError("m", status_code=503, retry_after_s=7.0)
    assert Retry(jitter=lambda: 0.0).delay_s(error, attempt=1, replay_safe=True) == 7.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"ratelimit-reset": "12"}, 12.0),
        ({"retry-after": "3", "ratelimit-reset": "12"}, 3.0),
        ({"retry-after": "soon", "ratelimit-reset": "12"}, 12.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:10 GMT"}, 10.0),
        ({"retry-after": "Fri, 15 Jan 2027 07:59:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:10 -0000"}, 10.0),
    ],
)
def test_the_wait_asked_for_is_read_from_either_header(
    headers: dict[str, str], seconds: float | None
) -> None:
    """Seconds or a date, from Retry-After or else RateLimit-Reset; nonsense counts as absent."""
    assert retry_after_s(headers, NOW_S) == seconds


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2900, 1, 1)))  # noqa: DTZ001
def test_any_http_date_is_read(date: datetime) -> None:
    """A date is read to the second, and one gone by means no wait."""
    then = date.replace(microsecond=0, tzinfo=timezone.utc)
    headers = {"retry-after": format_datetime(then, usegmt=True)}
    assert retry_after_s(headers, NOW_S) == max(0.0, then.timestamp() - NOW_S)


@given(st.text())
def test_any_header_is_a_wait_or_nothing(text: str) -> None:
    """No header makes the policy fail, or wait for a negative or endless time."""
    seconds = retry_after_s({"retry-after": text}, NOW_S)
    assert seconds is None or 0 <= seconds < float("inf")

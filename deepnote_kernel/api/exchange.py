"""One exchange with a server: send a call, read what came of it, try again where that may be done.

The exchange is a coroutine that waits through its wire alone. With the asynchronous wire it
suspends where asyncio needs it to; with the blocking one it runs from start to end in a single
step.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, TypeVar

from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from deepnote_kernel.api.call import Call
    from deepnote_kernel.api.requests import Request
    from deepnote_kernel.api.responses import Answer, Failure, Reader
    from deepnote_kernel.api.retry import Retry

__all__ = ["Wire", "exchange", "finished"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Wire(Protocol):
    """Carries requests; :mod:`deepnote_kernel.api.transport` has two, one blocking."""

    async def send(self, request: Request) -> Answer | Failure:
        """Send one request, once."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait before a retry."""
        ...


async def exchange(  # noqa: PLR0913 - one collaborator each
    call: Call[T],
    request: Request,
    wire: Wire,
    *,
    reader: Reader,
    retry: Retry,
    clock: Callable[[], float],
) -> T:
    """Send a call's request and return the call's result.

    Raises:
        DeepnoteError: What went wrong, after the retries the call allows.
    """
    attempt = 1
    while True:
        outcome = await wire.send(request)
        try:
            return reader.read(call, outcome, attempt=attempt, now_s=clock())
        except DeepnoteError as error:
            delay_s = retry.delay_s(error, attempt=attempt, replay_safe=call.replay_safe)
            if delay_s is None:
                raise
            _log.debug("%s Trying again in %.1f s.", error.message, delay_s)
        await wire.sleep(delay_s)
        attempt += 1


def finished(coroutine: Coroutine[None, None, T]) -> T:
    """Run a coroutine that never suspends, as those over the blocking wire are."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    raise AssertionError("a blocking call has suspended")

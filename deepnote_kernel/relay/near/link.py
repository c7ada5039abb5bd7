"""Requests out, frames in, each exactly once, over calls that may fail.

A :class:`Link` keeps one call under way while there is something to say or to wait for. What a
failed call means is simple here: nothing. It is sent again, and the far half knows what it has done
already.

This module decides when to call and what to say; how a call travels is the business of whoever
makes the link.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import uuid4

import msgspec

from deepnote_kernel.errors import (
    APIStatusError,
    BadRequestError,
    ConflictError,
    DeepnoteError,
    ExecutionTimeoutError,
    PayloadTooLargeError,
    RateLimitedError,
    ResponseFormatError,
    ServerError,
    SessionError,
    TransportError,
    UnsupportedError,
)
from deepnote_kernel.relay.near.answers import (
    MARK,
    Answer,
    NoAnswerError,
    joined,
    lost,
    read_answer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.outputs import JSON
    from deepnote_kernel.relay.near.answers import Frame
    from deepnote_kernel.relay.near.budget import Budget

__all__ = ["WAIT_S", "Carrier", "Link"]

_log = logging.getLogger(__name__)

WAIT_S: Final = 20.0
"""Seconds a call waits on the far side for frames; some proxies cut connections after 60."""

ANSWER_BYTES: Final = 16 << 20
"""Bytes of frames one answer may bring; at least one frame comes whatever its size."""

_BRIEF_S: Final = 0.3
_LIMIT_S: Final = 1.0  # no server allows a call less; one that seems to has other reasons
_PATIENCE_S: Final = 1800.0
_TROUBLE_S: Final = 5.0
_UNAVAILABLE_S: Final = 60.0
_BACKGROUND_S: Final = (0.5, 30.0)
_SILENCE_S: Final = 300.0
_ASKING_S: Final = 2.0
_RECALL_S: Final = (0.25, 8.0)
_INTERRUPT_S: Final = 0.3


class Carrier(Protocol):
    """How calls travel."""

    async def post(self, code: str) -> list[JSON]:
        """Run code on the far side, once or more than once; return its nbformat outputs.

        Raises:
            DeepnoteError: There was no answer, or a refusal.
        """
        ...

    async def recall(self) -> None:
        """Send the far side's process a SIGINT, which brings a waiting call home. Never raises."""
        ...

    async def is_free(self) -> bool:
        """Tell whether the far side would take a call now.

        Raises:
            DeepnoteError: There was no answer, or the session is gone.
        """
        ...

    def tell(self, trouble: DeepnoteError | None) -> None:
        """Take why calls have been failing for some seconds; ``None`` once one has passed."""
        ...


class Link:
    """A line to the far half of one session.

    Args:
        carrier: How calls travel.
        budget: How often they may.
        on_frame: Takes every frame but replies, in order.
        on_outputs: Takes nbformat outputs that came beside an answer: they are nobody's frames.
        acknowledged: The last frame that was already received, by an earlier link.
    """

    def __init__(
        self,
        carrier: Carrier,
        *,
        budget: Budget,
        on_frame: Callable[[Frame], None],
        on_outputs: Callable[[list[JSON]], None],
        acknowledged: int = 0,
    ) -> None:
        self.client = uuid4().hex
        self.acknowledged = acknowledged
        self.answer = Answer()
        self.via = "mime"
        self.unclaimed: JSON | None = None
        """The reply of a cell that an earlier link has sent and that nobody follows."""
        self._carrier = carrier
        self._budget = budget
        self._on_frame = on_frame
        self._on_outputs = on_outputs
        self._is_in_trouble = False
        # Links count from numbers of their own: none takes the reply to an earlier one's request.
        self._last_request = self._sent = int(self.client[:8], 16)
        self._unsent: list[JSON] = []
        self._replies: dict[int, asyncio.Future[JSON]] = {}
        self._news = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._recall: asyncio.Task[None] | None = None
        self._is_home = asyncio.Event()
        self._is_home.set()
        self._is_asking = False
        self._followed: asyncio.Future[JSON] | None = None
        self._wait_s = WAIT_S

    def request(self, op: str, **fields: Any) -> asyncio.Future[JSON]:
        """Send a request; the future takes its reply, or the error that ended the link.

        Sent at once: a call that is waiting for frames is asked to come home.
        """
        self._last_request += 1
        reply: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
        reply.add_done_callback(_retrieve)
        self._replies[self._last_request] = reply
        self._tell(op, fields)
        return reply

    def tell(self, op: str, **fields: Any) -> None:
        """Send a request that has no reply."""
        self._last_request += 1
        self._tell(op, fields)

    def follow(self) -> asyncio.Future[JSON]:
        """Return the reply of the cell that an earlier link has sent and that still runs."""
        followed = asyncio.get_running_loop().create_future()
        followed.add_done_callback(_retrieve)
        if self.unclaimed is not None:
            followed.set_result(self.unclaimed)
            self.unclaimed = None
        else:
            self._followed = followed
            self._start()
        return followed

    async def greet(self) -> JSON:
        """Find out how an answer survives the journey; return what the far side says of itself.

        Raises:
            RelayLostError: There is no relay on the far side.
            DeepnoteError: It cannot be reached.
        """
        self._last_request += 1
        reply: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
        self._replies[self._last_request] = reply
        self._unsent.append({"id": self._last_request, "op": "hello"})
        for self.via in ("mime", "stream"):
            with contextlib.suppress(NoAnswerError):
                while not reply.done():  # frames that an earlier link has left come first
                    self._take(await self._exchange(0.0, lasting=NoAnswerError))
                return reply.result()
        raise UnsupportedError("The server keeps the relay's answers back.")

    async def interrupt(self) -> None:
        """Raise ``KeyboardInterrupt`` in the code that runs; return when the server has been told.

        The request goes first where it can: the server's own signal kills the code's child
        processes, and to the code that must look like part of an interrupt.
        """
        reply = self.request("interrupt")
        if self._recall is not None:
            await asyncio.wait([self._recall])
        else:
            await asyncio.wait([reply], timeout=_INTERRUPT_S)
            await self._carrier.recall()

    async def close(self) -> None:
        """Let go. What runs on the far side goes on."""
        for task in (self._pump, self._recall):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._fail(SessionError("The session was let go of."))

    def _tell(self, op: str, fields: JSON) -> None:
        self._unsent.append({"id": self._last_request, "op": op, **fields})
        if op in {"input", "interrupt"}:
            self._is_asking = False
        self._news.set()
        self._start()
        # What brings a call home is a SIGINT, which ends the code's child processes as well.
        may_recall = op == "interrupt" or not self.answer.children
        if may_recall and not self._is_home.is_set() and self._recall is None:
            self._recall = asyncio.ensure_future(self._bring_home())

    def _start(self) -> None:
        if self._pump is None or self._pump.done():
            self._pump = asyncio.ensure_future(self._run())

    async def _bring_home(self) -> None:
        """Ask the call that waits to come home until it has; it may not have arrived at first."""
        delay_s = _RECALL_S[0]
        try:
            # The call that follows takes the request along and may wait in peace.
            while self._sent != self._last_request and not self._is_home.is_set():
                await self._carrier.recall()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._is_home.wait(), delay_s)
                delay_s = min(2 * delay_s, _RECALL_S[1])
        finally:
            self._recall = None

    # The pump: one call after the other, as long as there is something to say or to wait for

    async def _run(self) -> None:
        silence_s, delay_s = 0.0, _BACKGROUND_S[0]
        try:
            while True:
                is_active = bool(self._unsent) or self.is_expecting
                if not is_active and (not self.answer.background or silence_s > _SILENCE_S):
                    return
                if not self._unsent:
                    await self._pause(self._pause_s() if is_active else delay_s)
                before = self.acknowledged
                try:
                    self._take(await self._exchange(self._next_wait_s()))
                except (BadRequestError, PayloadTooLargeError) as refused:
                    self._give_up(refused)
                if is_active or self.acknowledged > before:
                    silence_s, delay_s = 0.0, _BACKGROUND_S[0]
                else:
                    # Threads and tasks that outlive their cell are looked at ever less often.
                    silence_s, delay_s = silence_s + delay_s, min(2 * delay_s, _BACKGROUND_S[1])
        except DeepnoteError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - whoever awaits a reply must not wait for ever
            _log.exception("The relay failed")
            self._fail(SessionError(f"The relay failed ({type(error).__name__}: {error})."))

    @property
    def is_expecting(self) -> bool:
        """Whether the far side owes a reply."""
        return bool(self._replies or self._followed)

    def _next_wait_s(self) -> float:
        """Return how long the next call may wait on the far side, in seconds."""
        if self._is_asking or not self.is_expecting:
            return 0.0
        # A call that must not be brought home comes by itself, soon enough for a completion.
        return min(self._wait_s, _BRIEF_S) if self.answer.children else self._wait_s

    def _pause_s(self) -> float:
        return _ASKING_S if self._is_asking else self._budget.pause_s()

    async def _pause(self, delay_s: float) -> None:
        """Wait for a while, or until there is something to send."""
        self._news.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._news.wait(), delay_s)

    async def _exchange(
        self, wait_s: float, *, lasting: type[DeepnoteError] | tuple[()] = ()
    ) -> Answer:
        """Make one call, again and again if need be, until there is an answer.

        Args:
            wait_s: How long the call may wait for frames, in seconds.
            lasting: An error that no repetition would mend.
        """
        clock = asyncio.get_running_loop().time
        failing_since = math.inf
        delay_s = 0.1
        while True:
            error: DeepnoteError
            called = clock()
            try:
                answer = await self._call(wait_s)
            except ExecutionTimeoutError as late:
                # The code does not let go of the process, or the server allows less time than we
                # thought. Either way nothing is lost: the answer comes with the next call.
                took_s = clock() - called
                if took_s >= _LIMIT_S:
                    self._wait_s = min(self._wait_s, took_s / 2)
                wait_s = min(wait_s, self._wait_s)
                await self._until_free()
                error, failing_since = late, clock()
            except lasting:
                raise
            except (TransportError, ServerError, ResponseFormatError, RateLimitedError) as broken:
                error, failing_since = broken, min(failing_since, clock())
            except ConflictError as conflict:
                is_busy = conflict.reason == "busy"
                error, failing_since = conflict, clock() if is_busy else min(failing_since, clock())
                if not _may_pass(conflict, clock() - failing_since):
                    raise
            else:
                self._tell_trouble(None)
                return answer
            self._bear(error, clock() - failing_since)
            asked_s = error.retry_after_s if isinstance(error, APIStatusError) else None
            await asyncio.sleep(max(delay_s, asked_s or 0.0))
            delay_s = min(2 * delay_s, 5.0)

    def _bear(self, error: DeepnoteError, failing_s: float) -> None:
        if failing_s > _PATIENCE_S:
            raise error
        if failing_s > _TROUBLE_S:
            self._tell_trouble(error)

    def _tell_trouble(self, error: DeepnoteError | None) -> None:
        if self._is_in_trouble != (error is not None):
            self._is_in_trouble = error is not None
            self._carrier.tell(error)

    async def _call(self, wait_s: float) -> Answer:
        self._budget.spend()
        call = {
            "client": self.client,
            "ack": self.acknowledged,
            "requests": self._unsent,
            "wait": wait_s,
            "max": ANSWER_BYTES,
            "via": self.via,
        }
        code = f"{MARK}({msgspec.json.encode(call).decode()})"
        self._sent = self._last_request
        if wait_s:
            self._is_home.clear()
        try:
            outputs = await self._carrier.post(code)
        finally:
            self._is_home.set()
        if self._last_request != self._sent:
            self._news.set()
        answer, others = read_answer(outputs)
        if answer is None:
            raise lost(others)
        if others:
            self._on_outputs(others)
        return answer

    async def _until_free(self) -> None:
        delay_s = 0.1
        while not await self._is_free():
            await asyncio.sleep(delay_s)
            delay_s = min(1.5 * delay_s, 5.0)

    async def _is_free(self) -> bool:
        try:
            return await self._carrier.is_free()
        except (TransportError, ServerError, ResponseFormatError, RateLimitedError):
            return False

    def _take(self, answer: Answer) -> None:
        if answer.retired:
            raise SessionError(
                "Another kernel has taken this session over.",
                "Run `%deepnote attach` to take it back.",
            )
        self.answer = answer
        self._unsent = [request for request in self._unsent if request["id"] > answer.seen]
        for frame in joined(answer.frames, after=self.acknowledged):
            self.acknowledged = frame.n
            if frame.type == "reply":
                self._take_reply(frame)
            else:
                self._is_asking = self._is_asking or frame.type == "input_request"
                self._on_frame(frame)

    def _take_reply(self, frame: Frame) -> None:
        content = dict(frame.content)
        reply = self._replies.pop(content.pop("request"), None)
        if "execution_count" in content:
            self._is_asking = False
            if reply is None:
                reply, self._followed = self._followed, None
                self.unclaimed = content if reply is None else None
        if reply is not None and not reply.done():
            reply.set_result(content)

    def _give_up(self, refused: DeepnoteError) -> None:
        """Fail the largest request of a refused call: it alone is at fault."""
        sent = [request for request in self._unsent if request["id"] <= self._sent]
        if not sent:
            raise refused
        largest = max(sent, key=lambda request: len(msgspec.json.encode(request)))
        self._unsent.remove(largest)
        reply = self._replies.pop(largest["id"], None)
        if reply is not None and not reply.done():
            reply.set_exception(refused)

    def _fail(self, error: DeepnoteError) -> None:
        waiting = [*self._replies.values(), *filter(None, [self._followed])]
        self._replies, self._followed, self._unsent, self._is_asking = {}, None, [], False
        for reply in waiting:
            if not reply.done():
                reply.set_exception(error)


def _may_pass(conflict: ConflictError, waited_s: float) -> bool:
    """Tell a conflict that passes by itself from one that does not."""
    return conflict.reason == "busy" or (
        conflict.reason == "unavailable" and waited_s < _UNAVAILABLE_S
    )


def _retrieve(reply: asyncio.Future[JSON]) -> None:
    """Look at a reply's exception, so that asyncio does not complain about one nobody awaited."""
    if not reply.cancelled():
        reply.exception()

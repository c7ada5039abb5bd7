"""A far side in a function: it keeps the far half's contract, and its calls may go wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from deepnote_kernel.errors import (
    BadRequestError,
    ConflictError,
    ExecutionTimeoutError,
    PayloadTooLargeError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
)
from deepnote_kernel.relay.near import MARK, Budget, Frame, Link
from deepnote_kernel.relay.near.answers import MIME
from tests.unit.relay import virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from deepnote_kernel.errors import APIStatusError, DeepnoteError

__all__ = [
    "LOST_ANSWER",
    "LOST_REQUEST",
    "NO_RELAY",
    "FarSide",
    "Fate",
    "Linked",
    "display",
    "link_to",
    "play",
    "printed",
    "refusal",
    "requests_of",
    "run_cell",
]

JSON = dict[str, Any]

NO_RELAY = {
    "output_type": "error",
    "ename": "NameError",
    "evalue": f"name '{MARK}' is not defined",
    "traceback": [],
}
"""What a kernel without a relay answers."""

_ERRORS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    408: ExecutionTimeoutError,
    409: ConflictError,
    413: PayloadTooLargeError,
    429: RateLimitedError,
}


def refusal(status: int, message: str = "", retry_after_s: float | None = None) -> APIStatusError:
    """Return the error that the API client raises for a status."""
    return _ERRORS.get(status, ServerError)(
        f"POST execute was answered {status}.",
        status_code=status,
        server_message=message,
        retry_after_s=retry_after_s,
    )


@dataclass(frozen=True)
class Fate:
    """What becomes of one call. By default it arrives and is answered."""

    before: DeepnoteError | None = None
    """Raised without the far side having seen the call."""

    after: DeepnoteError | None = None
    """Raised in place of the answer."""

    times: int = 1
    """How often the far side sees the call."""

    way_s: float = 0.0
    """How long the call is under way, and the answer again, in seconds."""

    stray_s: float | None = None
    """After how many seconds a copy of the call arrives, whose answer nobody hears."""

    beside: tuple[JSON, ...] = ()
    """Outputs that come with the answer and are none of the relay's."""

    outputs: tuple[JSON, ...] | None = None
    """What is answered in place of what the far side says."""


LOST_REQUEST = Fate(before=RequestTimeoutError("The request was lost."))
LOST_ANSWER = Fate(after=RequestTimeoutError("The answer was lost."))


class FarSide:
    """Carries each request out once, numbers frames, and keeps them until they are acknowledged.

    A cell is a list of words: ``ask`` asks and prints the answer, a number sleeps for so many
    seconds, any other word is printed.
    """

    def __init__(
        self,
        *fates: Fate,
        via: str = "mime",
        frames_per_answer: int = 1000,
        limit_s: float = 120,
        max_bytes: int = 1 << 30,
        when_larger: APIStatusError | None = None,
    ) -> None:
        self.calls: list[tuple[float, JSON]] = []
        """The calls that were made, arrived or not, and when."""
        self.carried_out: list[JSON] = []
        self.recalls = 0
        self.troubles: list[str] = []
        self.busy_until_s = 0.0
        self.status_errors: list[DeepnoteError] = []
        """What goes wrong when the server is asked whether the process is free."""
        self._fates = list(fates)
        self._via = via
        self._frames_per_answer = frames_per_answer
        self._limit_s = limit_s
        self._max_bytes = max_bytes
        self._when_larger = when_larger
        self._frames: list[JSON] = []
        self._last = self._seen = 0
        self._clients: list[str] = []
        self._news = asyncio.Event()
        self._input: asyncio.Future[str] | None = None
        self._cell: asyncio.Task[None] | None = None
        self._strays: set[asyncio.Task[Any]] = set()
        self.background = self.children = False

    # How calls travel

    async def post(self, code: str) -> list[JSON]:
        """Take a call to wherever its fate wants it."""
        call = msgspec.json.decode(code.removeprefix(MARK)[1:-1])
        self.calls.append((self.now_s, call))
        fate = self._fates.pop(0) if self._fates else Fate()
        if len(code) > self._max_bytes and self._when_larger:
            raise self._when_larger
        if fate.stray_s is not None:
            stray = asyncio.ensure_future(self._stray(fate.stray_s, call))
            self._strays.add(stray)
            stray.add_done_callback(self._strays.discard)
        await asyncio.sleep(fate.way_s)
        if fate.before:
            raise fate.before
        for _ in range(fate.times):
            try:
                outputs = await asyncio.wait_for(self._handle(call), self._limit_s)
            except asyncio.TimeoutError:
                raise refusal(408) from None
        await asyncio.sleep(fate.way_s)
        if fate.after:
            raise fate.after
        return [*fate.beside, *outputs] if fate.outputs is None else list(fate.outputs)

    async def recall(self) -> None:
        """End the wait of the call that is here."""
        self.recalls += 1
        self._news.set()

    async def is_free(self) -> bool:
        """Tell whether the code lets the process take calls."""
        if self.status_errors:
            raise self.status_errors.pop()
        return self.now_s >= self.busy_until_s

    def tell(self, trouble: DeepnoteError | None) -> None:
        """Note what is said of the calls."""
        self.troubles.append(trouble.message if trouble else "over")

    @property
    def now_s(self) -> float:
        """The time."""
        return asyncio.get_running_loop().time()

    async def _stray(self, delay_s: float, call: JSON) -> None:
        await asyncio.sleep(delay_s)
        await self._handle(call)

    # The far half

    async def _handle(self, call: JSON) -> list[JSON]:
        if call["client"] in self._clients[:-1]:
            return self._answer({"retired": True})
        if call["client"] not in self._clients:
            self._clients.append(call["client"])
            self._seen = 0
        self._frames = [frame for frame in self._frames if frame["n"] > call["ack"]]
        for request in call["requests"]:
            if request["id"] > self._seen:
                self._seen = request["id"]
                self.carried_out.append(request)
                self._carry_out(request)
        if not self._frames and call["wait"]:
            self._news.clear()
            timer = asyncio.get_running_loop().call_later(call["wait"], self._news.set)
            await self._news.wait()
            timer.cancel()
        return self._answer(
            {
                "seen": self._seen,
                "cell": "c" if self._cell else "",
                "background": self.background,
                "children": self.children,
                "frames": self._frames[: self._frames_per_answer],
            },
            call["via"],
        )

    def _answer(self, answer: JSON, via: str = "mime") -> list[JSON]:
        if via != self._via:
            return []
        if via == "mime":
            return [{"output_type": "display_data", "data": {MIME: answer}, "metadata": {}}]
        text = MARK + msgspec.json.encode(answer).decode() + "\n"
        return [{"output_type": "stream", "name": "stdout", "text": text}]

    def _carry_out(self, request: JSON) -> None:
        if request["op"] == "run":
            self._cell = asyncio.ensure_future(self._run(request))
        elif request["op"] == "input":
            if self._input is not None and not self._input.done():
                self._input.set_result(request["value"])
        else:
            if request["op"] == "interrupt" and self._cell is not None:
                self._cell.cancel()
            self._reply(request, {"said": request.get("said", "")})

    async def _run(self, request: JSON) -> None:
        status = "ok"
        try:
            for word in request["code"].split():
                await self._do(word)
        except asyncio.CancelledError:
            status = "error"
        self._cell = None
        self._reply(request, {"status": status, "execution_count": 1})

    async def _do(self, word: str) -> None:
        if word == "ask":
            self._input = asyncio.get_running_loop().create_future()
            self.add("input_request", {"prompt": "?", "password": False})
            word = await self._input
        if word[0].isdigit():
            await asyncio.sleep(float(word))
        else:
            self.add("stream", {"name": "stdout", "text": f"{word} "})

    def _reply(self, request: JSON, content: JSON) -> None:
        self.add("reply", {**content, "request": request["id"]})

    def add(self, kind: str, content: JSON) -> None:
        """Keep a frame for whoever calls."""
        self._last += 1
        self._frames.append({"n": self._last, "type": kind, "content": content})
        self._news.set()


@dataclass
class Linked:
    """A link and what came over it."""

    link: Link
    frames: list[Frame]
    outputs: list[JSON]

    @property
    def words(self) -> list[str]:
        """All that cells printed."""
        texts = [frame.content["text"] for frame in self.frames if frame.type == "stream"]
        return "".join(texts).split()


def link_to(far: FarSide, *, calls_per_minute: int = 6000, acknowledged: int = 0) -> Linked:
    """Return a link whose frames and stray outputs are collected."""
    frames: list[Frame] = []
    outputs: list[JSON] = []
    budget = Budget(calls_per_minute, clock=asyncio.get_running_loop().time)
    link = Link(
        far,
        budget=budget,
        on_frame=frames.append,
        on_outputs=outputs.extend,
        acknowledged=acknowledged,
    )
    return Linked(link, frames, outputs)


Scenario: TypeAlias = "Callable[[Linked, FarSide], Coroutine[Any, Any, None]]"


def play(far: FarSide, scenario: Scenario, **options: Any) -> Linked:
    """Link to a far side, let the scenario happen, and return what came of it."""

    async def main() -> Linked:
        linked = link_to(far, **options)
        await scenario(linked, far)
        await linked.link.close()
        return linked

    return virtual_time.run(main())


def run_cell(far: FarSide, code: str, **options: Any) -> Linked:
    """Run one cell, which must end well."""

    async def scenario(linked: Linked, _far: FarSide) -> None:
        reply = await linked.link.request("run", code=code)
        assert reply == {"status": "ok", "execution_count": 1}

    return play(far, scenario, **options)


def requests_of(far: FarSide) -> list[str]:
    """Return the operations that were carried out, in order."""
    return [request["op"] for request in far.carried_out]


def display(answer: object) -> JSON:
    """Return an answer as a display of a MIME type of its own."""
    return {"output_type": "display_data", "data": {MIME: answer}, "metadata": {}}


def printed(text: str | list[str]) -> JSON:
    """Return an output of standard output."""
    return {"output_type": "stream", "name": "stdout", "text": text}

"""Cells over plain execute: one synchronous call each, its outputs replayed at the end.

Works on any kernel language and needs nothing on the far side. A cell cannot stream, take input or
run for more than two minutes, and says so where that bites.

What a refused or broken call means for the cell decides what happens next. A cell that was refused
because the notebook was busy is sent again; a cell that may have run never is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, NoReturn

from deepnote_kernel.api import sessions
from deepnote_kernel.config import DEFAULT_BASE_URL
from deepnote_kernel.errors import (
    APIStatusError,
    ConflictError,
    ConnectionFailedError,
    DeepnoteError,
    ExecutionTimeoutError,
    KernelDiedError,
    NotFoundError,
    ResponseFormatError,
    ServerError,
    SessionError,
    SessionGoneError,
    TransportError,
    UnsupportedError,
)
from deepnote_kernel.outputs import (
    error_output,
    no_matches,
    not_found,
    reply_content,
    to_messages,
)
from deepnote_kernel.session import _far
from deepnote_kernel.session.pages import page_url
from deepnote_kernel.session.protocol import Message, Reply, Status
from deepnote_kernel.session.waiting import delays

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from deepnote_kernel.api import AsyncClient
    from deepnote_kernel.config import Settings
    from deepnote_kernel.outputs import JSON
    from deepnote_kernel.session.protocol import Cell, Event

__all__ = ["DirectSession", "kernel_died"]

_log = logging.getLogger(__name__)

_QUESTION_LIMIT_MS: Final = 10_000
_BUSY_LIMIT_S: Final = 600.0
_SETTLE_LIMIT_S: Final = 60.0
_RESTART_LIMIT_S: Final = 20.0

_LIVE_MODE = "Live mode (`%deepnote use --mode live`)"
_NEW_SESSION = "Run `%deepnote start`, or restart the kernel, to start a new one."
_NO_INPUT = f"input() needs an answer while the cell runs. {_LIVE_MODE} can give one.\n"


class DirectSession:
    """A session whose cells are plain execute calls.

    Args:
        client: Talks to the server; stays open as long as the session is used.
        settings: How the session was asked for.
        session_id: The session.
        notebook_id: The notebook whose kernel runs the cells, by the id the server takes.
        created_at: When it was created.
    """

    def __init__(
        self,
        client: AsyncClient,
        settings: Settings,
        *,
        session_id: str,
        notebook_id: str,
        created_at: datetime | None = None,
    ) -> None:
        self.settings = settings
        self.session_id = session_id
        self.notebook_id = notebook_id
        self.on_message: Callable[[Message], None] | None = None
        self._client = client
        self._created_at = created_at or datetime.now(timezone.utc)
        self._turn = asyncio.Lock()
        self._interrupted: asyncio.Event | None = None
        self._execution_count = 0
        self._takes_questions = True
        self._has_explained_input = False
        self._page_url: str | None = None

    async def run(self, cell: Cell) -> AsyncIterator[Event]:
        """Run a cell; all its events come at the end."""
        async with self._turn:
            self._interrupted = asyncio.Event()
            try:
                outputs = await self._execute(cell.code, self._interrupted)
                messages, content = self._result(cell, outputs)
                if cell.user_expressions and content["status"] == "ok":
                    question = _far.evaluate(cell.user_expressions)
                    # The cell has run: its outputs must not be lost over these.
                    with contextlib.suppress(DeepnoteError):
                        content["user_expressions"] = await self._ask(question)
            finally:
                self._interrupted = None
        for message in messages:
            yield message
        yield Reply(content=content)

    async def answer(self, text: str) -> None:  # noqa: ARG002 - the protocol's
        """Refuse: a cell in direct mode does not ask for input."""
        raise UnsupportedError("A cell in direct mode takes no input.", f"{_LIVE_MODE} does.")

    async def interrupt(self) -> None:
        """Interrupt the running cell, or give up waiting for a busy notebook."""
        if self._interrupted is None:
            return
        self._interrupted.set()
        await self._interrupt()

    async def complete(self, code: str, cursor_pos: int) -> JSON:
        """Complete a remote name; nothing while the session is busy."""
        return no_matches(cursor_pos) | await self._ask_if_free(_far.complete(code, cursor_pos))

    async def inspect(self, code: str, cursor_pos: int, detail_level: int = 0) -> JSON:
        """Describe a remote name; nothing while the session is busy."""
        question = _far.inspect(code, cursor_pos, detail_level)
        return not_found() | await self._ask_if_free(question)

    async def send_comm(self, message: Message) -> None:  # noqa: ARG002 - the protocol's
        """Refuse: the API has no comms."""
        raise UnsupportedError("Widgets do not work in direct mode.", f"{_LIVE_MODE} has them.")

    async def comm_info(self, target_name: str = "") -> JSON:  # noqa: ARG002 - the protocol's
        """Return no comms."""
        return {"status": "ok", "comms": {}}

    async def restart(self) -> None:
        """Replace the far kernel's process in place, which leaves an empty namespace.

        Raises:
            UnsupportedError: The far side is no ipykernel, or did not come back.
        """
        if self._interrupted is not None:
            await self.interrupt()
        try:
            await asyncio.wait_for(self._restart(), _RESTART_LIMIT_S)
        except asyncio.TimeoutError:
            raise UnsupportedError("The kernel did not come back after its restart.") from None

    async def status(self) -> Status:
        """Ask the server what the session is doing."""
        return Status(
            session_id=self.session_id,
            notebook_id=self.notebook_id,
            state=await self._state(),
            mode="direct",
            where=self.settings.base_url,
            age_s=(datetime.now(timezone.utc) - self._created_at).total_seconds(),
            url=await self._page(),
        )

    async def _state(self) -> str:
        call = sessions.status(self.session_id, notebook_id=self.notebook_id)
        try:
            known = await self._client.send(call)
        except NotFoundError as error:
            self._raise_gone(error)
        return known.kernel.status or known.session.status or "running"

    async def _page(self) -> str:
        """Return the notebook's page, asked for once; other servers than Deepnote have none."""
        if self._page_url is None:
            self._page_url = ""
            if self.settings.base_url == DEFAULT_BASE_URL:
                with contextlib.suppress(DeepnoteError):
                    self._page_url = await page_url(self._client, self.notebook_id)
        return self._page_url

    @property
    def has_left_cell(self) -> bool:
        """No: what runs in a direct session cannot be followed."""
        return False

    async def follow(self) -> AsyncIterator[Event]:
        """Yield nothing."""
        nothing: list[Event] = []
        for event in nothing:
            yield event

    async def hand_over(self) -> JSON:
        """Refuse: the next process starts a session of its own."""
        raise UnsupportedError("A direct session is not handed over.")

    async def take_over(self, handed_over: JSON) -> None:  # noqa: ARG002 - the protocol's
        """Refuse, as nothing can have been handed over."""
        raise UnsupportedError("A direct session is not handed over.")

    async def detach(self) -> None:
        """Let go; a direct session holds nothing on the far side."""

    async def stop(self) -> None:
        """End the session and its machine."""
        with contextlib.suppress(NotFoundError):
            await self._client.send(sessions.stop(self.session_id))

    # One call to execute

    async def _execute(self, code: str, interrupted: asyncio.Event) -> list[JSON]:
        """Run code once and return its outputs, waiting where the notebook is busy."""
        waits = delays(0.1, 5.0)
        deadline = time.monotonic() + _BUSY_LIMIT_S
        while not interrupted.is_set():
            try:
                return await self._send(code, sessions.MAX_TIMEOUT_MS)
            except ConflictError as error:
                # Only a refusal is known to have left the code alone. A kernel that is
                # unavailable may have died of it: that must not be sent again.
                if error.reason == "unavailable":
                    raise kernel_died() from None
                if error.reason != "busy" or time.monotonic() > deadline:
                    raise
                await _either(interrupted, next(waits))
            except ConnectionFailedError:
                raise
            except (ExecutionTimeoutError, ResponseFormatError, ServerError, TransportError) as e:
                if not interrupted.is_set():
                    await self._settle_and_raise(e, interrupted)
        return [error_output("KeyboardInterrupt")]

    async def _send(self, code: str, timeout_ms: int) -> list[JSON]:
        call = sessions.execute(
            self.session_id, notebook_id=self.notebook_id, code=code, timeout_ms=timeout_ms
        )
        try:
            return await self._client.send(call)
        except NotFoundError as error:
            self._raise_gone(error)

    def _result(self, cell: Cell, outputs: list[JSON]) -> tuple[list[Message], JSON]:
        self._execution_count += cell.store_history and not cell.silent
        count = cell.execution_count or self._execution_count
        messages = to_messages(outputs, execution_count=count)
        if cell.silent:
            messages = [m for m in messages if m.msg_type != "execute_result"]
        content = reply_content(messages, execution_count=count)
        if content.get("ename") == "StdinNotImplementedError" and not self._has_explained_input:
            self._has_explained_input = True
            hint = {"name": "stderr", "text": _NO_INPUT}
            messages.append(Message(msg_type="stream", content=hint))
        return messages, content

    # What a broken call means

    async def _settle_and_raise(self, error: DeepnoteError, interrupted: asyncio.Event) -> NoReturn:
        """Wait until the next cell can run, then say what is known of this one."""
        if isinstance(error, ExecutionTimeoutError):
            with contextlib.suppress(DeepnoteError):
                await self._interrupt()
        is_free = await self._settles(interrupted)
        if isinstance(error, ExecutionTimeoutError):
            limit_s = sessions.MAX_TIMEOUT_MS // 1000
            raise ExecutionTimeoutError(
                f"The cell ran past the {limit_s} s limit of direct mode and was interrupted; "
                "its outputs are lost.",
                f"{_LIVE_MODE} has no limit.",
                status_code=error.status_code,
                server_message=error.server_message,
            ) from None
        state = "may have run" if is_free else "may still be running"
        raise SessionError(
            f"The cell {state}, but its outputs are lost: {error.message}",
            "Look at its effects before you run it again.",
        ) from None

    async def _settles(self, interrupted: asyncio.Event) -> bool:
        """Wait, within a bound, until the kernel is free; return whether it is."""
        deadline = time.monotonic() + sessions.MAX_TIMEOUT_MS / 1000 + _SETTLE_LIMIT_S
        for delay_s in delays(0.1, 2.0):
            if interrupted.is_set() or time.monotonic() > deadline:
                break
            try:
                if await self._state() != "busy":
                    return True
            except SessionGoneError:
                raise
            except DeepnoteError:
                break
            await _either(interrupted, delay_s)
        return False

    async def _interrupt(self) -> None:
        try:
            await self._client.send(
                sessions.interrupt(self.session_id, notebook_id=self.notebook_id)
            )
        except NotFoundError as error:
            self._raise_gone(error)

    def _raise_gone(self, error: APIStatusError) -> NoReturn:
        said = f" ({error.server_message})" if error.server_message else ""
        raise SessionGoneError(
            f"The session {self.session_id} has ended and its variables are lost{said}.",
            _NEW_SESSION,
        ) from None

    # Questions of our own

    async def _ask_if_free(self, question: str) -> JSON:
        if self._turn.locked() or not self._takes_questions:
            return {}
        async with self._turn:
            return await self._ask(question)

    async def _ask(self, question: str) -> JSON:
        """Return the answer; empty where there is none."""
        outputs = await self._send(question, _QUESTION_LIMIT_MS)
        answer, rest = _far.read_answer(outputs)
        if answer is None and _fails_to_understand(rest):
            self._takes_questions = False
        elif self.on_message is not None:
            for message in to_messages(rest):
                self.on_message(message)
        return answer or {}

    async def _restart(self) -> None:
        async with self._turn:
            before: JSON = {}
            # A kernel that is dead or stuck does not answer; another session will.
            with contextlib.suppress(ConflictError, ExecutionTimeoutError, ServerError):
                before = await self._ask(_far.restart())
            if not before:
                raise UnsupportedError("The remote kernel cannot be restarted in place.")
            for delay_s in delays(0.3, 1.0):
                await asyncio.sleep(delay_s)
                with contextlib.suppress(ConflictError, ExecutionTimeoutError, ServerError):
                    if await self._ask(_far.identify()) not in ({}, before):
                        self._execution_count = 0
                        return


def _fails_to_understand(outputs: list[JSON]) -> bool:
    """Tell a kernel that is no IPython, which need not be asked again, from an interrupted one."""
    names = [output.get("ename") for output in outputs if output.get("output_type") == "error"]
    return bool(names) and "KeyboardInterrupt" not in names


def kernel_died() -> KernelDiedError:
    """Return the error that says so."""
    return KernelDiedError(
        "The session's kernel is unavailable: it died, of too little memory perhaps, and its "
        "variables are lost.",
        "Run `%deepnote restart`, or restart the kernel.",
    )


async def _either(event: asyncio.Event, delay_s: float) -> None:
    """Wait for an event, but no longer than a delay in seconds."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(event.wait(), delay_s)

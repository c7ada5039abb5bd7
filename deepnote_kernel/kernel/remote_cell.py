"""One cell of the person's while it runs on the far side."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from deepnote_kernel.errors import DeepnoteError, SessionError
from deepnote_kernel.kernel.failures import error_content, error_reply
from deepnote_kernel.kernel.pacing import Pacer, pieces
from deepnote_kernel.kernel.progress import StartLine
from deepnote_kernel.session.protocol import InputRequest, Message, Reply

if TYPE_CHECKING:
    from concurrent.futures import Future

    from deepnote_kernel.kernel._ipykernel import Request
    from deepnote_kernel.kernel.kernel import DeepnoteKernel
    from deepnote_kernel.outputs import JSON
    from deepnote_kernel.session.protocol import Cell, Event
    from deepnote_kernel.session.remote import Remote

__all__ = ["RemoteCell"]

_PACE_S = 0.1

_PRESSES = 3
_PATIENCE_S = 5.0
_NO_REACTION = "The session does not react to the interrupt; the cell may still be running there."


class RemoteCell:
    """Publishes what a remote cell does, asks what it asks, and lets it be interrupted.

    Args:
        kernel: Sends and asks.
        remote: Where the cell runs.
        cell: The cell.
        request: The message it came with.
        is_alone: Whether nothing has been shown below the cell yet.
    """

    def __init__(
        self,
        kernel: DeepnoteKernel,
        remote: Remote,
        cell: Cell,
        request: Request,
        *,
        is_alone: bool = True,
    ) -> None:
        self._kernel = kernel
        self._remote = remote
        self._cell = cell
        self._request = request
        self._pacer = Pacer(kernel.stream_rate)
        # Who allows no questions runs the notebook as a whole: nobody watches the start, and the
        # line would end up among the outputs.
        publish = self._publish if cell.allow_stdin else _nowhere
        self._start = StartLine(publish, system=kernel.system, is_alone=is_alone)
        self._question: asyncio.Task[None] | None = None
        self._pressed_at: list[float] = []
        self._is_given_up = False
        self._following: asyncio.Task[JSON] | None = None

    async def run(self) -> JSON:
        """Run the cell and return the content of its ``execute_reply``."""
        self._following = asyncio.ensure_future(self._follow())
        try:
            return await self._following
        except asyncio.CancelledError:
            if not self._is_given_up:
                raise
            remedy = f"See `{self._remote.settings.magic} status`, or restart the kernel."
            return self._failed(SessionError(_NO_REACTION, remedy))
        except DeepnoteError as error:
            return self._failed(error)
        except Exception as error:
            self._kernel.log.exception("A remote cell failed")
            return self._failed(error)
        finally:
            self._give_up_question()

    def interrupt(self) -> None:
        """Interrupt the cell, or the start of its session; called in any thread, never blocks.

        Whoever presses again and again does not get through to the session, and gets the kernel
        back.
        """
        self._pressed_at.append(time.monotonic())
        self._pacer.release()
        if len(self._pressed_at) >= _PRESSES and _since(self._pressed_at[0]) > _PATIENCE_S:
            self._kernel.loop.call_soon_threadsafe(self._give_up)
        else:
            self._remote.interrupt_soon().add_done_callback(self._tell_failure)

    def _tell_failure(self, interrupt: Future[None]) -> None:
        error = None if interrupt.cancelled() else interrupt.exception()
        if error is not None:
            content = {"name": "stderr", "text": f"The interrupt failed. {error}\n"}
            self._kernel.loop.call_soon_threadsafe(self._publish, "stream", content)

    def _give_up(self) -> None:
        if self._following is not None:
            self._is_given_up = True
            self._following.cancel()

    async def _follow(self) -> JSON:
        async with contextlib.aclosing(
            self._remote.aevents(self._cell, self._on_progress)
        ) as events:
            async for event in events:
                self._start.settle(is_ready=self._remote.session is not None)
                if isinstance(event, Reply):
                    return self._ended(event.content)
                await self._take(event)
        raise AssertionError("a cell's last event is its reply")

    def _on_progress(self, line: str) -> None:
        """Show a stage of the start; called in the session's thread."""
        self._kernel.loop.call_soon_threadsafe(self._start.show, line)

    async def _take(self, event: Event) -> None:
        if isinstance(event, InputRequest):
            self._give_up_question()
            self._question = asyncio.ensure_future(self._ask(event))
        elif isinstance(event, Message):
            await self._show(event)

    async def _show(self, message: Message) -> None:
        parent_id = message.parent or self._cell.id
        if message.msg_type == "stream":
            for text in pieces(message.content["text"]):
                await self._pace(len(text.encode(errors="replace")))
                self._kernel.show(message, {**message.content, "text": text}, parent_id)
            return
        await self._pace(0)
        self._kernel.show(message, message.content, parent_id)

    async def _pace(self, size_bytes: int) -> None:
        delay_s = self._pacer.delay_s(size_bytes)
        while delay_s > 0 and not self._pressed_at:
            await asyncio.sleep(min(delay_s, _PACE_S))
            delay_s -= _PACE_S

    async def _ask(self, question: InputRequest) -> None:
        answer = await self._kernel.ask(
            question.prompt, password=question.password, request=self._request
        )
        await self._remote.wait(self._remote.answer, answer)

    def _give_up_question(self) -> None:
        if self._question is not None:
            self._question.cancel()
            self._question = None

    def _ended(self, content: JSON) -> JSON:
        empty: JSON = {"user_expressions": {}, "payload": []}
        return {**empty, **content, "execution_count": self._cell.execution_count}

    def _failed(self, error: BaseException) -> JSON:
        self._start.settle(is_ready=self._remote.session is not None)
        content = error_content(error, secret=self._remote.settings.token.reveal())
        if not self._cell.silent:
            self._publish("error", content)
        return error_reply(content, execution_count=self._cell.execution_count)

    def _publish(self, msg_type: str, content: JSON) -> None:
        self._kernel.publish(msg_type, content, parent=self._request.message)


def _nowhere(_msg_type: str, _content: JSON) -> None:
    """Show nothing."""


def _since(moment: float) -> float:
    return time.monotonic() - moment

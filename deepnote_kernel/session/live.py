"""Live cells: through the relay, as if the remote kernel were here.

A live session is a direct one whose cells do not run inside execute calls: the relay's far half
runs them, and short calls fetch what they do. Output streams, input works, and cells have no time
limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import msgspec

from deepnote_kernel._quiet import quiet
from deepnote_kernel.api import sessions
from deepnote_kernel.errors import (
    ConflictError,
    DeepnoteError,
    ExecutionTimeoutError,
    NotFoundError,
    ServerError,
    SessionError,
    TransportError,
    UnsupportedError,
)
from deepnote_kernel.outputs import Message, to_messages, with_table
from deepnote_kernel.relay.near import WAIT_S, Budget, Frame, Link, RelayLostError, installer
from deepnote_kernel.session.direct import DirectSession, kernel_died
from deepnote_kernel.session.protocol import InputRequest, Reply
from deepnote_kernel.session.waiting import delays

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from deepnote_kernel.outputs import JSON
    from deepnote_kernel.session.protocol import Cell, Event, Status

__all__ = ["LiveSession"]

_INSTALL_LIMIT_MS: Final = 30_000
_RESTART_LIMIT_S: Final = 20.0
_HOME_LIMIT_S: Final = 1.0
_SAVE_AFTER_S: Final = 0.05


class LiveSession(DirectSession):
    """A session whose cells run in the relay. Call :meth:`open` before the first cell.

    Takes the arguments of :class:`~deepnote_kernel.session.direct.DirectSession`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on_progress: Callable[[JSON], None] | None = None
        """Takes what another process needs to pick a running cell up, soon after it changed."""
        self._link: Link | None = None
        self._opening = asyncio.Lock()
        self._far_side: JSON = {}
        self._events: asyncio.Queue[Event | asyncio.Future[JSON]] | None = None
        self._left: asyncio.Queue[Event | asyncio.Future[JSON]] | None = None
        self._budget = Budget(self.settings.calls_per_minute)
        self._cell_id = ""
        self._is_watched = True
        self._trouble_id = ""
        self._saving: asyncio.TimerHandle | None = None

    # Opening

    async def open(self) -> None:
        """Install the relay in a session that has none.

        Raises:
            UnsupportedError: The far side is no Python kernel, or lacks greenlet.
        """
        outputs = await self._until_free(installer())
        for output in outputs:
            if output.get("output_type") == "error":
                raise _cannot_install(output)
        await self._greet(0)

    async def reopen(self, acknowledged: int) -> None:
        """Take over the relay of a session that another process has left.

        Args:
            acknowledged: The last frame that process has received.
        """
        self._events = self._left = asyncio.Queue()
        try:
            await self._end_left_call()
            await self._greet(acknowledged)
        except RelayLostError:
            await self.open()
        finally:
            self._events = None

    @property
    def has_left_cell(self) -> bool:
        """Whether an earlier process has left a cell here whose end nobody has seen."""
        link = self._link
        return link is not None and bool(link.answer.cell or link.unclaimed)

    async def _end_left_call(self) -> None:
        """Bring the call home that the process before us may have left: it keeps others out."""
        deadline = time.monotonic() + WAIT_S
        for delay_s in delays(0.05, 1.0):
            if await self.is_free() or time.monotonic() > deadline:
                return
            await self.recall()
            await asyncio.sleep(delay_s)

    async def _greet(self, acknowledged: int) -> None:
        link = Link(
            self,
            budget=self._budget,
            on_frame=self._take_frame,
            on_outputs=self._take_outputs,
            acknowledged=acknowledged,
        )
        self._far_side = await link.greet()
        self._link, self._cell_id = link, link.answer.cell

    async def _opened(self) -> Link:
        # Of two links to one relay, the far side takes the later one for another kernel's.
        async with self._opening:
            if self._link is None:
                await self.open()
        if self._link is None:
            raise AssertionError("opening makes a link")
        return self._link

    async def _until_free(self, code: str) -> list[JSON]:
        """Run code of ours as soon as the notebook is free."""
        deadline = time.monotonic() + _RESTART_LIMIT_S
        for delay_s in delays(0.1, 1.0):
            try:
                return await self._send(code, _INSTALL_LIMIT_MS)
            except ConflictError as error:
                if "suspended" in error.server_message.lower() or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(delay_s)
        raise AssertionError("the delays have no end")

    # Cells

    async def run(self, cell: Cell) -> AsyncIterator[Event]:
        """Run a cell and yield what it does while it does it."""
        async with self._turn:
            link = await self._opened()
            self._events, self._is_watched = asyncio.Queue(), cell.allow_stdin
            try:
                reply = link.request(
                    "run",
                    msg_id=cell.id,
                    code=cell.code,
                    silent=cell.silent,
                    store_history=cell.store_history,
                    allow_stdin=cell.allow_stdin,
                    user_expressions=cell.user_expressions,
                    execution_count=cell.execution_count,
                    metadata=cell.metadata,
                )
                self._save_soon(cell.id)
                async for event in self._until(reply):
                    yield event
            finally:
                self._events = None

    async def follow(self) -> AsyncIterator[Event]:
        """Yield what that cell has done since, and what it does from now on."""
        async with self._turn:
            link = await self._opened()
            if not self.has_left_cell:
                return
            self._events, self._is_watched = self._left or asyncio.Queue(), True
            try:
                async for event in self._until(link.follow()):
                    yield event
            finally:
                self._events = self._left = None

    async def _until(self, reply: asyncio.Future[JSON]) -> AsyncIterator[Event]:
        """Yield events up to and including a cell's reply."""
        events = self._events
        if events is None:
            raise AssertionError("a cell has a queue of events")
        reply.add_done_callback(events.put_nowait)
        while True:
            event = await events.get()
            if event is reply:
                break
            yield event  # type: ignore[misc]
        self._save_soon("")
        try:
            content = reply.result()
        except RelayLostError:
            self._link = None
            raise
        yield Reply(content=content)

    async def answer(self, text: str) -> None:
        """Give the running cell the line it asked for."""
        if self._link is not None:
            self._link.tell("input", value=text)

    async def interrupt(self) -> None:
        """Raise ``KeyboardInterrupt`` in the running cell, or in a widget's callback."""
        if self._link is not None and self._link.is_expecting:
            await self._link.interrupt()

    async def complete(self, code: str, cursor_pos: int) -> JSON:
        """Complete a remote name, also while a cell runs."""
        link = await self._opened()
        return await link.request("complete", code=code, cursor_pos=cursor_pos)

    async def inspect(self, code: str, cursor_pos: int, detail_level: int = 0) -> JSON:
        """Describe a remote name, also while a cell runs."""
        link = await self._opened()
        return await link.request(
            "inspect", code=code, cursor_pos=cursor_pos, detail_level=detail_level
        )

    # Comms

    async def send_comm(self, message: Message) -> None:
        """Hand a comm message to the far side; return when it has been handled there."""
        link = await self._opened()
        await link.request(
            "comm",
            msg_id=message.parent,
            type=message.msg_type,
            content=message.content,
            metadata=message.metadata,
            buffers=message.buffers,
        )

    async def comm_info(self, target_name: str = "") -> JSON:
        """Return the comms that are open on the far side."""
        link = await self._opened()
        return await link.request("comm_info", target_name=target_name)

    # Life

    async def restart(self) -> None:
        """Replace the far process in place: an empty namespace in the same session."""
        await self.take_over(await self.hand_over())

    async def hand_over(self) -> JSON:
        """Ask the far process to replace itself, and let go of it."""
        await self._let_go("restart")
        return {"boot": self._far_side.get("boot", "")}

    async def take_over(self, handed_over: JSON) -> None:
        """Wait for the process that replaces the one named, and install the relay in it."""
        deadline = time.monotonic() + _RESTART_LIMIT_S
        async with self._opening:
            for delay_s in delays(0.05, 0.5):
                with contextlib.suppress(*_PASSING):
                    await self.open()
                    if self._far_side["boot"] != handed_over["boot"]:
                        return
                if time.monotonic() > deadline:
                    raise UnsupportedError("The kernel did not come back after its restart.")
                await asyncio.sleep(delay_s)

    async def status(self) -> Status:
        """Ask the server what the session is doing."""
        known = {name: self._far_side[key] for key, name in _SHOWN if key in self._far_side}
        status = await super().status()
        return msgspec.structs.replace(status, mode="live", details={**status.details, **known})

    async def detach(self) -> None:
        """Let go; a cell that runs goes on. Where none does, the kernel is left as it was."""
        await self._let_go("detach")

    async def stop(self) -> None:
        """End the session and its machine."""
        self.on_progress = None  # its record is about to go
        await self._let_go()
        await super().stop()

    async def _let_go(self, last_request: str = "") -> None:
        self.save()
        link, self._link = self._link, None
        if link is None:
            return
        if last_request:
            await asyncio.wait([link.request(last_request)], timeout=_HOME_LIMIT_S)
        await link.close()

    # What the link needs: how calls travel, and where frames go

    async def post(self, code: str) -> list[JSON]:
        """Run one of the relay's calls."""
        try:
            return await self._send(code, sessions.MAX_TIMEOUT_MS)
        except NotFoundError as error:
            self._raise_gone(error)

    async def _send(self, code: str, timeout_ms: int) -> list[JSON]:
        try:
            return await super()._send(code, timeout_ms)
        except ConflictError as error:
            # By itself that may pass, as while a process replaces itself.
            if error.reason == "unavailable" and await self._has_failed():
                raise kernel_died() from None
            raise

    async def _has_failed(self) -> bool:
        call = sessions.status(self.session_id, notebook_id=self.notebook_id)
        with contextlib.suppress(DeepnoteError):
            return (await self._client.send(call)).session.status == "error"
        return False

    async def recall(self) -> None:
        """Bring a waiting call home by way of the interrupt endpoint."""
        with contextlib.suppress(DeepnoteError):
            await self._interrupt()

    async def is_free(self) -> bool:
        """Tell whether the kernel would take a call now."""
        return (await super().status()).state != "busy"

    def tell(self, trouble: DeepnoteError | None) -> None:
        """Say below the cell, where somebody watches it, that nothing is heard of it."""
        if trouble is not None and self._events is not None and self._is_watched:
            self._trouble_id = uuid4().hex
            text = f"{trouble.message} The cell is not lost; trying again …"
            self._put_quietly("display_data", text)
        elif trouble is None and self._trouble_id:
            text = "The cell could not be reached for a while; nothing is lost."
            self._put_quietly("update_display_data", text)
            self._trouble_id = ""

    def _put_quietly(self, msg_type: str, text: str) -> None:
        transient = {"display_id": self._trouble_id}
        content = {"data": quiet(text), "metadata": {}, "transient": transient}
        self._put(Message(msg_type=msg_type, content=content))

    def _take_frame(self, frame: Frame) -> None:
        if frame.type == "input_request":
            self._put(InputRequest(**frame.content))
            return
        content = frame.content
        if isinstance(content.get("data"), dict) and not frame.type.startswith("comm"):
            content = {**content, "data": with_table(content["data"])}
        self._put(
            Message(
                msg_type=frame.type,
                content=content,
                metadata=frame.metadata,
                buffers=frame.buffers,
                parent=frame.parent,
            )
        )

    def _take_outputs(self, outputs: list[JSON]) -> None:
        for message in to_messages(outputs):
            self._put(message)

    def _put(self, event: Event) -> None:
        if self._events is not None:
            self._events.put_nowait(event)
        elif self.on_message is not None and isinstance(event, Message):
            self.on_message(event)

    def _save_soon(self, cell_id: str) -> None:
        """Tell how far things are, but not while a short cell waits for it: files are slow."""
        self._cell_id = cell_id
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(_SAVE_AFTER_S, self.save)

    def save(self) -> None:
        """Tell :attr:`on_progress` how far things are."""
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
        if self.on_progress is not None and self._link is not None:
            self.on_progress({"acknowledged": self._link.acknowledged, "cell": self._cell_id})


# What calls meet while a process is replaced by another.
_PASSING: Final = (
    ConflictError,
    ExecutionTimeoutError,
    RelayLostError,
    ServerError,
    TransportError,
)
_SHOWN: Final = (
    ("python", "Python"),
    ("ipython", "IPython"),
    ("ipykernel", "ipykernel"),
    ("greenlet", "greenlet"),
)


def _cannot_install(output: JSON) -> SessionError:
    if output.get("ename") == "ModuleNotFoundError" and "greenlet" in output.get("evalue", ""):
        return UnsupportedError(
            "Live mode needs greenlet on the machine; cells run in direct mode.",
            "Run `%pip install greenlet`, then `%deepnote restart`.",
        )
    said = f"{output.get('ename')}: {output.get('evalue')}"
    return UnsupportedError(f"Live mode does not work here ({said}); cells run in direct mode.")

"""The façade that the kernel and the magics hold: one remote session, callable from any thread.

Sessions live on one asyncio loop in one I/O thread, which is started when first needed. Callers
stay where they are: synchronous ones block on it, the kernel's own loop awaits what comes out of
it. So a completion asked for from a thread, a widget message and a running cell share a session
without knowing of each other.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import queue
import threading
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any, TypeVar

from deepnote_kernel.errors import DeepnoteError, SessionError
from deepnote_kernel.outputs import no_matches, not_found
from deepnote_kernel.session._io import Inbox, LoopThread
from deepnote_kernel.session.protocol import Reply
from deepnote_kernel.session.record import Records

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator

    from deepnote_kernel.config import Settings
    from deepnote_kernel.outputs import JSON
    from deepnote_kernel.session.keeper import Keeper
    from deepnote_kernel.session.protocol import (
        Cell,
        Connect,
        Event,
        Message,
        Progress,
        Session,
        Status,
    )
    from deepnote_kernel.session.record import Record

__all__ = ["Remote"]

T = TypeVar("T")

# An interrupt need not wait for the server; and Windows delivers Ctrl-C between waits only.
_INTERRUPT_WAIT_S = 1.0
_KEYBOARD_POLL_S = 0.2


def _unheard(_line: str) -> None:
    """Take a line of progress where nobody listens."""


class Remote:
    """One remote session at a time, started when a cell first needs it.

    All methods may be called from any thread except the I/O thread, where ``on_message`` and
    ``progress`` are called.

    Args:
        settings: Where the next session runs.
        connect: Connects to the server; by default to Deepnote's, or the embedded one.
        owner: Who starts sessions, for the record: a kernel's connection file.
        records: Where sessions are recorded; by default in Jupyter's data folder.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        connect: Connect | None = None,
        owner: str = "",
        records: Records | None = None,
    ) -> None:
        self.settings = settings
        self.on_message: Callable[[Message], None] | None = None
        self._connect = connect
        self._owner = owner
        self._records = records.another() if records else Records()
        self._io = LoopThread("deepnote-session")
        self._guard = threading.Lock()
        self._closing = threading.Lock()
        self._lazy_keeper: Keeper | None = None
        self._pid = os.getpid()

    @property
    def session(self) -> Session | None:
        """The running session; ``None`` before the first cell and after the end."""
        return self._lazy_keeper.session if self._lazy_keeper else None

    @property
    def has_left_session(self) -> bool:
        """Whether this kernel's last process has left a session that the next start takes over."""
        return self._records.handed_over(self._owner) is not None

    def use(self, **changes: Any) -> Settings:
        """Change settings for the next session; the running one stays as it is.

        Args:
            **changes: Fields of :class:`~deepnote_kernel.config.Settings`; ``None`` keeps one.

        Raises:
            ConfigError: A value cannot work.
        """
        self.settings = self.settings.replace(**changes)
        return self.settings

    # Life cycle

    def start(self, progress: Progress = _unheard) -> Session:
        """Return the running session, or start one and wait until it is ready.

        Args:
            progress: Takes a line for each stage.

        Raises:
            ConfigError: A setting is missing or wrong; nothing was sent.
            SessionStartError: It did not become ready, and was stopped again.
            KeyboardInterrupt: The wait was interrupted; what had been started was stopped.
        """
        return self._call(self._keeper.start(self.settings, progress))

    def attach(
        self, session_id: str, progress: Progress = _unheard, *, notebook_id: str = ""
    ) -> Session:
        """Take over a session that runs already; one that is held is let go of.

        A session that another notebook uses is shared with it: one machine, a kernel for each.

        Args:
            session_id: The id, as :meth:`sessions` lists it.
            progress: Takes a line where live cells turn out not to work.
            notebook_id: The notebook whose kernel shall run the cells; by default the one that is
                recorded, or where somebody uses that, the one of the settings.

        Raises:
            SessionGoneError: It has ended.
            SessionError: Another notebook on this computer uses that kernel.
        """
        return self._call(self._keeper.attach(self.settings, session_id, notebook_id, progress))

    def restart(self, progress: Progress = _unheard) -> None:
        """Give the session an empty namespace; where that cannot be done, start another session.

        Args:
            progress: Takes a line where another session has to be started.
        """
        self._call(self._keeper.restart(self.settings, progress))

    def detach(self) -> None:
        """Let go of the session and leave it running; do nothing where none runs."""
        if self._lazy_keeper is not None:
            self._call(self._lazy_keeper.detach())

    def stop(self) -> None:
        """End the session and its machine, whoever shares it; do nothing where none runs.

        Raises:
            DeepnoteError: The server could not be told; the session stays in the record.
        """
        if self._lazy_keeper is not None:
            self._call(self._lazy_keeper.stop())

    def close(self, timeout_s: float = 2.0, *, will_restart: bool = False) -> None:
        """Stop the session as far as that can be done in time, and end the I/O thread.

        Args:
            timeout_s: Seconds to wait for the server. The session stays in the record if it did
                not answer.
            will_restart: Whether this kernel's next process shall have the session, restarted, if
                that can be done.
        """
        # In a forked child the thread is not there, and the session is the parent's.
        if os.getpid() != self._pid:
            return
        # Who closes while another thread does waits for that, and finds nothing left to close.
        with self._closing:
            if self._lazy_keeper is None and not self.has_left_session:
                return
            closing = self._keeper.close(self.settings, timeout_s, will_restart=will_restart)
            atexit.unregister(self.close)
            self._call(closing)
            self._io.close()
            self._lazy_keeper = None

    # Cells

    def events(self, cell: Cell, progress: Progress = _unheard) -> Generator[Event, None, None]:
        """Run a cell and yield what happens to it; start the session if need be.

        ``KeyboardInterrupt`` interrupts the remote cell, and what it still says is yielded; a
        second one gives up waiting. Leaving the loop early interrupts the cell as well.

        Args:
            cell: What to run.
            progress: Takes a line for each stage of a start.

        Raises:
            DeepnoteError: The cell could not be run, or nothing is known of its end.
        """
        yield from self._events(cell, progress)

    def follow(self) -> Generator[Event, None, None]:
        """Yield what the cell does that an earlier process has left running, as :meth:`events`.

        Raises:
            SessionError: No session is held.
            DeepnoteError: Nothing is known of the cell's end.
        """
        self._required()
        yield from self._events(None, _unheard)

    def _events(self, cell: Cell | None, progress: Progress) -> Generator[Event, None, None]:
        inbox: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()
        self._io.submit(self._keeper.run(self.settings, cell, progress, inbox.put))
        is_interrupted = has_ended = False
        try:
            while not has_ended:
                try:
                    item = _next(inbox)
                except KeyboardInterrupt:
                    if is_interrupted:
                        raise
                    is_interrupted = True
                    self._try_to_interrupt()
                    continue
                has_ended = isinstance(item, (Reply, BaseException))
                yield _raised(item)
        finally:
            if not has_ended:
                self._try_to_interrupt()

    async def aevents(
        self, cell: Cell, progress: Progress = _unheard
    ) -> AsyncGenerator[Event, None]:
        """Do as :meth:`events` for a caller on an asyncio loop, without blocking it.

        Cancelling the caller interrupts the cell.

        Args:
            cell: What to run.
            progress: Takes a line for each stage of a start, in the I/O thread.

        Raises:
            DeepnoteError: The cell could not be run, or nothing is known of its end.
        """
        inbox: Inbox[Event | BaseException] = Inbox(asyncio.get_running_loop())
        self._io.submit(self._keeper.run(self.settings, cell, progress, inbox.put))
        has_ended = False
        try:
            while not has_ended:
                item = await inbox.get()
                has_ended = isinstance(item, (Reply, BaseException))
                yield _raised(item)
        finally:
            if not has_ended:
                self._io.submit(self._keeper.interrupt())

    def answer(self, text: str) -> None:
        """Give the running cell the line it asked for.

        Args:
            text: The line, without its end.
        """
        self._call(self._required().answer(text))

    def interrupt(self) -> None:
        """Interrupt the running cell, or give up a start; never takes longer than a second.

        Raises:
            DeepnoteError: The server refused, or could not be reached.
        """
        future = self.interrupt_soon()
        if wait([future], _INTERRUPT_WAIT_S).done:
            future.result()

    def interrupt_soon(self) -> Future[None]:
        """Do as :meth:`interrupt` without waiting: what begins to run from now on is spared."""
        if self._lazy_keeper is not None:
            return self._io.submit(self._lazy_keeper.interrupt())
        nothing: Future[None] = Future()
        nothing.set_result(None)
        return nothing

    # Questions

    def complete(self, code: str, cursor_pos: int, *, timeout_s: float = 0.8) -> JSON:
        """Return the content of a ``complete_reply`` for remote names.

        Never starts a session; empty where none runs, where it is busy, and after the time limit.

        Args:
            code: The cell's text.
            cursor_pos: Where the cursor stands in it, in characters.
            timeout_s: Seconds to wait.
        """
        empty = no_matches(cursor_pos)
        if self._lazy_keeper is None or self.session is None:
            return empty
        return self._ask(self._lazy_keeper.complete(code, cursor_pos), empty, timeout_s)

    def inspect(
        self, code: str, cursor_pos: int, detail_level: int = 0, *, timeout_s: float = 0.8
    ) -> JSON:
        """Return the content of an ``inspect_reply``, under the terms of :meth:`complete`.

        Args:
            code: The cell's text.
            cursor_pos: Where the cursor stands in it, in characters.
            detail_level: 0 for the docstring, 1 for the source.
            timeout_s: Seconds to wait.
        """
        empty = not_found()
        if self._lazy_keeper is None or self.session is None:
            return empty
        question = self._lazy_keeper.inspect(code, cursor_pos, detail_level)
        return self._ask(question, empty, timeout_s)

    def send_comm(self, message: Message) -> None:
        """Hand a comm message from the front end to the far side.

        Args:
            message: A ``comm_open``, ``comm_msg`` or ``comm_close``.

        Raises:
            UnsupportedError: The session has no comms.
            SessionError: No session runs.
        """
        self._call(self._required().send_comm(message))

    def comm_info(self, target_name: str = "") -> JSON:
        """Return the open comms as the content of a ``comm_info_reply``; none without a session.

        Args:
            target_name: Only comms of this target; empty for all.
        """
        empty = {"status": "ok", "comms": {}}
        session = self.session
        return self._call(session.comm_info(target_name)) if session else empty

    def status(self) -> Status:
        """Return where cells run and what that place is doing; without a session, where they would.

        Raises:
            SessionGoneError: The session has ended.
        """
        return self._call(self._keeper.status(self.settings))

    # The record

    def sessions(self) -> list[Record]:
        """Return the recorded sessions with their present state; those that ended are forgotten."""
        return self._call(self._keeper.survey(self.settings))

    def users(self, session_id: str) -> list[Record]:
        """Return the records of those kernels on this computer that use a session now.

        Args:
            session_id: The id, as :meth:`sessions` lists it.
        """
        return self._records.users(session_id)

    def interrupt_recorded(self, record: Record) -> None:
        """Interrupt what runs in a session, whoever started it.

        Args:
            record: The session, and the notebook whose cell runs.

        Raises:
            SessionError: Another process follows the cell, or its server is not the one in the
                settings.
        """
        self._call(self._keeper.interrupt_recorded(self.settings, record))

    def stop_recorded(self, session_id: str) -> None:
        """End a recorded session, whoever started it.

        Args:
            session_id: The id, as :meth:`sessions` lists it.

        Raises:
            SessionError: There is no such record, or its server is not the one in the settings.
        """
        self._call(self._keeper.stop_recorded(self.settings, session_id))

    def stop_all(self) -> list[str]:
        """End every recorded session of this server and return the ids of those that ran."""
        return self._call(self._keeper.stop_all(self.settings))

    async def wait(self, function: Callable[..., T], *args: Any) -> T:
        """Await one of the blocking methods above without blocking the caller's loop.

        Args:
            function: A method of this object.
            *args: Its arguments.
        """
        return await asyncio.to_thread(function, *args)

    # Threads

    @property
    def _keeper(self) -> Keeper:
        with self._guard:
            if self._lazy_keeper is None:
                # They bring the HTTP client, which a kernel's start must not wait for.
                from deepnote_kernel.session.keeper import Keeper  # noqa: PLC0415
                from deepnote_kernel.session.lifecycle import connect  # noqa: PLC0415

                self._lazy_keeper = Keeper(
                    self._connect or connect,
                    owner=self._owner,
                    records=self._records,
                    deliver=self._deliver,
                )
                atexit.register(self.close)
            return self._lazy_keeper

    def _deliver(self, message: Message) -> None:
        if self.on_message is not None:
            self.on_message(message)

    def _try_to_interrupt(self) -> None:
        # What keeps the interrupt from working tells itself when the cell ends.
        with contextlib.suppress(DeepnoteError):
            self.interrupt()

    def _required(self) -> Session:
        if self.session is None:
            raise SessionError(
                "No session is running.", f"Run `{self.settings.magic} start` to start one."
            )
        return self.session

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = self._io.submit(coroutine)
        try:
            while not wait([future], _KEYBOARD_POLL_S).done:
                pass
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise
        except FutureCancelledError:
            raise KeyboardInterrupt from None

    def _ask(self, question: Coroutine[Any, Any, JSON], empty: JSON, timeout_s: float) -> JSON:
        # A question that takes too long is left to end by itself: taking it back would leave the
        # far side busy with it, and the next cell refused.
        try:
            return self._io.submit(question).result(timeout_s)
        except (FutureTimeoutError, FutureCancelledError):
            return empty


def _next(inbox: queue.SimpleQueue[T]) -> T:
    while True:
        try:
            return inbox.get(timeout=_KEYBOARD_POLL_S)
        except queue.Empty:
            continue


def _raised(item: Event | BaseException) -> Event:
    if isinstance(item, BaseException):
        raise item
    return item

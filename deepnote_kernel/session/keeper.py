"""One session on the I/O loop: started when a cell needs it, let go of when it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, cast

from msgspec import structs

from deepnote_kernel.errors import (
    ConnectionFailedError,
    DeepnoteError,
    KernelDiedError,
    SessionError,
    SessionGoneError,
    UnsupportedError,
)
from deepnote_kernel.outputs import (
    error_output,
    no_matches,
    not_found,
    reply_content,
    to_messages,
)
from deepnote_kernel.session import inventory
from deepnote_kernel.session.protocol import Reply, Status
from deepnote_kernel.session.record import DETACHED, HANDED_OVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deepnote_kernel.config import Settings
    from deepnote_kernel.outputs import JSON
    from deepnote_kernel.session.protocol import (
        Cell,
        Connect,
        Event,
        Message,
        Place,
        Progress,
        Session,
    )
    from deepnote_kernel.session.record import Record, Records

__all__ = ["Keeper"]

_log = logging.getLogger(__name__)


class Keeper:
    """At most one session. Every method runs on the I/O loop.

    Args:
        connect: Connects to the server that sessions run on.
        owner: Who starts sessions, for the record.
        records: Where sessions are recorded.
        deliver: Takes messages that arrive while no cell runs.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        owner: str,
        records: Records,
        deliver: Callable[[Message], None],
    ) -> None:
        self.session: Session | None = None
        self._connect = connect
        self._owner = owner
        self._records = records
        self._deliver = deliver
        self._place: Place | None = None
        self._starting: asyncio.Task[Session] | None = None
        self._is_giving_up = False
        self._ended: SessionGoneError | None = None
        self._cut_off: SessionGoneError | None = None
        self._calls: set[asyncio.Task[object]] = set()

    async def start(self, settings: Settings, progress: Progress) -> Session:
        """Return the running session, having asked whether it still runs, or start another."""
        if self.session is not None:
            try:
                await self.session.status()
            except DeepnoteError as error:
                judged = await self._judged(error)
                if not isinstance(judged, SessionGoneError):
                    raise judged from None
        self._ended = None
        return await self._running(settings, progress)

    async def attach(
        self, settings: Settings, session_id: str, notebook_id: str, progress: Progress
    ) -> Session:
        """Take over a session that runs already, or join it, and let go of the one held."""
        if self.session is not None and self.session.session_id == session_id:
            await self.detach()
        place = await self._connect(settings, self._records, self._owner, progress)
        try:
            session = await place.attach(session_id, notebook_id)
        except BaseException:
            await place.aclose()
            raise
        await self.detach()  # not before: a mistyped id must not cost the session held
        return self._hold(session, place)

    async def run(
        self,
        settings: Settings,
        cell: Cell | None,
        progress: Progress,
        put: Callable[[Event | BaseException], None],
    ) -> None:
        """Run a cell and hand over its events; the last is its reply, or why there is none.

        Without a cell, follow the one that an earlier process has left running.
        """
        last: Event | None = None
        try:
            session = await self._running(settings, progress)
            with self._tracked():
                async for last in session.run(cell) if cell else session.follow():
                    put(last)
            if not isinstance(last, Reply):
                put(SessionError("The session ended the cell without a reply."))
        except asyncio.CancelledError:
            for item in [self._cut_off] if self._cut_off else _interrupted(cell):
                put(item)
        except DeepnoteError as error:
            put(await self._judged(error))
        except BaseException as error:  # noqa: BLE001 - raised again where the cell was asked for
            put(error)

    async def interrupt(self) -> None:
        """Interrupt the running cell, or give up a start."""
        if self._starting is not None:
            self._give_up()
        elif self.session is not None:
            await self.session.interrupt()

    async def complete(self, code: str, cursor_pos: int) -> JSON:
        """Complete a remote name; nothing where there is no answer."""
        with contextlib.suppress(DeepnoteError), self._tracked():
            if self.session is not None:
                return await self.session.complete(code, cursor_pos)
        return no_matches(cursor_pos)

    async def inspect(self, code: str, cursor_pos: int, detail_level: int) -> JSON:
        """Describe a remote name; nothing where there is no answer."""
        with contextlib.suppress(DeepnoteError), self._tracked():
            if self.session is not None:
                return await self.session.inspect(code, cursor_pos, detail_level)
        return not_found()

    async def restart(self, settings: Settings, progress: Progress) -> None:
        """Empty the namespace; by another session where that cannot be done in place."""
        if self.session is not None:
            try:
                await self.session.restart()
            except DeepnoteError as error:
                judged = await self._judged(error)
                if not isinstance(judged, (UnsupportedError, SessionGoneError, KernelDiedError)):
                    raise judged from None
                progress(f"{judged.message} Starting a new session.")
                # The one that others share may be the one it could not be done in.
                settings = settings.replace(share_session=False)
            else:
                return
        await self.leave()
        await self.start(settings, progress)

    async def status(self, settings: Settings) -> Status:
        """Return what the session is doing, or would be."""
        if self.session is not None:
            try:
                return self._with_users(await self.session.status())
            except DeepnoteError as error:
                raise await self._judged(error) from None
        return Status(
            session_id="",
            notebook_id=settings.notebook_id,
            state="starting" if self._starting else "ended" if self._ended else "not started",
            mode=settings.mode,
            where=settings.base_url,
        )

    def _with_users(self, status: Status) -> Status:
        users = self._records.users(status.session_id)
        others = [u.document or u.notebook_id for u in users if u.notebook_id != status.notebook_id]
        shared = {"Shared with": ", ".join(sorted(others))} if others else {}
        return structs.replace(status, details={**shared, **status.details})

    async def detach(self) -> None:
        """Let go of the session and leave it running."""
        if self.session is not None:
            session = self.session
            magic = session.settings.magic
            await self._release(
                SessionGoneError(
                    f"The session {session.session_id} was detached, and runs on by itself.",
                    f"Run `{magic} attach {session.session_id}`, or `{magic} start` for a new one.",
                )
            )
            record = self._records.load(session.session_id, session.notebook_id)
            if record is not None:
                self._records.save(structs.replace(record, state=DETACHED, holder=""))

    async def _release(self, reason: SessionGoneError) -> None:
        session, self.session = self.session, None
        self._ended = reason
        await self._cancel_calls(reason)
        if session is not None:
            await session.detach()
        await self._close_place(reason)

    async def leave(self) -> None:
        """End the session unless others share it; then end no more than this notebook's part."""
        if self.session is None:
            await self.stop()
            return
        session = self.session
        ids = session.session_id, session.notebook_id
        reason = SessionGoneError("The notebook has left the session.", _new_session(session))
        # First: a cell that is cancelled may record how far it came.
        await self._cancel_calls(reason)
        if not self._records.let_go(*ids):
            await self.stop()
            return
        # Its variables take memory of the machine that the others go on to use.
        with contextlib.suppress(DeepnoteError):
            await session.interrupt()
            await session.hand_over()
        await self._release(reason)

    async def stop(self) -> None:
        """End the session, also for others who share it, or give up its start."""
        if self._starting is not None:
            starting = self._starting
            self._give_up()
            await asyncio.wait([starting])
        if self.session is not None:
            # Running cells learn of it from here: what the server would say of them varies.
            stopped = SessionGoneError("The session was stopped.", _new_session(self.session))
            await self._cancel_calls(stopped)
            await self.session.stop()
            await self._lose(stopped)

    async def hand_over(self) -> bool:
        """Leave the session to this kernel's next process; tell whether that is possible."""
        if self.session is None:
            return False
        session = self.session
        try:
            handed_over = await session.hand_over()
        except DeepnoteError:
            return False
        record = self._records.load(session.session_id, session.notebook_id)
        if record is None:
            return False
        self._records.save(structs.replace(record, state=HANDED_OVER, relay=handed_over))
        await self._release(SessionGoneError("The kernel restarts.", _new_session(session)))
        return True

    async def close(self, settings: Settings, timeout_s: float, *, will_restart: bool) -> None:
        """Stop as far as that can be done in time; what remains stays in the record."""
        try:
            await asyncio.wait_for(self._end(settings, will_restart=will_restart), timeout_s)
        except (DeepnoteError, asyncio.TimeoutError) as error:
            _log.warning("The session may still be running: %s", str(error) or "no answer in time")
        finally:
            await self._close_place(SessionGoneError("The kernel is shutting down."))
            self._records.release()

    async def _end(self, settings: Settings, *, will_restart: bool) -> None:
        if will_restart and await self.hand_over():
            return
        await self.leave()
        left = self._records.handed_over(self._owner)
        if left is None or will_restart:
            return
        if not self._records.let_go(left.id, left.notebook_id):
            await inventory.stop(settings, self._records, left.id)

    async def survey(self, settings: Settings) -> list[Record]:
        """Return the recorded sessions with their present state."""
        return await inventory.survey(settings, self._records)

    async def interrupt_recorded(self, settings: Settings, record: Record) -> None:
        """Interrupt what runs in a recorded session, be it the one held or another."""
        held = self.session
        if held and (held.session_id, held.notebook_id) == (record.id, record.notebook_id):
            await held.interrupt()
        else:
            await inventory.interrupt(settings, self._records, record)

    async def stop_recorded(self, settings: Settings, session_id: str) -> None:
        """End a recorded session, be it the one held or another."""
        if self.session is not None and self.session.session_id == session_id:
            await self.stop()
        else:
            await inventory.stop(settings, self._records, session_id)

    async def stop_all(self, settings: Settings) -> list[str]:
        """End the session held and every recorded one of this server; return their ids."""
        held = [self.session.session_id] if self.session is not None else []
        await self.stop()
        return held + await inventory.stop_all(settings, self._records)

    async def _running(self, settings: Settings, progress: Progress) -> Session:
        if self.session is not None:
            return self.session
        if self._ended is not None:
            # Another one in the middle of a notebook would lack the variables of this one.
            raise SessionGoneError(self._ended.message, self._ended.remedy)
        if self._starting is None:
            self._is_giving_up, self._cut_off = False, None
            self._starting = asyncio.ensure_future(self._start(settings, progress))
        return await self._starting

    async def _start(self, settings: Settings, progress: Progress) -> Session:
        place: Place | None = None
        try:
            place = await self._connect(settings, self._records, self._owner, progress)
            session = await self._taken_over(place) or await place.start()
        except BaseException:
            if place is not None:
                await place.aclose()
            raise
        finally:
            self._starting = None
        return self._hold(session, place)

    async def _taken_over(self, place: Place) -> Session | None:
        """Return the session that this kernel's last process has left, if it can be had."""
        record = self._records.handed_over(self._owner)
        if record is None:
            return None
        try:
            return await place.attach(record.id, record.notebook_id)
        except DeepnoteError as error:
            _log.warning("The session could not be kept: %s", error)
            if not self._records.let_go(record.id, record.notebook_id):
                await place.discard(record.id)
            return None

    def _hold(self, session: Session, place: Place) -> Session:
        session.on_message = self._deliver
        self.session, self._place, self._ended, self._cut_off = session, place, None, None
        return session

    async def _judged(self, error: DeepnoteError) -> DeepnoteError:
        """Let go of a session that an error says is gone; return the error to show."""
        if isinstance(error, SessionGoneError):
            return await self._lose(error)
        session = self.session
        is_lost = isinstance(error, ConnectionFailedError)
        if is_lost and session is not None and session.settings.is_local:
            # It was reached before, and its sessions ended with it.
            return await self._lose(
                SessionGoneError(
                    "The local server has ended, and the session's variables are lost.",
                    _new_session(session),
                )
            )
        return error

    async def _lose(self, error: SessionGoneError) -> SessionGoneError:
        session, self.session = self.session, None
        self._ended = error
        await self._close_place(error)
        # Last: a cell that was cancelled may have recorded how far it came.
        if session is not None:
            self._records.remove(session.session_id)
        return error

    async def _close_place(self, reason: SessionGoneError) -> None:
        place, self._place = self._place, None
        if place is None:
            return
        await self._cancel_calls(reason)
        await place.aclose()

    async def _cancel_calls(self, reason: SessionGoneError) -> None:
        self._cut_off = reason
        others = self._calls - {asyncio.current_task()}
        for call in others:
            call.cancel()
        if others:
            await asyncio.wait(others)

    def _give_up(self) -> None:
        # Once only: a second cancellation would cut the cleaning up short.
        if self._starting is not None and not self._is_giving_up:
            self._is_giving_up = True
            self._starting.cancel()

    @contextlib.contextmanager
    def _tracked(self) -> Iterator[None]:
        """Know the current task as one that uses the connection."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._calls.add(task)
        try:
            yield
        finally:
            self._calls.discard(task)


def _new_session(session: Session) -> str:
    return f"Run `{session.settings.magic} start`, or restart the kernel, to start a new one."


def _interrupted(cell: Cell | None) -> list[Event]:
    messages = to_messages([error_output("KeyboardInterrupt")])
    content = reply_content(messages, execution_count=cell.execution_count if cell else 0)
    return [*messages, Reply(content=content)]

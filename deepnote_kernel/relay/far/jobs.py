"""Jobs: the user's code on the main thread, left and resumed so that the loop has its turns."""

from __future__ import annotations

import asyncio
import selectors
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import greenlet

from .frames import Outbox

if TYPE_CHECKING:
    import contextvars
    from collections.abc import Callable, Coroutine, Generator
    from types import FrameType, TracebackType

    from .relay import Relay

    JSON = dict[str, Any]
    Work = Callable[[JSON, "Job"], Coroutine[Any, Any, JSON]]

LEAVE = signal.SIGRTMAX - 3
"""The signal that asks the code to give the loop a turn. SIGALRM and its like are the user's."""

SLICE_S = 0.1
"""How long a cell may run, in seconds, before the loop gets a turn even if nothing woke it."""

TURNS = 8
"""How many rounds the loop gets then: a call that has come in takes some until it waits."""

RETRY_S = 0.002
"""When to try again, in seconds, after a moment at which switching was not safe."""

LEFT = object()
"""What a job hands out when it was left in the middle of something, rather than awaits."""

# Waiting for somebody else is the one safe place inside threading: its locks are free meanwhile.
WAITS = {"wait", "wait_for", "join", "_wait_for_tstate_lock", "acquire"}
NEVER = {"ipykernel.iostream", "logging"}
NOT_IN = {"queue", "importlib._bootstrap", "importlib._bootstrap_external"}


PACKAGE = __name__.rpartition(".")[0]


def is_ours(frame: FrameType) -> bool:
    """Tell whether a frame runs code of this package."""
    return str(frame.f_globals.get("__name__")).startswith(PACKAGE)


def leave_out_ours(tb: TracebackType | None) -> None:
    """Take this package's frames out of a traceback; those it begins with IPython leaves out."""
    before = None
    while tb:
        if not is_ours(tb.tb_frame):
            before = tb
        elif before:
            before.tb_next = tb.tb_next
        tb = tb.tb_next


def is_safe_to_leave(frame: FrameType) -> bool:
    """Tell whether the code on this stack may be left in the middle.

    The loop's own code must never wait for a lock that a suspended cell holds: the stream buffer's,
    logging's, the outbox's, an import's. Locks of the user's are no danger, because whoever waits
    for them can be left too.
    """
    module = frame.f_globals.get("__name__")
    if module in NOT_IN or (module == "threading" and frame.f_code.co_name not in WAITS):
        return False
    if is_ours(frame):
        return False
    here: FrameType | None = frame
    while here is not None:
        if here.f_globals.get("__name__") in NEVER or here.f_code is Outbox.add.__code__:
            return False
        here = here.f_back
    return True


class Job:
    """A piece of the user's work (a cell, a comm message) that can be left at any bytecode.

    Awaited by a task of the loop. Each step of that task runs the work's coroutine in this job's
    greenlet until it awaits something, ends, or the loop is to have a turn. When they switch, the
    work hands out what it awaits, or :data:`LEFT`; the task hands back an exception to raise there,
    or ``None``.
    """

    def __init__(
        self, relay: Relay, work: Work, request: JSON, parent: JSON, context: contextvars.Context
    ) -> None:
        self.relay = relay
        self.coroutine = work(request, self)
        self.parent = parent
        self.greenlet = greenlet.greenlet(self._work)
        self.greenlet.gr_context = context
        self.resume = self.greenlet  # the user's code may be inside a greenlet of its own
        self.loop_side: Any = None
        self.task: Any = None
        self.outcome: tuple[Any, BaseException | None] | None = None
        self.is_parked = False
        self.is_interrupted = False
        self.cancelled: BaseException | None = None
        self.sigint: Any = relay.on_sigint

    def _work(self, error: BaseException | None) -> None:
        try:
            while True:
                awaited = self.coroutine.throw(error) if error else self.coroutine.send(None)
                error = self.loop_side.switch(awaited)
        except StopIteration as stop:
            self.outcome = (stop.value, None)
        except BaseException as failure:
            self.outcome = (None, failure)

    def __await__(self) -> Generator[Any, Any, Any]:
        self.task = asyncio.current_task()
        error = None
        while True:
            awaited = self._step(error)
            if self.outcome:
                value, failure = self.outcome
                if failure:
                    raise failure
                return value
            if awaited is LEFT:
                yield from self._give_turns()
                continue
            error, self.cancelled = self.cancelled, None
            if not error:
                error = yield from self._park(awaited)

    def _give_turns(self) -> Generator[Any, Any, None]:
        """Let the loop work. What is raised meanwhile must wait until the code awaits something."""
        turns = 0
        while turns < TURNS or self.relay.held:
            turns += 1
            try:
                yield self.relay.hold()
            except asyncio.CancelledError as cancelled:
                self.cancelled = cancelled

    def _park(self, awaited: Any) -> Generator[Any, Any, BaseException | None]:
        """Wait for what the code awaits; return what to raise there."""
        self.is_parked = True
        try:
            if self.is_interrupted:
                self.task.cancel()
            yield awaited
        except asyncio.CancelledError as cancelled:
            if not self.is_interrupted:
                return cancelled
            self.is_interrupted = False
            if hasattr(self.task, "uncancel"):
                self.task.uncancel()
            return KeyboardInterrupt()
        except BaseException as failure:
            return failure
        finally:
            self.is_parked = False
        return None

    def _step(self, error: BaseException | None) -> Any:
        """Run the work for one slice and return what it handed out."""
        relay = self.relay
        self.loop_side = self.greenlet.parent = greenlet.getcurrent()
        relay.adopt(self.parent)
        before = signal.signal(signal.SIGINT, self.sigint)
        outer, relay.job = relay.job, self
        relay.watcher.begin()
        try:
            return self.resume.switch(error)
        finally:
            relay.watcher.end()
            relay.job = outer
            self.sigint = signal.signal(signal.SIGINT, before)

    def leave(self, frame: FrameType) -> None:
        """Give the loop a turn, if this moment is safe; called by a signal handler, anywhere."""
        if greenlet.getcurrent() is self.loop_side or not is_safe_to_leave(frame):
            return
        self._hand_out(LEFT)
        if self.is_interrupted:
            self.is_interrupted = False
            handler: Any = signal.getsignal(signal.SIGINT)  # of the user's, perhaps
            is_ours = handler == self.relay.on_sigint
            (signal.default_int_handler if is_ours else handler)(signal.SIGINT, frame)

    def wait(self, future: asyncio.Future[Any]) -> Any:
        """Wait for a future, as ``await`` would, in code that is no coroutine."""
        if not future.done():
            future._asyncio_future_blocking = True  # how a future tells a task to wait for it
            error = self._hand_out(future)
            if error:
                raise error from None
        return future.result()

    def _hand_out(self, awaited: Any) -> Any:
        self.resume = greenlet.getcurrent()
        try:
            return self.loop_side.switch(awaited)
        finally:
            self.resume = self.greenlet

    def interrupt(self) -> None:
        """Raise ``KeyboardInterrupt`` in the work: at once if it waits, else in its next slice."""
        self.is_interrupted = True
        if self.is_parked:
            self.task.cancel()


class Watcher(threading.Thread):
    """Tells the code on the main thread when the loop wants a turn; the only thread of the relay.

    Sleeps while no code runs. While some does, waits until the loop's selector has something to do.
    """

    def __init__(self, relay: Relay) -> None:
        super().__init__(name="deepnote-relay", daemon=True)
        self.relay = relay
        self.running = threading.Event()
        self.selector = selectors.DefaultSelector()
        loop: Any = relay.loop  # whose selector has no public name
        self.selector.register(loop._selector, selectors.EVENT_READ)
        self.begin, self.end = self.running.set, self.running.clear
        self.is_heard = self.is_stopped = False

    def run(self) -> None:
        """Wait and signal until the relay is uninstalled."""
        while True:
            self.running.wait()
            if self.is_stopped:
                return
            is_needed = self.selector.select(SLICE_S) or time.monotonic() > self.relay.due
            self.is_heard = False
            if self.send_leave():
                continue
            if not is_needed:
                if self.relay.has_new_children():
                    self.relay.loop.call_soon_threadsafe(self.relay.wake)
                continue
            # The code is inside a system call, which goes on by itself after a signal, for the
            # sake of C libraries that know no other way. A call has to be served: this once it
            # returns to Python first.
            signal.siginterrupt(LEAVE, True)
            self.send_leave()
            signal.siginterrupt(LEAVE, False)

    def stop(self) -> None:
        """End the thread; nothing of the user's may be running."""
        self.is_stopped = True
        self.running.set()
        self.join()

    def send_leave(self) -> bool:
        """Signal the main thread while code runs there; tell, a moment later, if it has heard."""
        if self.running.is_set():
            signal.pthread_kill(threading.main_thread().ident or 0, LEAVE)
            time.sleep(RETRY_S)
        return self.is_heard or not self.running.is_set()

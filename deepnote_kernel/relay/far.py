"""The far half of the relay: lives inside the remote kernel, knows nothing of this package.

The API gives one call that runs code and returns its outputs at the end. This module turns that into a live
kernel. It is sent once per session as source text; from then on every call carries one line,
``__deepnote_relay__({...})``, which is answered here and never reaches IPython, so it leaves no trace in the
user's namespace, history or counters.

A call brings numbered *requests* (run this cell, take this comm message, interrupt, ...), each carried out once
however often it is sent, and takes home numbered *frames* (outputs, comm messages, replies), each kept until a
later call acknowledges it. So a call may fail, be repeated or get lost without harm. A call waits a while for
frames to come, which makes it a long poll.

A cell does not run inside the call that brought it. It is an asyncio task of the kernel's own loop whose every
step runs in a greenlet. A watcher thread looks at the loop's selector; when the loop has something to do (a
call has come in, an output wants to go out) it sends the main thread a private signal, whose handler switches
from the cell's greenlet back to the loop. The loop does its work, and the task's next step goes on with the cell
where it stopped. The code runs on the main thread, as ever, and never notices.

Outputs are caught where ipykernel hands them to its IOPub thread: all of them pass there, those of threads,
forked children and C code included, and each names its cell in its parent header.
"""

import asyncio
import base64
import collections
import concurrent.futures
import contextvars
import inspect
import json
import math
import os
import platform
import selectors
import signal
import sys
import tempfile
import threading
import time

import greenlet
import ipykernel
import IPython
from ipykernel.jsonutil import json_clean
from jupyter_client.session import DELIM

VERSION = 1
MARK = "__deepnote_relay__"
MIME = "application/vnd.deepnote-kernel.relay+json"
THREAD_NAME = "deepnote-relay"

SLICE_S = 0.1
"""How long a cell may run, in seconds, before the loop gets a turn even if nothing woke it."""
TURNS = 8
"""How many rounds the loop gets then: a call that has come in takes some until it is answered or waits."""
RETRY_S = 0.002
"""When to try again, in seconds, after a moment at which switching was not safe."""
HOLD_S = 1.0
"""How long a SIGINT may hold the code up, in seconds, if no call follows."""
FLUSH_S = 0.01
"""How long ipykernel may hold back printed text, in seconds."""
LEAVE = signal.SIGRTMAX - 3
"""The signal that asks the code to give the loop a turn. SIGALRM and its like are the user's."""
MEMORY_BYTES = 32 << 20
"""Frames beyond this wait on disk."""
HELD_BYTES = 1 << 30
"""Outputs beyond this, while nobody fetches them, are dropped with a note."""

# Waiting for somebody else inside threading is the one safe place there: the lock is not held meanwhile.
WAITS = {"wait", "wait_for", "join", "_wait_for_tstate_lock", "acquire"}
OUTPUTS = {
    "stream", "display_data", "update_display_data", "execute_result", "error", "clear_output",
    "comm_open", "comm_msg", "comm_close", "debug_event",
}  # fmt: skip


def is_safe_to_leave(frame):
    """Tell whether the code on this stack may be left in the middle.

    The loop's own code must never wait for a lock that a suspended cell holds: the stream buffer's, logging's,
    the outbox's, an import's. Locks of the user's are no danger, because whoever waits for them can be left too.
    """
    innermost = True
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module in {"ipykernel.iostream", "logging"} or frame.f_code is Outbox.add.__code__:
            return False
        if innermost:
            if module == "threading":
                if frame.f_code.co_name not in WAITS:
                    return False
            elif module in {"queue", "importlib._bootstrap", "importlib._bootstrap_external", __name__}:
                return False
            innermost = False
        frame = frame.f_back
    return True


class Outbox:
    """Numbered frames, kept until acknowledged; the first is number 1. Thread-safe.

    A frame is the JSON text of one message, as bytes. What does not fit into memory waits in a temporary file.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.frames = collections.deque()  # (number, length, bytes or place in the file)
        self.last = self.held = 0
        self.spill = None
        self.is_dropping = False

    def add(self, encode, is_urgent=False):
        """Append the frame ``encode(number)``; in place of outputs in a row beyond the limit, one note."""
        with self.lock:
            number = self.last + 1
            frame = encode(number)
            if self.held + len(frame) > HELD_BYTES and not is_urgent:
                if self.is_dropping:
                    return
                self.is_dropping = True
                note = "[output dropped: nobody has fetched the last %d MiB of it]\n" % (HELD_BYTES >> 20)
                frame = encode_frame(number, "", "stream", dumps({"name": "stderr", "text": note}))
            elif not is_urgent:
                self.is_dropping = False
            self.last = number
            length = len(frame)
            if self.held + length > MEMORY_BYTES:
                self.spill = self.spill or tempfile.TemporaryFile(prefix="deepnote-")
                place = self.spill.seek(0, os.SEEK_END)
                self.spill.write(frame)
                frame = place
            self.held += length
            self.frames.append((number, length, frame))

    def acknowledge(self, number):
        """Forget the frames up to a number."""
        with self.lock:
            while self.frames and self.frames[0][0] <= number:
                self.held -= self.frames.popleft()[1]
            if self.spill and not self.frames:
                self.spill.close()
                self.spill = None

    def take(self, limit):
        """Return frames from the oldest on: at most ``limit`` bytes of them, but one at least, if there is any."""
        taken, size = [], 0
        with self.lock:
            for _, length, frame in self.frames:
                if taken and size + length > limit:
                    break
                if isinstance(frame, int):
                    self.spill.seek(frame)
                    frame = self.spill.read(length)
                taken.append(frame)
                size += length
        return taken


def dumps(value):
    """Return JSON as bytes."""
    return json.dumps(value).encode("ascii")


def encode_frame(number, parent, msg_type, content, metadata=b"{}", buffers=()):
    """Return one frame; ``content`` and ``metadata`` are JSON already and are passed through."""
    head = dumps({
        "n": number, "parent": parent, "type": msg_type,
        "buffers": [base64.b64encode(b).decode("ascii") for b in buffers],
    })  # fmt: skip
    return head[:-1] + b', "content": ' + content + b', "metadata": ' + metadata + b"}"


class Job:
    """A piece of the user's work (a cell, a comm message) that can be left and gone on with at any bytecode.

    Awaited by a task of the loop. Each step of that task runs the work's coroutine in this job's greenlet until
    it awaits something, ends, or the loop is to have a turn. The two sides hand each other a value when they
    switch: the work hands out what the task shall wait for (``None``: just a turn of the loop), the task hands
    back an exception to raise, or ``None``.
    """

    def __init__(self, relay, work, request, parent, context):
        self.relay = relay
        self.coroutine = work(request, self)
        self.parent = parent
        self.greenlet = greenlet.greenlet(self._work)
        self.greenlet.gr_context = context
        self.resume = self.greenlet  # the user's code may be inside a greenlet of its own
        self.loop_side = None
        self.task = None
        self.outcome = None
        self.is_parked = False
        self.is_interrupted = False
        self.cancelled = None
        self.sigint = relay.on_sigint

    def _work(self, error):
        try:
            while True:
                awaited = self.coroutine.throw(error) if error else self.coroutine.send(None)
                error = self.loop_side.switch(awaited)
        except StopIteration as stop:
            self.outcome = (stop.value, None)
        except BaseException as failure:  # noqa: BLE001 - raised again where the job is awaited
            self.outcome = (None, failure)

    def __await__(self):
        self.task = asyncio.current_task()
        error = None
        while True:
            awaited = self._step(error)
            if self.outcome:
                value, failure = self.outcome
                if failure:
                    raise failure
                return value
            error, self.cancelled = self.cancelled, None
            if awaited is None:
                # Left in the middle of something: an exception must wait until the code awaits.
                for pause in (self.relay.hold(), *[None] * TURNS):
                    try:
                        yield pause
                    except asyncio.CancelledError as cancelled:
                        self.cancelled = cancelled
                continue
            if error:
                continue
            self.is_parked = True
            try:
                if self.is_interrupted:
                    self.task.cancel()
                yield awaited
            except asyncio.CancelledError as cancelled:
                error = self._reason(cancelled)
            except BaseException as failure:  # noqa: BLE001 - the code's own to handle
                error = failure
            finally:
                self.is_parked = False

    def _reason(self, cancelled):
        if not self.is_interrupted:
            return cancelled
        self.is_interrupted = False
        if hasattr(self.task, "uncancel"):
            self.task.uncancel()
        return KeyboardInterrupt()

    def _step(self, error):
        """Run the work for one slice and return what it handed out."""
        relay = self.relay
        self.loop_side = self.greenlet.parent = greenlet.getcurrent()
        relay.adopt(self)
        before = signal.signal(signal.SIGINT, self.sigint)
        outer, relay.job = relay.job, self
        relay.watcher.begin()
        try:
            return self.resume.switch(error)
        finally:
            relay.watcher.end()
            relay.job = outer
            self.sigint = signal.signal(signal.SIGINT, before)

    def leave(self, frame):
        """Give the loop a turn, if this moment is safe. Called in the middle of the code, by a signal handler."""
        if greenlet.getcurrent() is self.loop_side or not is_safe_to_leave(frame):
            return
        self._hand_out(None)
        if self.is_interrupted:
            self.is_interrupted = False
            handler = signal.getsignal(signal.SIGINT)  # of the user's, perhaps
            is_ours = handler == self.relay.on_sigint
            (signal.default_int_handler if is_ours else handler)(signal.SIGINT, frame)

    def wait(self, future):
        """Wait for a future from code that is no coroutine, as ``await`` would; return its result."""
        if not future.done():
            future._asyncio_future_blocking = True  # noqa: SLF001 - how a future tells a task to wait for it
            error = self._hand_out(future)
            if error:
                raise error from None
        return future.result()

    def _hand_out(self, awaited):
        self.resume = greenlet.getcurrent()
        try:
            return self.loop_side.switch(awaited)
        finally:
            self.resume = self.greenlet

    def interrupt(self):
        """Raise ``KeyboardInterrupt`` in the work: where it waits at once, else in its next slice."""
        self.is_interrupted = True
        if self.is_parked:
            self.task.cancel()


class Watcher(threading.Thread):
    """Tells the code on the main thread when the loop wants a turn; the only thread of the relay.

    Sleeps while no code runs. While some does, waits until the loop's selector reports something to do.
    """

    def __init__(self, relay):
        super().__init__(name=THREAD_NAME, daemon=True)
        self.relay = relay
        self.running = threading.Event()
        self.selector = selectors.DefaultSelector()
        self.selector.register(relay.loop._selector, selectors.EVENT_READ)  # noqa: SLF001 - it has no public name
        self.begin, self.end = self.running.set, self.running.clear
        self.is_heard = False

    def run(self):
        """Wait and signal until the process ends."""
        while True:
            self.running.wait()
            is_needed = self.selector.select(SLICE_S) or time.monotonic() > self.relay.due
            self.is_heard = False
            if self.send_leave() or not is_needed:
                continue
            # The code is inside a system call, which goes on by itself after a signal, for the sake of C libraries
            # that know no other way. A call has to be served: this once it returns to Python first.
            signal.siginterrupt(LEAVE, True)
            self.send_leave()
            signal.siginterrupt(LEAVE, False)

    def send_leave(self):
        """Signal the main thread while it runs the user's code; tell whether it has heard a moment later."""
        if self.running.is_set():
            signal.pthread_kill(threading.main_thread().ident, LEAVE)
            time.sleep(RETRY_S)
        return self.is_heard or not self.running.is_set()


class Relay:
    """Answers the calls: carries out requests, keeps frames, runs jobs."""

    def __init__(self, shell):
        self.shell = shell
        self.kernel = shell.kernel
        self.loop = asyncio.get_event_loop()
        self.pid = os.getpid()
        self.outbox = Outbox()
        self.client = ""
        self.retired = set()  # clients that another one has replaced
        self.seen = 0  # the client's last request that was carried out
        self.ids = collections.deque(maxlen=10_000)  # of cells and comm messages, as parent headers name them
        self.job = None  # the one whose code is running at this moment
        self.adopted = None  # the one the kernel takes for the current request
        self.cell = None  # the job of the cell that runs
        self.last_cell = ""
        self.cells, self.comms = asyncio.Lock(), asyncio.Lock()  # each runs one at a time, in order
        self.jobs = []
        self.input = None
        self.foreign = ""  # id of a request that is none of ours, while it runs
        self.waiter, self.due = None, math.inf  # of the call that waits for frames
        self.held = None  # done when the call that a SIGINT announced is here
        self.context = contextvars.copy_context()

    def install(self):
        """Put the relay between the kernel's loop and IPython."""
        kernel, iopub, shell = self.kernel, self.kernel.iopub_thread, self.shell
        self.do_foreign, self.publish, self.exc_info = kernel.do_execute, iopub.send_multipart, shell._get_exc_info
        self.threads = set(threading.enumerate())
        self.own_tasks = asyncio.all_tasks(self.loop)
        signal.signal(LEAVE, self.on_leave)
        signal.signal(signal.SIGINT, self.on_sigint)
        signal.siginterrupt(LEAVE, False)
        kernel.do_execute, kernel._input_request = self.do_execute, self.ask
        # These hooks make every message of the kernel's one that SIGINT can kill; ours is there already.
        kernel.pre_handler_hook = kernel.post_handler_hook = lambda: None
        iopub.send_multipart = self.catch
        shell._get_exc_info = self.clean_exc_info
        for stream in (sys.stdout, sys.stderr):
            stream.flush_interval = FLUSH_S
        self.forget_own_input()
        self.watcher = Watcher(self)
        self.watcher.start()
        self.threads.add(self.watcher)

    def forget_own_input(self):
        """Take what ran before the user's first cell out of the history; that one is number 1."""
        history = self.shell.history_manager
        self.shell.execution_count = 0  # old IPython is about to count the call that brought us, new has done so
        for number in range(len(history.input_hist_raw)):
            self.shell.user_ns.pop("_i%d" % number, None)
        for lines in (history.input_hist_raw, history.input_hist_parsed):
            lines[1:] = []
        history.db_input_cache.clear()
        history._i00 = history._i = history._ii = history._iii = ""
        self.shell.user_ns.update(_i="", _ii="", _iii="")

    # Calls

    async def do_execute(self, code, *args, **kwargs):
        """Stand in for the kernel's ``do_execute``: answer our own calls, pass on all others."""
        start = code.find(MARK + "(")
        parent, ident = self.kernel.get_parent("shell"), self.kernel._parent_ident["shell"]
        if start < 0:
            return await self.run_foreign(parent, code, *args, **kwargs)
        call = json.loads(code[start + len(MARK) + 1 : code.rindex(")")])
        try:
            self.answer(await self.handle(call), parent, call["via"])
        finally:
            self.adopted = None
            self.kernel.set_parent(ident, parent)  # the kernel's closing "idle" belongs to this call
        return {"status": "ok", "execution_count": self.shell.execution_count, "user_expressions": {}, "payload": []}

    async def run_foreign(self, parent, *args, **kwargs):
        """Run code that somebody else sent to this kernel, as if the relay were not here."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.foreign, outer = parent["header"]["msg_id"], self.foreign
        try:
            return await self.do_foreign(*args, **kwargs)
        finally:
            self.foreign = outer
            signal.signal(signal.SIGINT, before)

    async def handle(self, call):
        """Carry out a call's new requests, wait for frames, and return the answer as JSON."""
        if call["client"] in self.retired:
            return dumps({"retired": True})
        if call["client"] != self.client:
            self.retired.add(self.client)
            self.client, self.seen = call["client"], 0
        self.outbox.acknowledge(call["ack"])
        for request in call["requests"]:
            if request["id"] > self.seen:
                self.seen = request["id"]
                self.start(request)
        self.release()
        await self.wait(call["wait"])
        state = {
            "seen": self.seen,
            "last": self.outbox.last,
            "cell": self.cell.parent["header"]["msg_id"] if self.cell else "",
            "background": self.has_background_work(),
        }
        frames = b", ".join(self.outbox.take(call["max"]))
        return dumps(state)[:-1] + b', "frames": [' + frames + b"]}"

    async def wait(self, wait_s):
        """Wait until there are frames. A SIGINT ends the wait: so the near half asks for its call back."""
        if self.outbox.frames or not wait_s:
            return
        self.waiter = self.loop.create_future()
        self.due = time.monotonic() + wait_s
        timer = self.loop.call_later(wait_s, self.wake)
        await self.waiter
        timer.cancel()
        self.waiter, self.due = None, math.inf

    def wake(self):
        """End the wait of the call that is here, if one is."""
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)

    def answer(self, text, parent, via):
        """Send a call's answer, past our own capture; as text of a marked line where MIME types are filtered."""
        if via == "stream":
            msg_type, content = "stream", dumps({"name": "stdout", "text": MARK + text.decode("utf-8", "replace") + "\n"})
        else:
            msg_type, content = "display_data", b'{"data": {"%s": %s}, "metadata": {}, "transient": {}}' % (
                MIME.encode("ascii"),
                text,
            )
        session = self.kernel.session
        message = session.msg(msg_type, parent=parent)
        message["content"] = content
        self.publish(session.serialize(message, ident=self.kernel._topic(msg_type)), copy=False)

    # Requests

    def start(self, request):
        """Carry out one request."""
        try:
            getattr(self, "on_" + request["op"])(request)
        except Exception as error:  # noqa: BLE001 - the near half is told, whatever it was
            self.reply(request, {"status": "error", "ename": type(error).__name__, "evalue": str(error)})

    def reply(self, request, content):
        """Answer a request with a frame."""
        content = dumps(json_clean(dict(content, request=request["id"])))
        self.add("reply", request.get("msg_id", ""), content, is_urgent=True)

    def on_hello(self, request):
        """Tell what this kernel is."""
        self.reply(request, describe())

    def on_run(self, request):
        """Run a cell; replies with the content of an ``execute_reply``."""
        self.spawn(self.run_job(self.cells, self.run_cell, request, "execute_request"))

    def on_comm(self, request):
        """Take a comm message from the front end."""
        self.spawn(self.run_job(self.comms, self.run_comm, request, request["type"]))

    def on_input(self, request):
        """Hand a line to the code that waits for it."""
        if self.input and not self.input.done():
            self.input.set_result(request["value"])

    def on_interrupt(self, request):
        """Raise ``KeyboardInterrupt`` in the code that runs."""
        for job in self.jobs:
            job.interrupt()
        self.reply(request, {})

    def on_complete(self, request):
        """Reply with the content of a ``complete_reply``."""
        self.reply(request, self.kernel.do_complete(request["code"], request["cursor_pos"]))

    def on_inspect(self, request):
        """Reply with the content of an ``inspect_reply``."""
        code, cursor_pos = request["code"], request["cursor_pos"]
        self.reply(request, self.kernel.do_inspect(code, cursor_pos, request["detail_level"]))

    def on_comm_info(self, request):
        """Reply with the content of a ``comm_info_reply``."""
        comms = self.kernel.comm_manager.comms.items()
        wanted = {k: {"target_name": c.target_name} for k, c in comms if request["target_name"] in {"", c.target_name}}
        self.reply(request, {"status": "ok", "comms": wanted})

    def on_restart(self, request):
        """Replace this process by a fresh kernel on the same sockets, once the answer is out."""
        self.reply(request, {"status": "ok"})
        self.loop.call_later(0.05, os.execv, sys.executable, sys.orig_argv)

    # Jobs

    def spawn(self, coroutine):
        """Run a coroutine as a task that nobody awaits."""
        task = self.loop.create_task(coroutine)
        self.own_tasks.add(task)
        task.add_done_callback(self.own_tasks.discard)

    async def run_job(self, queue, work, request, msg_type):
        """Run a job when its turn comes, under a parent header of its own, and reply with what it returns."""
        parent = self.make_parent(request, msg_type)
        context = self.context if queue is self.cells else self.context.run(contextvars.copy_context)
        async with queue:
            self.jobs.append(job := Job(self, work, request, parent, context))
            if queue is self.cells:
                self.cell, self.last_cell = job, request["msg_id"]
            try:
                content = await job
            except BaseException as error:  # noqa: BLE001 - whatever IPython let through ends the cell, not the kernel
                content = self.failure(error)
            finally:
                self.jobs.remove(job)
                if self.cell is job:
                    self.cell = None
                sys.stdout.flush()
                sys.stderr.flush()
            self.reply(request, content)

    def make_parent(self, request, msg_type):
        """Return the request as ipykernel would have received it from the front end."""
        header = self.kernel.session.msg_header(msg_type)
        header["msg_id"] = request["msg_id"]
        self.ids.append(request["msg_id"])
        content = request.get("content") or {"code": request["code"]}
        return {
            "header": header, "msg_id": header["msg_id"], "msg_type": msg_type, "parent_header": {},
            "metadata": request["metadata"], "content": content, "buffers": request.get("buffers", []),
        }  # fmt: skip

    def adopt(self, job):
        """Make a job's request the kernel's current one: where outputs of new threads belong."""
        if self.adopted is not job:
            self.adopted = job
            self.kernel.set_parent([], job.parent)

    async def run_cell(self, request, job):
        """Run a cell as ipykernel does and return the content of its ``execute_reply``."""
        kernel, shell, code, silent = self.kernel, self.shell, request["code"], request["silent"]
        kernel.set_parent([], job.parent)  # once more, in this greenlet's context
        history = shell.history_manager
        shell.execution_count = request["execution_count"] or max(shell.execution_count, 1)
        for lines in (history.input_hist_raw, history.input_hist_parsed):
            lines.extend([""] * (shell.execution_count - len(lines)))  # numbers that ran elsewhere
        kernel._forward_input(request["allow_stdin"])
        shell._last_traceback, shell._last_traceback_during_displayhook = None, False
        try:
            problem = None
            try:
                transformed = shell.transform_cell(code)
            except Exception:  # noqa: BLE001 - IPython shows it as the cell's own error
                transformed, problem = code, sys.exc_info()
            result = None
            try:
                result = await shell.run_cell_async(
                    code, store_history=request["store_history"], silent=silent,
                    transformed_cell=transformed, preprocessing_exc_tuple=problem, **self.about(request),
                )  # fmt: skip
            finally:
                shell.events.trigger("post_execute")
                if not silent:
                    shell.events.trigger("post_run_cell", result)
        finally:
            kernel._restore_input()
        error = result.error_before_exec or result.error_in_exec
        is_ok = result.success and not shell._last_traceback_during_displayhook
        content = {"status": "ok"} if is_ok else self.failure(error)
        content["execution_count"] = shell.execution_count - 1
        content["user_expressions"] = shell.user_expressions(request["user_expressions"]) if is_ok else {}
        content["payload"] = shell.payload_manager.read_payload()
        shell.payload_manager.clear_payload()
        return content

    def about(self, request):
        """Return what this IPython wants to know of a cell beside its code."""
        about = {"cell_id": request["metadata"].get("cellId"), "cell_meta": request["metadata"]}
        wanted = inspect.signature(self.shell.run_cell_async).parameters
        return {name: value for name, value in about.items() if name in wanted}

    def failure(self, error):
        """Return the part of a reply that tells of an error."""
        traceback = self.shell._last_traceback or []
        return {"status": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": traceback}

    async def run_comm(self, request, job):
        """Hand a comm message to the comm it is for."""
        self.kernel.set_parent([], job.parent)
        buffers = [base64.b64decode(data) for data in request["buffers"]]
        message = dict(job.parent, buffers=buffers)
        getattr(self.kernel.comm_manager, request["type"])(None, [], message)
        return {}

    def ask(self, prompt, ident, parent, password=False):
        """Stand in for the kernel's ``_input_request``: ask through a frame, wait without holding the loop up."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.input = concurrent.futures.Future()
        self.add("input_request", self.last_cell, dumps({"prompt": prompt, "password": password}), is_urgent=True)
        on_main = threading.current_thread() is threading.main_thread()
        try:
            value = self.job.wait(asyncio.wrap_future(self.input, loop=self.loop)) if on_main else self.input.result()
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise KeyboardInterrupt("Interrupted by user") from None
        if value == "\x04":
            raise EOFError
        return value

    # Outputs

    def add(self, msg_type, parent, content, metadata=b"{}", buffers=(), is_urgent=False):
        """Keep a frame for the near half, and let the call that waits take it home."""
        self.outbox.add(lambda n: encode_frame(n, parent, msg_type, content, metadata, buffers), is_urgent)
        if self.waiter:
            self.loop.call_soon_threadsafe(self.wake)

    def catch(self, message, *args, **kwargs):
        """Stand in for the IOPub thread's ``send_multipart``: keep the outputs of our cells as frames."""
        if os.getpid() != self.pid:
            return self.publish(message, *args, **kwargs)  # a forked child: its output comes by again, here
        at = message.index(DELIM)
        header, parent, metadata, content = message[at + 2 : at + 6]
        msg_type = json.loads(header)["msg_type"]
        name = json.loads(parent).get("msg_id", "")
        if msg_type not in OUTPUTS or (name == self.foreign and name):
            return self.publish(message, *args, **kwargs)
        name = name if name in self.ids else self.last_cell
        return self.add(msg_type, name, bytes(content), bytes(metadata), message[at + 6 :])

    def clean_exc_info(self, exc_tuple=None):
        """Stand in for the shell's ``_get_exc_info``: leave out the frames of this module."""
        etype, value, tb = self.exc_info(exc_tuple)
        before, here = None, tb
        while here:
            if here.tb_frame.f_globals is not globals():
                before = here
            elif before:
                before.tb_next = here.tb_next
            here = here.tb_next
        return etype, value, tb

    def has_background_work(self):
        """Tell whether something may still produce output when no cell runs."""
        threads = any(t not in self.threads for t in threading.enumerate())
        current = asyncio.current_task()
        tasks = asyncio.all_tasks(self.loop) - self.own_tasks - {current}
        return threads or any(t._fut_waiter is not current for t in tasks)  # ipykernel's waits for this call

    # Signals

    def on_leave(self, signum, frame):
        """Give the loop a turn in the middle of the user's code."""
        self.watcher.is_heard = True
        if self.job:
            self.job.leave(frame)

    def on_sigint(self, signum, frame):
        """Take a SIGINT as a wake-up: only the near half's own request interrupts a cell, no server's time limit.

        The code is held until that request had its chance to come. SIGINT reaches the code's child processes too,
        and their end must not look to the code like one that nobody caused.
        """
        if self.waiter and not self.held:
            self.held = self.loop.create_future()
            self.loop.call_soon_threadsafe(self.loop.call_later, HOLD_S, self.release)
        self.loop.call_soon_threadsafe(self.wake)
        self.on_leave(signum, frame)

    def hold(self):
        """Return what a job that was left waits for before it goes on; ``None``: nothing."""
        if self.held:
            self.held._asyncio_future_blocking = True  # noqa: SLF001 - how a future tells a task to wait for it
        return self.held

    def release(self):
        """Let the code go on."""
        if self.held:
            self.held, held = None, self.held
            held.set_result(None)


BOOT = os.urandom(8).hex()


def describe():
    """Return what there is to know about this kernel; ``boot`` is another one after a restart."""
    return {
        "status": "ok", "protocol": VERSION, "python": platform.python_version(),
        "ipykernel": ipykernel.__version__, "ipython": IPython.__version__, "greenlet": greenlet.__version__,
        "boot": BOOT,
    }  # fmt: skip


def install():
    """Install the relay in the kernel this code runs in; called once, by the text that brings this module."""
    Relay(IPython.get_ipython()).install()

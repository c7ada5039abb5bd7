"""The relay itself: answers calls, carries out requests, catches outputs and signals."""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import contextvars
import inspect
import json
import math
import os
import platform
import signal
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import greenlet
import ipykernel
import IPython
from ipykernel.jsonutil import json_clean
from jupyter_client.session import DELIM

from .frames import MARK, Outbox, dumps, encode_answer, encode_frame
from .jobs import LEAVE, PACKAGE, SLICE_S, Job, Watcher, leave_out_ours
from .pipes import Pipes
from .process import Process

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from .jobs import JSON, Work

BOOT = os.urandom(8).hex()
"""Another one after each restart of the process."""

HOLD_S = 1.0
"""How long a SIGINT may hold the code up, in seconds, if no call follows."""

FLUSH_S = 0.01
"""How long ipykernel may hold back printed text, in seconds."""

OUTPUTS = {"stream", "display_data", "update_display_data", "execute_result", "error"}
OUTPUTS |= {"clear_output", "comm_open", "comm_msg", "comm_close"}


class Relay:
    """Answers the calls: carries out requests, keeps frames, runs jobs."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.kernel = shell.kernel
        self.loop = asyncio.get_event_loop()
        self.process = Process(shell.starting_dir)
        self.outbox = Outbox()
        self.client = ""
        self.retired: set[str] = set()  # clients that another one has replaced
        self.seen = 0  # the client's last request that was carried out
        # Of cells and comm messages, as parent headers name them, the latest first.
        self.ids: deque[str] = deque(maxlen=10_000)
        self.job: Job | None = None  # the one whose code is running at this moment
        self.adopted: JSON = {}  # the request that the kernel takes for the current one
        self.latest: JSON = {}  # that of the last cell
        self.cell: Job | None = None  # the job of the cell that runs
        self.last_cell = ""
        self.cells, self.comms = asyncio.Lock(), asyncio.Lock()  # each runs one at a time, in order
        self.jobs: list[Job] = []
        self.installed: list[tuple[Any, str]] = []
        self.input: concurrent.futures.Future[str] | None = None
        self.foreign = ""  # id of a request that is none of ours, while it runs
        self.waiter: asyncio.Future[None] | None = None  # of the call that waits for frames
        self.due = math.inf  # when that call has waited long enough
        self.has_children = False  # as the last answer has told
        # Done when the call that a SIGINT announced is here.
        self.held: asyncio.Future[None] | None = None
        self.expected_until = 0.0  # a SIGINT until then follows a request, and holds nothing up
        self.context = contextvars.copy_context()

    def install(self) -> None:
        """Put the relay between the kernel's loop and IPython."""
        kernel, iopub, shell = self.kernel, self.kernel.iopub_thread, self.shell
        self.do_foreign, self.publish = kernel.do_execute, iopub.send_multipart
        self.exc_info, self.announce = shell._get_exc_info, shell.events.trigger
        # Pre- and post-handler hook would let SIGINT break into the handling of any message.
        self.put(kernel, do_execute=self.do_execute, _input_request=self.ask)
        self.put(kernel, pre_handler_hook=bool, post_handler_hook=bool)
        self.put(iopub, send_multipart=self.catch)
        self.put(shell, _get_exc_info=self.clean_exc_info)
        self.put(shell.events, trigger=self.trigger)
        self.put(sys.stdout, flush_interval=FLUSH_S)
        self.put(sys.stderr, flush_interval=FLUSH_S)
        self.threads = set(threading.enumerate())
        self.own_tasks = asyncio.all_tasks(self.loop)
        self.pipes = Pipes(self.kernel._stdout, self.kernel._stderr)
        signal.signal(LEAVE, self.on_leave)
        signal.signal(signal.SIGINT, self.on_sigint)
        signal.siginterrupt(LEAVE, False)
        self.forget_own_input()
        self.watcher = Watcher(self)
        self.watcher.start()
        self.threads.add(self.watcher)

    def put(self, owner: Any, **attributes: Any) -> None:
        """Put attributes of ours over those of an object's class, until :meth:`uninstall`."""
        for name, value in attributes.items():
            setattr(owner, name, value)
            self.installed.append((owner, name))

    def uninstall(self) -> None:
        """Leave the kernel as it was before :meth:`install`."""
        for owner, name in self.installed:
            delattr(owner, name)
        self.pipes.close()
        self.watcher.stop()  # first: where nobody takes it, its signal ends the process
        signal.signal(LEAVE, signal.SIG_DFL)
        signal.signal(signal.SIGINT, getattr(self.kernel, "saved_sigint_handler", signal.SIG_IGN))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]

    def forget_own_input(self) -> None:
        """Take what ran before the user's first cell out of the history; that one is number 1."""
        history = self.shell.history_manager
        self.shell.execution_count = 0  # old IPython is about to count the call that brought us
        for number in range(len(history.input_hist_raw)):
            self.shell.user_ns.pop(f"_i{number}", None)
        for lines in (history.input_hist_raw, history.input_hist_parsed):
            lines[1:] = []
        history.db_input_cache.clear()
        history._i00 = history._i = history._ii = history._iii = ""
        self.shell.user_ns.update(_i="", _ii="", _iii="")

    # Calls

    async def do_execute(self, code: str, *args: Any, **kwargs: Any) -> JSON:
        """Stand in for the kernel's ``do_execute``: answer our own calls, pass on all others."""
        start, self.adopted = code.find(MARK + "("), {}
        parent, ident = self.kernel.get_parent("shell"), self.kernel._parent_ident["shell"]
        if start < 0:
            return await self.run_foreign(parent, code, *args, **kwargs)
        call = json.loads(code[start + len(MARK) + 1 : code.rindex(")")])
        self.adopt(self.latest)  # threads of the user's look there while this call waits
        try:
            self.answer(await self.handle(call), parent, call["via"])
        finally:
            # The kernel's closing "idle" belongs to this call, and nothing after it.
            self.adopted = {}
            self.kernel.set_parent(ident, parent)
            self.loop.call_soon(lambda: self.adopt(self.adopted or self.latest))
        count = self.shell.execution_count
        return {"status": "ok", "execution_count": count, "user_expressions": {}, "payload": []}

    async def run_foreign(self, parent: JSON, *args: Any, **kwargs: Any) -> JSON:
        """Run code that somebody else sent to this kernel, as if the relay were not here."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.foreign, outer = parent["header"]["msg_id"], self.foreign
        try:
            content: JSON = await self.do_foreign(*args, **kwargs)
            return content
        finally:
            self.foreign = outer
            signal.signal(signal.SIGINT, before)

    async def handle(self, call: JSON) -> bytes:
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
        if call["requests"]:
            self.release()
        await self.wait(call["wait"])
        self.has_children = self.process.has_children()
        state = {
            "seen": self.seen,
            "last": self.outbox.last,
            "cell": self.cell.parent["header"]["msg_id"] if self.cell else "",
            "background": self.has_background_work(),
            "children": self.has_children,
        }
        frames = b", ".join(self.outbox.take(call["max"]))
        return dumps(state)[:-1] + b', "frames": [' + frames + b"]}"

    async def wait(self, wait_s: float) -> None:
        """Wait until there are frames, or for a SIGINT: so the near half asks for its call back."""
        self.waiter = waiter = self.loop.create_future()  # first: threads may add frames any moment
        if not self.outbox.frames and not self.held and wait_s:
            self.due = time.monotonic() + wait_s
            timer = self.loop.call_later(wait_s, self.wake)
            while not waiter.done() and not self.has_new_children():
                await asyncio.wait([waiter], timeout=SLICE_S)
            timer.cancel()
        self.waiter, self.due = None, math.inf

    def wake(self) -> None:
        """End the wait of the call that is here, if one is."""
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)

    def has_new_children(self) -> bool:
        """Tell whether a call waits that a SIGINT must not bring home: it would hit a child too."""
        return bool(self.waiter) and not self.has_children and self.process.has_children()

    def answer(self, text: bytes, parent: JSON, via: str) -> None:
        """Send a call's answer, past our own capture; where MIME types are filtered, as a line."""
        (msg_type, content), session = encode_answer(text, via), self.kernel.session
        message = dict(session.msg(msg_type, parent=parent), content=content)
        self.publish(session.serialize(message, ident=self.kernel._topic(msg_type)), copy=False)

    # Requests

    def start(self, request: JSON) -> None:
        """Carry out one request."""
        try:
            getattr(self, "on_" + request["op"])(request)
        except Exception as error:  # the near half is told, whatever it was
            said = {"ename": type(error).__name__, "evalue": str(error), "traceback": []}
            self.reply(request, {"status": "error", **said})

    def reply(self, request: JSON, content: JSON) -> None:
        """Answer a request with a frame."""
        clean = json_clean(dict(content, request=request["id"]))  # type: ignore[no-untyped-call]
        self.add("reply", request.get("msg_id", ""), dumps(clean), is_urgent=True)

    def on_hello(self, request: JSON) -> None:
        """Reply with what this kernel is."""
        versions = {"ipykernel": ipykernel, "ipython": IPython, "greenlet": greenlet}
        known = {name: module.__version__ for name, module in versions.items()}
        self.reply(request, {"boot": BOOT, "python": platform.python_version(), **known})

    def on_run(self, request: JSON) -> None:
        """Run a cell; replies with the content of an ``execute_reply``."""
        self.spawn(self.cells, self.run_cell, request, "execute_request")

    def on_comm(self, request: JSON) -> None:
        """Take a comm message from the front end."""
        self.spawn(self.comms, self.run_comm, request, request["type"])

    def on_input(self, request: JSON) -> None:
        """Hand a line to the code that waits for it."""
        if self.input and not self.input.done():
            self.input.set_result(request["value"])

    def on_interrupt(self, request: JSON) -> None:
        """Raise ``KeyboardInterrupt`` in the code that runs."""
        for job in self.jobs:
            job.interrupt()
        self.expected_until = 0.0 if self.held else time.monotonic() + HOLD_S
        self.reply(request, {})

    def on_complete(self, request: JSON) -> None:
        """Reply with the content of a ``complete_reply``."""
        self.reply(request, self.kernel.do_complete(request["code"], request["cursor_pos"]))

    def on_inspect(self, request: JSON) -> None:
        """Reply with the content of an ``inspect_reply``."""
        code, cursor_pos = request["code"], request["cursor_pos"]
        self.reply(request, self.kernel.do_inspect(code, cursor_pos, request["detail_level"]))

    def on_comm_info(self, request: JSON) -> None:
        """Reply with the content of a ``comm_info_reply``."""
        comms = self.kernel.comm_manager.comms.items()
        targets = {comm_id: {"target_name": comm.target_name} for comm_id, comm in comms}
        if name := request["target_name"]:
            targets = {key: value for key, value in targets.items() if value["target_name"] == name}
        self.reply(request, {"status": "ok", "comms": targets})

    def on_detach(self, request: JSON) -> None:
        """Leave this kernel, unless something still runs, once the answer is out."""
        self.reply(request, {"status": "ok"})
        if not self.jobs:
            self.loop.call_soon(self.uninstall)

    def on_restart(self, request: JSON) -> None:
        """Replace this process by a fresh kernel on the same sockets, once the answer is out."""
        self.reply(request, {"status": "ok"})
        self.loop.call_later(0.05, self.process.replace)

    # Jobs

    def spawn(self, queue: asyncio.Lock, work: Work, request: JSON, msg_type: str) -> None:
        """Begin a job, under a parent header of its own."""
        parent, context = self.make_parent(request, msg_type), self.context
        if queue is not self.cells:
            context = context.run(contextvars.copy_context)
        self.jobs.append(job := Job(self, work, request, parent, context))
        task = self.loop.create_task(self.run_job(queue, job, request))
        self.own_tasks.add(task)
        task.add_done_callback(self.own_tasks.discard)

    async def run_job(self, queue: asyncio.Lock, job: Job, request: JSON) -> None:
        """Run a job in its turn; reply with what it returns."""
        async with queue:
            if queue is self.cells:
                self.cell, self.last_cell = job, request["msg_id"]
            try:
                content = await job
            except BaseException as error:  # what IPython let through ends the cell, not the kernel
                content = self.failure(error)
            finally:
                self.jobs.remove(job)
                await self.pipes.drain()
                if self.cell is job:
                    self.cell = None
                sys.stdout.flush()
                sys.stderr.flush()
            self.reply(request, content)

    def make_parent(self, request: JSON, msg_type: str) -> JSON:
        """Return the request as ipykernel would have received it from the front end."""
        header = dict(self.kernel.session.msg_header(msg_type), msg_id=request["msg_id"])
        self.ids.appendleft(request["msg_id"])
        content = request.get("content") or {"code": request["code"]}
        buffers = [base64.b64decode(data) for data in request.get("buffers", [])]
        message = {"header": header, "msg_id": header["msg_id"], "msg_type": msg_type}
        message.update(parent_header={}, metadata=request["metadata"])
        return dict(message, content=content, buffers=buffers)

    def adopt(self, parent: JSON) -> None:
        """Make a job's request the kernel's current one: where what new threads show belongs."""
        if self.adopted is not parent:
            self.adopted = parent
            self.kernel.set_parent([], parent)

    async def run_cell(self, request: JSON, job: Job) -> JSON:
        """Run a cell as ipykernel does and return the content of its ``execute_reply``."""
        kernel, shell, self.latest = self.kernel, self.shell, job.parent
        kernel.set_parent([], job.parent)  # once more, in this greenlet's context
        history = shell.history_manager
        shell.execution_count = request["execution_count"] or max(shell.execution_count, 1)
        for lines in (history.input_hist_raw, history.input_hist_parsed):
            lines.extend([""] * (shell.execution_count - len(lines)))  # numbers that ran elsewhere
        kernel._forward_input(request["allow_stdin"])
        shell._last_traceback, shell._last_traceback_during_displayhook = None, False
        try:
            result = await self.run_code(request["code"], request, job)
        finally:
            kernel._restore_input()
        is_ok = result.success and not shell._last_traceback_during_displayhook
        error = result.error_before_exec or result.error_in_exec
        content = {"status": "ok"} if is_ok else self.failure(error)
        asked = request["user_expressions"] if is_ok else {}
        content["execution_count"] = shell.execution_count - 1
        content["user_expressions"] = shell.user_expressions(asked)
        content["payload"] = shell.payload_manager.read_payload()
        shell.payload_manager.clear_payload()
        return content

    async def run_code(self, code: str, request: JSON, job: Job) -> Any:
        """Run code in IPython, with what belongs before and after, and return its result."""
        shell, result = self.shell, None
        problem: Any = None
        silent, metadata = request["silent"], request["metadata"]
        try:
            transformed = shell.transform_cell(code)
        except Exception:  # IPython shows it as the cell's own error
            transformed, problem = code, sys.exc_info()
        if job.is_interrupted:  # before it began
            job.is_interrupted, problem = False, (KeyboardInterrupt, KeyboardInterrupt(), None)
        options = {"cell_id": metadata.get("cellId"), "cell_meta": metadata}
        known = inspect.signature(shell.run_cell_async).parameters
        options = {name: value for name, value in options.items() if name in known}
        options.update(transformed_cell=transformed, preprocessing_exc_tuple=problem)
        try:
            result = await shell.run_cell_async(code, request["store_history"], silent, **options)
        finally:
            shell.events.trigger("post_execute")
            if not silent:
                shell.events.trigger("post_run_cell", result)
        return result

    def failure(self, error: BaseException | None) -> JSON:
        """Return the part of a reply that tells of an error."""
        said = {"ename": type(error).__name__, "evalue": str(error)}
        return {"status": "error", **said, "traceback": self.shell._last_traceback or []}

    async def run_comm(self, request: JSON, job: Job) -> JSON:
        """Hand a comm message to the comm it is for."""
        self.kernel.set_parent([], job.parent)
        getattr(self.kernel.comm_manager, request["type"])(None, [], job.parent)
        return {}

    def trigger(self, event: str, *args: Any, **kwargs: Any) -> None:
        """Stand in for ``events.trigger``: no comm message shows figures of the cell that runs."""
        if self.job is self.cell or not self.cell or event not in {"pre_execute", "post_execute"}:
            self.announce(event, *args, **kwargs)

    def ask(self, prompt: str, ident: Any, parent: Any, password: bool = False) -> str:
        """Stand in for the kernel's ``_input_request``: ask by a frame, and leave the loop free."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.input = concurrent.futures.Future()
        content = dumps({"prompt": prompt, "password": password})
        self.add("input_request", self.last_cell, content, is_urgent=True)
        try:
            value: str
            if self.job and threading.current_thread() is threading.main_thread():
                value = self.job.wait(asyncio.wrap_future(self.input, loop=self.loop))
            else:
                value = self.input.result()
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise KeyboardInterrupt("Interrupted by user") from None
        if value == "\x04":
            raise EOFError
        return value

    # Outputs

    def add(
        self,
        msg_type: str,
        parent: str,
        content: bytes,
        metadata: bytes = b"{}",
        buffers: Sequence[Any] = (),
        is_urgent: bool = False,
    ) -> None:
        """Keep a frame for the near half, and let the call that waits take it home."""
        message = (parent, msg_type, content, metadata, buffers)
        self.outbox.add(lambda number: encode_frame(number, *message), is_urgent)
        if self.waiter:
            self.loop.call_soon_threadsafe(self.wake)

    def catch(self, message: list[Any], *args: Any, **kwargs: Any) -> None:
        """Stand in for the IOPub thread's ``send_multipart``: keep our cells' outputs as frames."""
        if self.process.is_forked():
            self.publish(message, *args, **kwargs)  # it comes by here again, in the parent
            return
        header, parent, metadata, content, *buffers = message[message.index(DELIM) + 2 :]
        msg_type = json.loads(header)["msg_type"]
        name = json.loads(parent).get("msg_id", "")
        if msg_type not in OUTPUTS or (name == self.foreign and name):
            self.publish(message, *args, **kwargs)
            return
        name = name if name in self.ids else self.last_cell
        self.add(msg_type, name, bytes(content), bytes(metadata), buffers)

    def clean_exc_info(self, exc_tuple: Any = None) -> tuple[Any, Any, Any]:
        """Stand in for the shell's ``_get_exc_info``: leave out the frames of this package."""
        etype, value, tb = self.exc_info(exc_tuple)
        leave_out_ours(tb)
        return etype, value, tb

    def has_background_work(self) -> bool:
        """Tell whether something may still produce output when no cell runs."""
        threads = any(t not in self.threads for t in threading.enumerate())
        current = asyncio.current_task()
        tasks: set[Any] = asyncio.all_tasks(self.loop) - self.own_tasks - {current}
        # One task of ipykernel's own waits for this very call.
        return threads or any(task._fut_waiter is not current for task in tasks)

    # Signals

    def on_leave(self, signum: int, frame: FrameType | None) -> None:
        """Give the loop a turn in the middle of the user's code."""
        self.watcher.is_heard = True
        if self.job and frame:
            self.job.leave(frame)

    def on_sigint(self, signum: int, frame: FrameType | None) -> None:
        """Take a SIGINT as a wake-up: a cell is interrupted by request, not by a server's limit.

        The code is held until that request had its chance to come. SIGINT reaches the code's child
        processes too, and their end must not look to the code like one that nobody caused.
        """
        if self.process.is_forked():
            signal.default_int_handler(signum, frame)
        is_expected, self.expected_until = time.monotonic() < self.expected_until, 0.0
        if self.jobs and not self.held and not is_expected:
            held = self.held = self.loop.create_future()
            self.loop.call_soon_threadsafe(self.loop.call_later, HOLD_S, self.release, held)
        self.loop.call_soon_threadsafe(self.wake)
        self.on_leave(signum, frame)

    def hold(self) -> asyncio.Future[None] | None:
        """Return what a job that was left waits for before it goes on; ``None``: nothing."""
        if self.held:
            self.held._asyncio_future_blocking = True
        return self.held

    def release(self, by: asyncio.Future[None] | None = None) -> None:
        """Let the code go on; where ``by`` is given, only if that is still what holds it."""
        if self.held and by in {None, self.held}:
            self.held.set_result(None)
            self.held = None

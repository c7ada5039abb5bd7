"""A notebook as its reader sees it: cells go into a kernel, what they show comes out."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from jupyter_client.blocking.client import BlockingKernelClient

JSON = dict[str, Any]

DEADLINE_S = 45.0


@dataclass
class Result:
    """What a cell showed and how it ended."""

    reply: JSON = field(default_factory=dict)
    messages: list[tuple[str, JSON]] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    """When each message came, in seconds after the cell was sent."""

    @property
    def text(self) -> str:
        """All that was printed, standard output and error together."""
        return "".join(c["text"] for kind, c in self.messages if kind == "stream")

    @property
    def value(self) -> str:
        """The plain text of the last result or display."""
        shown = [c["data"].get("text/plain", "") for _, c in self.messages if "data" in c]
        return shown[-1] if shown else ""

    @property
    def kinds(self) -> list[str]:
        """The messages' types, in order."""
        return [kind for kind, _ in self.messages]

    def normal(self) -> tuple[list[Any], JSON]:
        """Return what must be the same in every kernel: without addresses, times and file names."""
        shown: list[Any] = []
        for kind, content in self.messages:
            if kind == "stream" and shown and shown[-1][:2] == (kind, content["name"]):
                shown[-1] = (kind, content["name"], shown[-1][2] + content["text"])
            elif kind == "stream":
                shown.append((kind, content["name"], content["text"]))
            else:
                shown.append((kind, content))
        reply = {k: v for k, v in self.reply.items() if k != "engine_info"}
        return _normal(shown), _normal(reply)


_VARYING = [
    (re.compile(r"(0x|at )[0-9a-fA-F]{6,}"), "0x…"),
    (re.compile(r"ipykernel_\d+/\d+\.py"), "ipykernel_…"),
    (re.compile(r"\d+(\.\d+)? ?(ns|[µμu]s|ms|s)\b"), "… s"),
    (re.compile(r"pid=\d+"), "pid=…"),
    (re.compile(r"CPU times: .*"), "CPU times: …"),
]


def _normal(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, text in _VARYING:
            value = pattern.sub(text, value)
        return value
    if isinstance(value, dict):
        return {k: _normal(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_normal(v) for v in value)
    return value


class Notebook:
    """A kernel in a process of its own, and its client."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client
        self._replies: dict[str, JSON] = {}

    def send(self, code: str, **options: Any) -> str:
        """Send a cell without waiting for it; return its message id."""
        return str(self.client.execute(code, **{"allow_stdin": True, **options}))

    def run(
        self,
        code: str,
        *,
        answers: Iterable[str] = (),
        on_message: Callable[[str, JSON], None] | None = None,
        deadline_s: float = DEADLINE_S,
        **options: Any,
    ) -> Result:
        """Run a cell to its end.

        Args:
            code: The cell.
            answers: What the person types, one line for each question.
            on_message: Sees each message as it comes: the place to interrupt from.
            deadline_s: Seconds after which the test fails.
            **options: Of an ``execute_request``.
        """
        msg_id = self.send(code, **options)
        return self.collect(msg_id, answers, on_message=on_message, deadline_s=deadline_s)

    def collect(
        self,
        msg_id: str,
        answers: Iterable[str] = (),
        *,
        on_message: Callable[[str, JSON], None] | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> Result:
        """Gather what a cell shows until its reply and its idle status are here."""
        result, begin, lines = Result(), time.monotonic(), iter(answers)
        is_idle = False
        while not (is_idle and result.reply):
            if time.monotonic() - begin > deadline_s:
                raise TimeoutError(f"no end after {deadline_s} s, but: {result}")
            with contextlib.suppress(queue.Empty):
                self.client.get_stdin_msg(timeout=0)
                self.client.input(next(lines))
            result.reply = result.reply or self._take_reply(msg_id, 0)
            with contextlib.suppress(queue.Empty):
                message = self.client.get_iopub_msg(timeout=0.01)
                if message["parent_header"].get("msg_id") != msg_id:
                    continue
                kind, content = message["msg_type"], message["content"]
                if kind == "status":
                    is_idle = content["execution_state"] == "idle"
                elif kind != "execute_input":
                    result.messages.append((kind, content))
                    result.times_s.append(time.monotonic() - begin)
                    if on_message:
                        on_message(kind, content)
        return result

    def later(self, wanted: Callable[[list[JSON]], object], deadline_s: float = 20.0) -> list[JSON]:
        """Gather iopub messages that come with no cell running, until they are the wanted ones."""
        found: list[JSON] = []
        deadline = time.monotonic() + deadline_s
        while not wanted(found):
            if time.monotonic() > deadline:
                raise TimeoutError(f"only these came: {found}")
            with contextlib.suppress(queue.Empty):
                found.append(self.client.get_iopub_msg(timeout=0.05))
        return found

    def ask(self, kind: str, content: JSON, deadline_s: float = 10.0) -> JSON:
        """Send any other request on the shell channel and return its reply's content."""
        message = self.client.session.msg(kind, content)
        self.client.shell_channel.send(message)
        deadline = time.monotonic() + deadline_s
        while time.monotonic() < deadline:
            if reply := self._take_reply(message["header"]["msg_id"], 0.05):
                return reply
        raise TimeoutError(f"no reply to {kind}")

    def _take_reply(self, msg_id: str, timeout_s: float) -> JSON:
        """Return the content of a reply, if it is here; replies to others are kept for them."""
        with contextlib.suppress(queue.Empty):
            reply = self.client.get_shell_msg(timeout=timeout_s)
            self._replies[reply["parent_header"].get("msg_id", "")] = reply["content"]
        return self._replies.pop(msg_id, {})

    def interrupt(self) -> None:
        """Press the interrupt button."""
        self.manager.interrupt_kernel()


def kernel_manager(argv: Sequence[str], **spec: Any) -> KernelManager:
    """Return a manager for a kernel with this ``argv`` in its kernelspec."""
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(
        argv=[*argv, "-f", "{connection_file}"], language="python", display_name="test", **spec
    )
    return manager


@contextlib.contextmanager
def open_notebook(
    argv: Sequence[str], environ: Mapping[str, str], **spec: Any
) -> Iterator[Notebook]:
    """Start a kernel by its kernelspec's ``argv``; stop it at the end of the block."""
    manager = kernel_manager(argv, **spec)
    manager.start_kernel(env={**os.environ, **environ})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Notebook(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
        manager.cleanup_resources()

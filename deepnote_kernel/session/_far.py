"""Code that a direct session runs on the far side for its own purposes.

Each question is one statement that leaves no name behind in the user's namespace and answers with
a display of marked JSON text: text passes servers that drop MIME types they do not know. Written
for the oldest Python, IPython and ipykernel a Deepnote machine may carry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deepnote_kernel.outputs import JSON

__all__ = ["complete", "evaluate", "identify", "inspect", "read_answer", "restart"]

_MARK = "deepnote-kernel-answer:"

_ASK = """
def ask():
    import json
    shell = get_ipython()
    try:
        answer = question(shell)
        if hasattr(answer, "send"):
            try:
                answer.send(None)
            except StopIteration as stop:
                answer = stop.value
        text = json.dumps(answer, default=str)
    except Exception:
        text = "{}"
    shell.display_pub.publish({"text/plain": mark + text}, {})
ask()
"""

_COMPLETE = """
def question(shell):
    return shell.kernel.do_complete(code, cursor_pos)
"""

_INSPECT = """
def question(shell):
    return shell.kernel.do_inspect(code, cursor_pos, detail_level)
"""

_EVALUATE = """
def question(shell):
    return shell.user_expressions(expressions)
"""

_IDENTIFY = """
def question(shell):
    return {"process": shell.kernel.session.session}
"""

# The process replaces itself once this answer is on its way. ipykernel takes up the same connection
# file, so the server finds it on the same ports, with an empty namespace.
_RESTART = """
def question(shell):
    import asyncio, os, sys
    from ipykernel.kernelapp import IPKernelApp
    arguments = [sys.executable, "-m", "ipykernel_launcher", *IPKernelApp.instance().argv]
    def start_afresh():
        try:
            os.chdir(shell.starting_dir)
        except OSError:
            pass
        os.execv(sys.executable, arguments)
    asyncio.get_event_loop().call_later(0.1, start_afresh)
    return {"process": shell.kernel.session.session}
"""


def complete(code: str, cursor_pos: int) -> str:
    """Return code that answers with the content of a ``complete_reply``."""
    return _statement(_COMPLETE, code=code, cursor_pos=cursor_pos)


def inspect(code: str, cursor_pos: int, detail_level: int) -> str:
    """Return code that answers with the content of an ``inspect_reply``."""
    return _statement(_INSPECT, code=code, cursor_pos=cursor_pos, detail_level=detail_level)


def evaluate(expressions: dict[str, str]) -> str:
    """Return code that answers with the ``user_expressions`` of an ``execute_reply``."""
    return _statement(_EVALUATE, expressions=expressions)


def identify() -> str:
    """Return code that answers with a word that differs after a restart."""
    return _statement(_IDENTIFY)


def restart() -> str:
    """Return code that answers as :func:`identify` does and then starts the kernel afresh."""
    return _statement(_RESTART)


def read_answer(outputs: Iterable[JSON]) -> tuple[JSON | None, list[JSON]]:
    """Part the answer from other outputs, such as those of a thread that printed meanwhile.

    Returns:
        The answer and the rest. The answer is empty where the question could not be answered, and
        ``None`` where the far side did not understand it.
    """
    answer: JSON | None = None
    rest: list[JSON] = []
    for output in outputs:
        data = output.get("data")
        text = data.get("text/plain") if isinstance(data, dict) else None
        if isinstance(text, list):
            text = "".join(text)
        if isinstance(text, str) and text.startswith(_MARK):
            answer = msgspec.json.decode(text.removeprefix(_MARK), type=dict[str, Any])
        else:
            rest.append(output)
    return answer, rest


def _statement(question: str, **values: Any) -> str:
    # A dict of its own holds every name; repr of plain data is Python source.
    names = {"mark": _MARK, **values}
    return f"exec({question + _ASK!r}, {{'get_ipython': get_ipython, **{names!r}}})"

"""Look at the values of a notebook: complete names, describe them, evaluate expressions.

Strata opens an inspector on a cell: a process beside the notebook with the variables that the cell
would see. The anchor's sees them all. It is a snapshot, so it is opened again after each cell.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from deepnote_kernel.errors import DeepnoteError, TransportError
from deepnote_kernel.outputs import no_matches, not_found

if TYPE_CHECKING:
    from deepnote_kernel.outputs import JSON
    from deepnote_kernel.strata.link import Link
    from deepnote_kernel.strata.socket import Frame, Socket

__all__ = ["Evaluated", "Inspector", "complete_in", "describe_in"]

_TOKEN: Final = re.compile(r"[^\W\d]?[\w.]*$")
_REST: Final = re.compile(r"\w*")
_ANSWER_S: Final = 15.0
_MAX_MATCHES: Final = 500

# An answer of more than 64 KiB would block the inspector for good.
_COMPLETE: Final = """\
print(__import__('json').dumps([match.rstrip('()') for match in (
    lambda c, t: (c.attr_matches if '.' in t else c.global_matches)(t)
)(__import__('rlcompleter').Completer(globals()), {token!r})][:{limit}]))"""

_DESCRIBE: Final = """\
def _describe(value, wants_source):
    import inspect, json
    def text(function, limit):
        try:
            return str(function(value))[:limit]
        except Exception:
            return ''
    return json.dumps([[label, found] for label, found in (
        ('Signature', text(inspect.signature, 2000)),
        ('Type', type(value).__name__),
        ('Value', text(repr, 2000)),
        ('Length', text(len, 20)),
        ('Docstring', text(inspect.getdoc, 10000)),
        ('Source', text(inspect.getsource, 10000) if wants_source else ''),
    ) if found and found != 'None'])
print(_describe({name}, {wants_source}))"""


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """What came of evaluating code in an inspector."""

    is_ok: bool = msgspec.field(name="ok", default=False)
    result: str = ""
    """The value's ``repr``, at most 4000 characters."""

    type: str = ""
    stdout: str = ""
    error: str = ""
    """The traceback."""

    @property
    def printed(self) -> str:
        """What the code printed; of statements, the server calls that their value."""
        return self.stdout or (self.result if self.type == "None" else "")


class Inspector:
    """The inspector of a notebook's anchor, opened when first asked.

    Args:
        link: The notebook.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._socket: Socket | None = None
        self._reading: asyncio.Task[None] | None = None
        self._answers: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._opened_on = ""
        self._turn = asyncio.Lock()

    async def evaluate(self, code: str, anchor_id: str) -> Evaluated:
        """Run code beside the notebook; nothing it binds reaches the notebook's cells.

        Args:
            code: An expression, or statements.
            anchor_id: The cell whose variables are seen.

        Raises:
            DeepnoteError: There is no answer.
        """
        async with self._turn:
            try:
                socket = await self._open(anchor_id)
                frame = await self._ask(socket, "inspect_eval", cell_id=anchor_id, expr=code)
            except BaseException:
                # An answer that comes after all must not be taken for that to another question.
                await self._drop()
                raise
        return msgspec.convert(frame.payload, Evaluated, strict=False)

    async def expire(self) -> None:
        """Forget the values seen: a cell has run since."""
        async with self._turn:
            if self._socket is not None and self._opened_on:
                with contextlib.suppress(DeepnoteError):
                    await self._socket.send("inspect_close", cell_id=self._opened_on)
            self._opened_on = ""

    async def close(self) -> None:
        """Let go of the inspector."""
        async with self._turn:
            await self._drop()

    async def _open(self, anchor_id: str) -> Socket:
        socket = self._socket
        if socket is None or self._reading is None or self._reading.done():
            await self._drop()
            socket = self._link.socket()
            await socket.open()
            self._socket = socket
            self._answers = asyncio.Queue()
            self._reading = asyncio.ensure_future(_pass_on(socket, self._answers))
        if self._opened_on != anchor_id:
            await self._ask(socket, "inspect_open", cell_id=anchor_id)
            self._opened_on = anchor_id
        return socket

    async def _ask(self, socket: Socket, kind: str, **payload: Any) -> Frame:
        await socket.send(kind, **payload)
        action = kind.removeprefix("inspect_")
        while True:
            frame = await asyncio.wait_for(self._answers.get(), _ANSWER_S)
            if frame is None:
                raise TransportError("The notebook's inspector has closed.", "Try again.")
            if frame.payload.get("action") == action:
                return frame

    async def _drop(self) -> None:
        socket, self._socket, self._opened_on = self._socket, None, ""
        if socket is not None:
            await socket.close()


async def _pass_on(socket: Socket, answers: asyncio.Queue[Frame | None]) -> None:
    """Read all that comes: frames left unread would block the connection, and its end."""
    async for frame in socket:
        if frame.type == "inspect_result":
            answers.put_nowait(frame)
    answers.put_nowait(None)


async def complete_in(inspector: Inspector, anchor_id: str, code: str, cursor_pos: int) -> JSON:
    """Return the content of a ``complete_reply`` from the values there are.

    Raises:
        DeepnoteError: There is no answer.
    """
    found = _TOKEN.search(code[:cursor_pos])
    token = found[0] if found else ""
    if not token:
        return no_matches(cursor_pos)
    question = _COMPLETE.format(token=token, limit=_MAX_MATCHES)
    matches = _json(await inspector.evaluate(question, anchor_id))
    return no_matches(cursor_pos) | {
        "matches": matches if isinstance(matches, list) else [],
        "cursor_start": cursor_pos - len(token),
    }


async def describe_in(
    inspector: Inspector, anchor_id: str, code: str, cursor_pos: int, detail_level: int
) -> JSON:
    """Return the content of an ``inspect_reply`` from the values there are.

    Raises:
        DeepnoteError: There is no answer.
    """
    before = _TOKEN.search(code[:cursor_pos])
    after = _REST.match(code[cursor_pos:])
    name = (before[0] if before else "") + (after[0] if after else "")
    if not name or not all(part.isidentifier() for part in name.split(".")):
        return not_found()
    question = _DESCRIBE.format(name=name, wants_source=bool(detail_level))
    facts = _json(await inspector.evaluate(question, anchor_id))
    if not isinstance(facts, list):
        return not_found()
    lines = (f"\x1b[31m{label}:\x1b[39m{_gap(text)}{text}" for label, text in facts)
    return not_found() | {"found": True, "data": {"text/plain": "\n".join(lines)}}


def _gap(text: str) -> str:
    return "\n" if "\n" in text else " "


def _json(evaluated: Evaluated) -> object:
    """Return what was printed as JSON, or nothing where it was not."""
    try:
        return json.loads(evaluated.printed) if evaluated.is_ok else None
    except ValueError:
        return None

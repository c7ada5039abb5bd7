"""What a call of the relay brings home, told from what else a server answers."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

import msgspec

from deepnote_kernel.errors import DeepnoteError, ResponseFormatError, SessionError
from deepnote_kernel.outputs import JSON

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MARK",
    "MIME",
    "Answer",
    "Frame",
    "NoAnswerError",
    "RelayLostError",
    "joined",
    "lost",
    "read_answer",
]

MARK: Final = "__deepnote_relay__"
MIME: Final = "application/vnd.deepnote-kernel.relay+json"


class RelayLostError(SessionError):
    """The remote process is another one than before: it died, and its variables with it."""


class NoAnswerError(ResponseFormatError):
    """An answer of the server without one of the relay's."""


class Frame(msgspec.Struct, frozen=True):
    """One message from the far side."""

    n: int
    type: str
    parent: str = ""
    content: JSON = {}
    metadata: JSON = {}
    buffers: list[bytes] = []


class Answer(msgspec.Struct, frozen=True):
    """What a call brings home."""

    seen: int = 0
    last: int = 0
    cell: str = ""
    background: bool = False
    children: bool = False
    frames: list[Frame] = []
    retired: bool = False


def joined(frames: list[Frame], *, after: int) -> Iterator[Frame]:
    """Yield the frames after a number; printed text in a row as one, however often it was flushed.

    A front end that gets thousands of messages in a moment loses some: ZMQ queues so many and no
    more.
    """

    def kind(frame: Frame) -> tuple[str, str] | int:
        is_text = frame.type == "stream"
        return (frame.content["name"], frame.parent) if is_text else frame.n

    for _, group in groupby((frame for frame in frames if frame.n > after), key=kind):
        *others, last = group
        if others:
            text = "".join(frame.content["text"] for frame in (*others, last))
            last = msgspec.structs.replace(last, content={**last.content, "text": text})
        yield last


def read_answer(outputs: list[JSON]) -> tuple[Answer | None, list[JSON]]:
    """Tell an answer from other outputs; ``None`` where there is none.

    Raises:
        ResponseFormatError: There is one that cannot be read.
    """
    answer, others = None, []
    for output in outputs:
        data = output.get("data")
        text = output.get("text")
        if isinstance(text, list):
            text = "".join(text)
        try:
            if isinstance(data, dict) and MIME in data:
                answer = msgspec.convert(data[MIME], Answer)
            elif isinstance(text, str) and MARK in text:
                before, _, rest = text.partition(MARK)
                line, _, after = rest.partition("\n")
                answer = msgspec.json.decode(line, type=Answer)
                others += [{**output, "text": part} for part in (before, after) if part]
            else:
                others.append(output)
        except msgspec.MsgspecError as error:
            raise ResponseFormatError(f"The relay's answer cannot be read: {error}.") from None
    return answer, others


def lost(others: list[JSON]) -> DeepnoteError:
    """Return the error that outputs without an answer amount to."""
    for output in others:
        # A new process does not know the relay's name; an interrupt, say, proves nothing.
        if output.get("ename") == "NameError":
            return RelayLostError(
                "The remote kernel was replaced by a new one (it died, of too little memory "
                "perhaps), and its variables are lost.",
                "Run the notebook's cells again.",
            )
    return NoAnswerError("The server's answer lacks the relay's part.")

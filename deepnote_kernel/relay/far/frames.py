"""Frames: what the code puts out, numbered and kept until the near half has it."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MARK = "__deepnote_relay__"
MIME = "application/vnd.deepnote-kernel.relay+json"

MEMORY_BYTES = 32 << 20
"""Frames beyond this wait on disk."""

HELD_BYTES = 1 << 30
"""Outputs beyond this, while nobody fetches them, are dropped with a note."""


def dumps(value: object) -> bytes:
    """Return JSON as bytes."""
    return json.dumps(value).encode("ascii")


def encode_frame(
    number: int,
    parent: str,
    msg_type: str,
    content: bytes,
    metadata: bytes = b"{}",
    buffers: Sequence[Any] = (),
) -> bytes:
    """Return one frame; ``content`` and ``metadata`` are JSON already and are passed through."""
    encoded = [base64.b64encode(data).decode("ascii") for data in buffers]
    head = dumps({"n": number, "parent": parent, "type": msg_type, "buffers": encoded})
    return head[:-1] + b', "content": ' + content + b', "metadata": ' + metadata + b"}"


def encode_answer(text: bytes, via: str) -> tuple[str, bytes]:
    """Return type and content of the message that takes a call's answer home."""
    if via == "stream":  # where MIME types are filtered
        line = MARK + text.decode("utf-8", "replace") + "\n"
        return "stream", dumps({"name": "stdout", "text": line})
    return "display_data", b'{"data": {"%s": %s}, "metadata": {}}' % (MIME.encode("ascii"), text)


class Outbox:
    """Numbered frames, kept until acknowledged; the first is number 1. Thread-safe.

    A frame is the JSON text of one message, as bytes. What does not fit into memory waits in a
    temporary file.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.frames: deque[tuple[int, int, bytes | int]] = (
            deque()
        )  # (number, length, bytes or place in the file)
        self.last = self.held = 0
        self.spill: Any = None
        self.is_dropping = False

    def add(self, encode: Callable[[int], bytes], is_urgent: bool = False) -> None:
        """Append the frame ``encode(number)``; for outputs in a row beyond the limit, one note."""
        with self.lock:
            frame = encode(self.last + 1)
            is_too_much = self.held + len(frame) > HELD_BYTES and not is_urgent
            if is_too_much and self.is_dropping:
                return
            if not is_urgent:
                self.is_dropping = is_too_much
            if is_too_much:
                text = f"[output dropped: {HELD_BYTES >> 20} MiB wait to be fetched]\n"
                note = dumps({"name": "stderr", "text": text})
                frame = encode_frame(self.last + 1, "", "stream", note)
            self.last += 1
            length = len(frame)
            if self.held + length > MEMORY_BYTES:
                self.spill = self.spill or tempfile.TemporaryFile(prefix="deepnote-")
                place = self.spill.seek(0, os.SEEK_END)
                self.spill.write(frame)
                frame = place
            self.held += length
            self.frames.append((self.last, length, frame))

    def acknowledge(self, number: int) -> None:
        """Forget the frames up to a number."""
        with self.lock:
            while self.frames and self.frames[0][0] <= number:
                self.held -= self.frames.popleft()[1]
            if self.spill and not self.frames:
                self.spill.close()
                self.spill = None

    def take(self, limit: int) -> list[bytes]:
        """Return the oldest frames: at most ``limit`` bytes of them, but one if there is any."""
        taken: list[bytes] = []
        size = 0
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

"""Fold the iopub messages of one execution into nbformat outputs, as nbclient does.

Payloads are passed through as the bytes the kernel sent: an 8 MB picture is never decoded.
"""

from __future__ import annotations

import json
import logging
from typing import Any, TypeVar

import msgspec

__all__ = ["Outputs"]

logger = logging.getLogger(__name__)

T = TypeVar("T")


class _Stream(msgspec.Struct):
    name: str
    text: str


class _Display(msgspec.Struct):
    data: msgspec.Raw
    metadata: msgspec.Raw = msgspec.Raw(b"{}")
    transient: dict[str, Any] = {}
    execution_count: int | None = None


class _Error(msgspec.Struct):
    ename: str
    evalue: str
    traceback: list[str] = []


class _Clear(msgspec.Struct):
    wait: bool = False


_CONTENTS: dict[str, msgspec.json.Decoder[Any]] = {
    "stream": msgspec.json.Decoder(_Stream),
    "display_data": msgspec.json.Decoder(_Display),
    "update_display_data": msgspec.json.Decoder(_Display),
    "execute_result": msgspec.json.Decoder(_Display),
    "error": msgspec.json.Decoder(_Error),
    "clear_output": msgspec.json.Decoder(_Clear),
}


class Outputs:
    """The outputs of one execution, in order.

    A display update changes the earlier outputs of the same execution that carry its
    ``display_id``; adjacent streams of one name are joined; ``clear_output`` empties the list.
    """

    def __init__(self) -> None:
        self._items: list[dict[str, Any]] = []
        self._displays: dict[str, list[dict[str, Any]]] = {}
        self._clear_at_next = False

    def add(self, msg_type: str, content: bytes) -> None:
        """Take an iopub message; those that are no outputs are passed over.

        Args:
            msg_type: The message's type.
            content: The message's content, still packed.
        """
        decoder = _CONTENTS.get(msg_type)
        if decoder is None:
            return
        try:
            message = _decode(decoder, content)
        except (ValueError, msgspec.ValidationError) as error:
            logger.warning("The kernel sent a %s message that cannot be read: %s", msg_type, error)
            return
        if isinstance(message, _Clear):
            self._clear_at_next = message.wait
            if not message.wait:
                self._clear()
            return
        if isinstance(message, _Display) and msg_type == "update_display_data":
            self._update(message)
            return
        if self._clear_at_next:
            self._clear()
        self._append(msg_type, message)

    def result(self) -> list[dict[str, Any]]:
        """Return the outputs as nbformat dictionaries whose payloads are packed JSON."""
        return [
            {**item, "text": "".join(item["text"])} if item["output_type"] == "stream" else item
            for item in self._items
        ]

    def _clear(self) -> None:
        self._clear_at_next = False
        self._items.clear()
        self._displays.clear()

    def _append(self, msg_type: str, message: _Stream | _Display | _Error) -> None:
        if isinstance(message, _Stream):
            self._append_text(message)
            return
        item = {"output_type": msg_type, **msgspec.structs.asdict(message)}
        if isinstance(message, _Display):
            item.pop("transient")
            if msg_type == "display_data":
                item.pop("execution_count")
            self._update(message)
            display_id = message.transient.get("display_id")
            if display_id:
                self._displays.setdefault(display_id, []).append(item)
        self._items.append(item)

    def _append_text(self, message: _Stream) -> None:
        last = self._items[-1] if self._items else {}
        if last.get("name") == message.name and last["output_type"] == "stream":
            last["text"].append(message.text)
        else:
            self._items.append(
                {"output_type": "stream", "name": message.name, "text": [message.text]}
            )

    def _update(self, message: _Display) -> None:
        for item in self._displays.get(message.transient.get("display_id", ""), []):
            item.update(data=message.data, metadata=message.metadata)


def _decode(decoder: msgspec.json.Decoder[T], content: bytes) -> T:
    """Decode packed content, also where it is not strict JSON in UTF-8.

    jupyter_client packs lone surrogates as the raw bytes they stand for (what a subprocess wrote in
    another encoding, say), and some kernels send ``NaN``.
    """
    try:
        if not content.isascii():
            content.decode()
        return decoder.decode(content)
    except (UnicodeDecodeError, msgspec.DecodeError):
        value = json.loads(content.decode(errors="replace"), parse_constant=lambda _: None)
        packed = json.dumps(value, ensure_ascii=False).encode(errors="replace")
        return decoder.decode(packed)

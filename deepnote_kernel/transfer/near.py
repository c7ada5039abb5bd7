"""Push and pull values over a remote session, in parts, each an ordinary cell of its own."""

from __future__ import annotations

import base64
import hashlib
import inspect
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from deepnote_kernel.errors import DeepnoteError
from deepnote_kernel.session.protocol import Cell, Reply
from deepnote_kernel.transfer import codec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepnote_kernel.commands.context import Task
    from deepnote_kernel.session.remote import Remote

__all__ = ["LIMIT_BYTES", "Moved", "Transfer", "TransferError"]

LIMIT_BYTES = 256 * 1024 * 1024
"""The largest value that is moved; a file in the project's storage is the better way above it."""

_PART_BYTES = 1024 * 1024
_MODULE = "_deepnote_transfer"


class TransferError(DeepnoteError):
    """A value could not be moved; both sides are as they were."""


class Moved(NamedTuple):
    """A value that has been moved."""

    name: str
    kind: str
    """Its format: ``json``, ``bytes``, ``npy``, ``pickle``, ``file``, or the type of a table."""

    size_bytes: int
    value: Any = None
    """The value, where it was pulled; the bytes of a file."""


class Transfer:
    """Moves values over a session.

    Args:
        remote: The session; started if none runs.
        task: Shows how far it is.
        limit_bytes: The largest value to move.
    """

    def __init__(self, remote: Remote, task: Task, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._remote = remote
        self._task = task
        self._limit_bytes = limit_bytes
        self._run(
            f"exec({inspect.getsource(codec)!r}, __import__('sys').modules.setdefault({_MODULE!r}, "
            f"__import__('types').ModuleType({_MODULE!r})).__dict__)"
        )

    def push(self, name: str, value: object, *, allow_pickle: bool = False) -> Moved:
        """Make a remote variable.

        Args:
            name: What to call it there.
            value: Its value.
            allow_pickle: Whether to pickle what no other format holds.

        Raises:
            TransferError: It is too large, or cannot be encoded here or decoded there.
        """
        try:
            kind, data = codec.encode(value, allow_pickle=allow_pickle)
        except TypeError as error:
            raise TransferError(f"{name} was not sent: {error}.", _hint(error)) from None
        except Exception as error:
            line = f"{name} was not sent: {_in_one_line(error)}."
            raise TransferError(line, _hint(error)) from error
        return self._send(name, kind, data)

    def push_file(self, path: str, data: bytes) -> Moved:
        """Write a remote file.

        Args:
            path: Where, from the remote working folder on.
            data: Its content.
        """
        return self._send(path, "file", data)

    def pull(self, name: str, *, allow_pickle: bool = False) -> Moved:
        """Fetch a remote variable.

        Args:
            name: Its name.
            allow_pickle: Whether to unpickle, which runs code that the far side chooses.

        Raises:
            TransferError: There is none, it is too large, or no format holds it.
        """
        moved = self._fetch(
            name, f"offer(globals(), {name!r}, allow_pickle={allow_pickle})", allow_pickle
        )
        try:
            return moved._replace(value=codec.decode(moved.kind, moved.value))
        except Exception as error:
            line = f"{name} was fetched but cannot be read here: {_in_one_line(error)}."
            raise TransferError(line, _hint(error)) from error

    def pull_file(self, path: str) -> Moved:
        """Fetch a remote file's content.

        Args:
            path: Where it is, from the remote working folder on.
        """
        return self._fetch(path, f"offer_file({path!r})", allow_pickle=False)

    def _send(self, name: str, kind: str, data: bytes) -> Moved:
        self._check_size(name, len(data))
        for number, start in enumerate(range(0, len(data) or 1, _PART_BYTES)):
            part = base64.b64encode(data[start : start + _PART_BYTES]).decode()
            self._call(name, f"take({number}, {part!r})")
            self._tell(name, start + _PART_BYTES, len(data))
        digest = hashlib.sha256(data).hexdigest()
        self._call(name, f"store(globals(), {name!r}, {kind!r}, {digest!r})")
        return Moved(name, kind, len(data))

    def _fetch(self, name: str, offer: str, allow_pickle: bool) -> Moved:  # noqa: FBT001 - as asked
        found = self._call(name, offer)
        kind, size = found["kind"], found["size"]
        if kind == "pickle" and not allow_pickle:
            raise TransferError(f"{name} came pickled, unasked.", "Do not trust this session.")
        self._check_size(name, size)
        data = b"".join(self._parts(name, size))
        self._call(name, "forget()")
        if hashlib.sha256(data).hexdigest() != found["hash"]:
            raise TransferError(f"{name} has been damaged on its way.", "Try again.")
        return Moved(name, kind, size, data)

    def _parts(self, name: str, size: int) -> Iterator[bytes]:
        for start in range(0, size, _PART_BYTES):
            yield base64.b64decode(self._call(name, f"part({start}, {_PART_BYTES})")["data"])
            self._tell(name, start + _PART_BYTES, size)

    def _tell(self, name: str, done: int, total: int) -> None:
        # What takes a single part is over before anybody could read how far it is.
        if total > _PART_BYTES:
            self._task(name)
            self._task.advance(min(done, total), total)

    def _check_size(self, name: str, size: int) -> None:
        if size > self._limit_bytes:
            raise TransferError(
                f"{name} is {size / 1e6:.0f} MB, more than the limit of "
                f"{self._limit_bytes / 1e6:.0f} MB.",
                "Move a part of it, or write it to a file and use %deepnote files.",
            )

    def _call(self, name: str, call: str) -> dict[str, Any]:
        try:
            said = self._run(f"__import__('sys').modules[{_MODULE!r}].{call}")
        except TransferError as error:
            raise TransferError(f"{name} was not moved: {error.message}", _hint(error)) from None
        _, _, answer = said.rpartition(f"{_MODULE}:")
        return msgspec.json.decode(answer, type=dict[str, Any]) if answer.strip() else {}

    def _run(self, code: str) -> str:
        """Run code there, out of the history, and return what it printed."""
        cell = Cell(id=uuid.uuid4().hex, code=code, store_history=False)
        said: list[str] = []
        for event in self._remote.events(cell, self._task):
            if isinstance(event, Reply):
                if event.content["status"] == "error":
                    content = event.content
                    raise TransferError(f"{content['ename']}: {content['evalue']}.")
            elif getattr(event, "msg_type", "") == "stream":
                content = event.content  # type: ignore[union-attr]
                if content["name"] == "stdout":
                    said.append(content["text"])
        return "".join(said)


def _hint(error: Exception) -> str:
    said = str(error)
    if "only be pickled" in said:
        return "Say --pickle to allow that."
    return "Install it on that side with %pip install." if "No module named" in said else ""


def _in_one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(".")

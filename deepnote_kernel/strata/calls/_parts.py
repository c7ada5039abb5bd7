"""What the calls are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, segment
from deepnote_kernel.strata.models import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "MAX_CELL_S",
    "NO_CELL",
    "SLOW_S",
    "get",
    "listed",
    "model",
    "notebook_path",
    "put",
    "raw",
    "text",
]

M = TypeVar("M", bound=Model)
T = TypeVar("T")

MAX_CELL_S: Final = 86_400.0
"""Seconds that Strata lets a cell run at most, a day."""

SLOW_S: Final = 600.0
"""Seconds to wait for what installs packages."""

NO_CELL: Final = {404: "The notebook has no such cell: list its cells."}


def get(path: str, read: Callable[[bytes], T]) -> Call[T]:
    """Return a call that asks for something."""
    return Call(method="GET", path=path, read=read, replay_safe=True)


def put(path: str, body: Mapping[str, Any], read: Callable[[bytes], T]) -> Call[T]:
    """Return a call that puts something in the place of what is there."""
    return Call(method="PUT", path=path, body=body, read=read, replay_safe=True)


def notebook_path(session_id: str, *parts: str) -> str:
    """Return the path of a notebook, or of something in it; the parts are encoded already."""
    return "/".join(("/v1/notebooks", segment("session", session_id), *parts))


def model(kind: type[M]) -> Callable[[bytes], M]:
    """Return a reader of one model."""

    def read(body: bytes) -> M:
        return reading.adopt(kind, reading.parse_object(body))

    return read


def listed(name: str, kind: type[M]) -> Callable[[bytes], list[M]]:
    """Return a reader of models that lie in a list of that name."""

    def read(body: bytes) -> list[M]:
        items = reading.parse_object(body).get(name)
        return [reading.adopt(kind, item) for item in msgspec.convert(items or [], list[object])]

    return read


def raw(body: bytes) -> bytes:
    """Read bytes that are no JSON."""
    return body


def text(body: bytes) -> str:
    """Read text."""
    return body.decode(errors="replace")

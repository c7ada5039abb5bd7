"""What all models share."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

import msgspec

__all__ = ["Model", "Page"]

T = TypeVar("T")


class Model(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what comes over the wire; fields are named as in the API, in snake case."""

    aliases: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Other names under which a field, by its name on the wire, has been seen."""


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a listing; a client's ``iterate`` turns the leaves."""

    items: list[T]
    next_page_token: str = ""
    """Opaque; empty on the last page."""

"""From the bytes of an answer to models. Whatever cannot be read raises ``ValueError``."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

import msgspec

from deepnote_kernel.api.models import Model, Page

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["adopt", "decode", "enveloped", "nothing", "paged", "parse_object"]

M = TypeVar("M", bound=Model)
T = TypeVar("T")


def decode(body: bytes, kind: type[T]) -> T:
    """Parse JSON into a type, forgiving what other JSON writers let through.

    A lone surrogate becomes ``?``, and ``NaN`` or an infinity ``null``: both occur in the outputs
    of real cells, and neither is worth losing the other outputs for.

    Raises:
        ValueError: It is not JSON, or not of that type.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        raise
    except (ValueError, RecursionError):
        return msgspec.json.decode(_strict(body), type=kind)


def _strict(body: bytes) -> bytes:
    try:
        value = json.loads(body.decode(errors="replace"), parse_constant=lambda _: None)
        return json.dumps(value, ensure_ascii=False).encode(errors="replace")
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; an empty body counts as an empty one."""
    return decode(body, dict[str, Any]) if body.strip() else {}


def nothing(_body: bytes) -> None:
    """Read an answer whose body does not matter."""


def enveloped(name: str, model: type[M]) -> Callable[[bytes], M]:
    """Return a reader of a model that lies under a name, or bare where a server leaves that out."""

    def read(body: bytes) -> M:
        raw = parse_object(body)
        return adopt(model, raw.get(name) or raw)

    return read


def paged(name: str, model: type[M]) -> Callable[[bytes], Page[M]]:
    """Return a reader of one page of models. A missing or null token means the last page."""

    def read(body: bytes) -> Page[M]:
        raw = parse_object(body)
        items = msgspec.convert(raw.get(name) or [], list[Any])
        pagination = msgspec.convert(raw.get("pagination") or {}, dict[str, Any])
        token = pagination.get("nextPageToken") or ""
        return Page(
            items=[adopt(model, item) for item in items],
            next_page_token=msgspec.convert(token, str),
        )

    return read


def adopt(model: type[M], raw: object) -> M:
    """Build a model from parsed JSON, tolerating other names, nulls and odd optional fields.

    Raises:
        ValueError: It is not an object, or lacks a field that cannot be missing.
    """
    given = msgspec.convert(raw, dict[str, Any])
    values: dict[str, Any] = {}
    for field in _fields(model):
        names = (field.encode_name, *model.aliases.get(field.encode_name, ()))
        value = next((given[name] for name in names if given.get(name) is not None), None)
        if value is None and not field.required:
            continue
        try:
            values[field.name] = _value(field.type, value)
        except ValueError as error:
            if field.required:
                raise ValueError(f"{field.encode_name}: {error}") from None
    return model(**values)


@cache
def _fields(model: type[Model]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(model)


def _value(kind: Any, value: object) -> Any:
    if len(kinds := get_args(kind)) == 2 and NoneType in kinds:  # noqa: PLR2004 - a pair
        kind = kinds[kinds[0] is NoneType]  # what is null never comes here
    if _is_model(kind):
        return adopt(kind, value)
    if get_origin(kind) is list and _is_model(item := get_args(kind)[0]):
        return [adopt(item, each) for each in msgspec.convert(value, list[Any])]
    converted = msgspec.convert(value, kind)
    return _utc(converted) if isinstance(converted, datetime) else converted


def _is_model(kind: Any) -> bool:
    # Python 3.10 takes list[Any] for a class, too.
    return get_origin(kind) is None and isinstance(kind, type) and issubclass(kind, Model)


def _utc(time: datetime) -> datetime:
    aware = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc)

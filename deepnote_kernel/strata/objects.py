"""Read values that Strata stores in a form of Python's own, without running anything in them."""

from __future__ import annotations

import io
import json
import pickle
from typing import Any, Final

from IPython.lib.pretty import pretty

__all__ = ["index_columns", "shown_array", "shown_object", "shown_value"]

_ALLOWED: Final = {
    *(
        ("builtins", name)
        for name in ("bytearray", "complex", "frozenset", "range", "set", "slice")
    ),
    *(("datetime", name) for name in ("date", "datetime", "time", "timedelta", "timezone")),
    ("collections", "Counter"),
    ("collections", "OrderedDict"),
    ("collections", "deque"),
    ("decimal", "Decimal"),
    ("fractions", "Fraction"),
}


_PANDAS: Final = b'{"index_columns": '


class _Unpickler(pickle.Unpickler):
    """Makes containers and numbers, and refuses all else: a pickle can name any function."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return super().find_class(module, name)


def shown_value(value: object) -> str:
    """Return what IPython shows of a value."""
    return str(pretty(value))  # type: ignore[no-untyped-call]


def shown_object(blob: bytes) -> str | None:
    """Return what IPython shows of a stored object; ``None`` for one that is not plain data.

    Args:
        blob: A pickle of a ``dict`` whose ``payload`` is a pickle of the object.
    """
    try:
        return shown_value(_loaded(_loaded(blob)["payload"]))
    except Exception:  # noqa: BLE001 - a pickle can fail in any way, and then tells nothing
        return None


def _loaded(blob: bytes) -> Any:
    return _Unpickler(io.BytesIO(blob)).load()


def index_columns(blob: bytes) -> list[str]:
    """Return the columns of a stored table that are the index of a data frame.

    Args:
        blob: An Arrow stream, whose schema holds the notes of pandas as JSON.
    """
    begin = blob.find(_PANDAS)
    if begin < 0:
        return []
    notes = blob[begin : blob.find(b"\0", begin)]
    try:
        return [name for name in json.loads(notes)["index_columns"] if isinstance(name, str)]
    except ValueError:
        return []


def shown_array(blob: bytes) -> str | None:
    """Return what NumPy shows of a stored array; ``None`` without pyarrow and NumPy here.

    Args:
        blob: An Arrow stream of one column, with the array's shape in its metadata.
    """
    try:
        import numpy as np  # noqa: PLC0415 - not a dependency
        from pyarrow import ArrowInvalid, ipc  # noqa: PLC0415 - as above
    except ImportError:
        return None
    try:
        table = ipc.open_stream(blob).read_all()
    except ArrowInvalid:
        return None
    facts = table.schema.metadata or {}
    shape = facts.get(b"strata.arrow.tensor.shape")
    if shape is None:
        return None
    values = table.column(0).to_numpy()
    dtype = facts.get(b"strata.arrow.tensor.dtype", b"").decode() or values.dtype
    size = [int(length) for length in shape.decode().strip("[]").split(",") if length.strip()]
    return repr(np.asarray(values, dtype=dtype).reshape(size))

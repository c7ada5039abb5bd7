"""Values as bytes and back. Self-contained: its source is sent to the far side, and runs on both.

Nothing here runs code that came with the data, except ``pickle``, which has to be asked for.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import linecache
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

__all__ = ["decode", "encode"]

_JSON_TYPES = (str, int, float, bool, type(None))
_parts: list[bytes] = []


def encode(value: object, *, allow_pickle: bool = False) -> tuple[str, bytes]:
    """Return a value's format and bytes.

    Args:
        value: A DataFrame or Series of pandas, a table of polars or pyarrow, a NumPy array, bytes,
            or what JSON holds exactly; with ``allow_pickle`` anything that can be pickled.
        allow_pickle: Whether to pickle what nothing else holds.

    Raises:
        TypeError: Nothing else holds it, and pickle is not allowed.
    """
    kind = _kind(value)
    if kind == "bytes":
        return kind, bytes(value)  # type: ignore[call-overload]
    if kind == "json":
        return kind, json.dumps(value).encode()
    if kind == "npy":
        import numpy as np

        stream = io.BytesIO()
        np.save(stream, value, allow_pickle=False)  # type: ignore[arg-type]
        return kind, stream.getvalue()
    reason = ""
    if kind:
        try:
            return kind, _to_arrow(kind, value)
        except (TypeError, ValueError, NotImplementedError, UserWarning) as error:
            reason = f" ({' '.join(str(error).split())})"
    if allow_pickle:
        return "pickle", pickle.dumps(value)
    raise TypeError(f"this {type(value).__qualname__} can only be pickled{reason}")


def decode(kind: str, data: bytes) -> object:
    """Return the value that was encoded.

    Args:
        kind: The format that :func:`encode` gave.
        data: Its bytes.
    """
    if kind == "bytes":
        return data
    if kind == "json":
        return json.loads(data)
    if kind == "npy":
        import numpy as np

        return np.load(io.BytesIO(data), allow_pickle=False)
    if kind == "pickle":
        return pickle.loads(data)
    return _from_arrow(kind, data)


def _kind(value: object) -> str:
    kind = type(value)
    if kind in (bytes, bytearray):
        return "bytes"
    if _is_json(value):
        return "json"
    name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    if name == "numpy.ndarray":
        return "" if value.dtype.hasobject else "npy"  # type: ignore[attr-defined]
    if name == "pandas.Series":
        return name if value.name is not None else f"{name}, unnamed"  # type: ignore[attr-defined]
    return name if name in ("pandas.DataFrame", "polars.DataFrame", "pyarrow.Table") else ""


def _is_json(value: object) -> bool:
    if type(value) is list:
        return all(map(_is_json, value))
    if type(value) is dict:
        return all(type(key) is str for key in value) and all(map(_is_json, value.values()))
    return type(value) in _JSON_TYPES


def _to_arrow(kind: str, value: object) -> bytes:
    import pyarrow as pa

    table: Any = value
    if kind.startswith("pandas.Series"):
        table = table.to_frame()
    if kind.startswith("pandas."):
        with warnings.catch_warnings():
            # It warns of what would not come back as it was.
            warnings.simplefilter("error", UserWarning)
            table = pa.Table.from_pandas(table)
    elif kind == "polars.DataFrame":
        table = table.to_arrow()
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return bytes(stream.getvalue())


def _from_arrow(kind: str, data: bytes) -> object:
    import pyarrow as pa

    table = pa.ipc.open_stream(data).read_all()
    if kind == "pandas.DataFrame":
        return table.to_pandas()
    if kind.startswith("pandas.Series"):
        series = table.to_pandas().iloc[:, 0]
        return series.rename(None) if kind.endswith("unnamed") else series
    if kind == "polars.DataFrame":
        import polars as pl  # pyright: ignore[reportMissingImports]

        return pl.from_arrow(table)
    return table


# The far side's part: one value at a time, in parts, each call one cell.


def offer(namespace: dict[str, object], name: str, *, allow_pickle: bool) -> None:
    """Encode a variable, and say what there is to fetch."""
    if name not in namespace:
        raise NameError(f"name {name!r} is not defined")
    value = namespace[name]
    kind, data = encode(value, allow_pickle=allow_pickle)
    _offer(kind, data)


def offer_file(path: str) -> None:
    """Read a file, and say what there is to fetch."""
    _offer("file", Path(path).read_bytes())


def _offer(kind: str, data: bytes) -> None:
    _parts[:] = [data]
    _say({"kind": kind, "size": len(data), "hash": hashlib.sha256(data).hexdigest()})


def part(start: int, size: int) -> None:
    """Say one part of what was offered."""
    _say({"data": base64.b64encode(_parts[0][start : start + size]).decode()})


def take(number: int, data: str) -> None:
    """Take one part of what is pushed; a part that comes twice counts once."""
    if number == 0:
        _parts.clear()
    if number == len(_parts):
        _parts.append(base64.b64decode(data))


def store(namespace: dict[str, object], name: str, kind: str, digest: str) -> None:
    """Make a variable, or a file, of the parts that were taken."""
    data = b"".join(_parts)
    forget()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError("the data has been damaged on its way")
    if kind == "file":
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(data)
    else:
        namespace[name] = decode(kind, data)


def forget() -> None:
    """Let go of the data, and of the source of the cells it came in, which IPython keeps."""
    _parts.clear()
    for name, entry in list(linecache.cache.items()):
        if len(entry) > 1 and entry[2] and __name__ in entry[2][0]:
            del linecache.cache[name]


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(f"\n{__name__}:{json.dumps(answer)}\n")
    sys.stdout.flush()

"""Turn the outputs of a call to execute into the messages a Jupyter front end shows.

Deepnote returns outputs in the notebook format (nbformat 4): a list of ``stream``,
``execute_result``, ``display_data`` and ``error`` items. Front ends expect iopub messages. Pure
functions: nothing is read, written or sent.
"""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "DATAFRAME_MIME",
    "JSON",
    "Message",
    "error_output",
    "no_matches",
    "not_found",
    "reply_content",
    "to_messages",
    "with_table",
]

JSON: TypeAlias = dict[str, Any]
"""Content of a Jupyter message, as the messaging specification gives it for each ``msg_type``."""

DATAFRAME_MIME = "application/vnd.deepnote.dataframe.v3+json"
"""How Deepnote's machines describe a data frame; no front end but Deepnote's own can show it."""

_INDEX_COLUMN = "_deepnote_index_column"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message to publish on iopub: an output, a display update, a comm message."""

    msg_type: str
    content: JSON
    metadata: JSON = {}
    buffers: list[bytes] = []
    parent: str = ""
    """Id of the cell or comm message that caused it, where it is not the one running."""


def to_messages(outputs: Iterable[Any], *, execution_count: int = 0) -> list[Message]:
    """Turn nbformat outputs into iopub messages, in order.

    Adjacent streams of the same name are joined. An output of a type we do not know is left out,
    and a line on stderr says so.

    Args:
        outputs: Items as the server sent them; a bare string counts as standard output.
        execution_count: The number results carry; 0 keeps the one the far side gave.
    """
    messages = (_message(item, execution_count) for item in outputs)
    joined: list[Message] = []
    for name, group in groupby(messages, key=_stream_name):
        if name is None:
            joined.extend(group)
        elif text := "".join(message.content["text"] for message in group):
            joined.append(_stream(name, text))
    return joined


def reply_content(messages: Iterable[Message], *, execution_count: int = 0) -> JSON:
    """Return the ``execute_reply`` content of a cell that produced these messages.

    The call to execute does not say how the cell ended; an ``error`` among its outputs does.
    Others may follow it: figures are flushed after the traceback.
    """
    content: JSON = {"status": "ok"}
    for message in messages:
        if message.msg_type == "error":
            content = {"status": "error", **message.content}
    return {
        **content,
        "execution_count": execution_count,
        "user_expressions": {},
        "payload": [],
    }


def error_output(ename: str, evalue: str = "") -> JSON:
    """Return an nbformat ``error`` output with a traceback of one line."""
    line = f"{ename}: {evalue}" if evalue else ename
    return {"output_type": "error", "ename": ename, "evalue": evalue, "traceback": [line]}


def with_table(data: JSON) -> JSON:
    """Return a mime bundle that any front end can show, where it is a data frame of Deepnote's."""
    frame = data.get(DATAFRAME_MIME)
    if not isinstance(frame, dict):
        return data
    text = f"<DataFrame: {_frame_size(frame)}>"
    return {"text/html": _frame_html(frame), "text/plain": text, **data}


def no_matches(cursor_pos: int) -> JSON:
    """Return the content of a ``complete_reply`` that offers nothing.

    Args:
        cursor_pos: Where the cursor stands, in characters.
    """
    span = {"cursor_start": cursor_pos, "cursor_end": cursor_pos}
    return {"status": "ok", "matches": [], "metadata": {}, **span}


def not_found() -> JSON:
    """Return the content of an ``inspect_reply`` that knows nothing."""
    return {"status": "ok", "found": False, "data": {}, "metadata": {}}


def _message(item: Any, execution_count: int) -> Message:
    if isinstance(item, str):
        return _stream("stdout", item)
    output = item if isinstance(item, dict) else {}
    kind = output.get("output_type")
    if kind == "stream":
        return _stream(str(output.get("name") or "stdout"), _text(output.get("text")))
    if kind == "error":
        return Message(msg_type=kind, content=_error(output))
    if kind in {"display_data", "execute_result", "update_display_data"}:
        return Message(msg_type=kind, content=_bundle(output, execution_count))
    if kind == "clear_output":
        return Message(msg_type=kind, content={"wait": bool(output.get("wait"))})
    shown = repr(kind) if kind else "that is missing"
    return _stream("stderr", f"An output of type {shown} was left out: no notebook can show it.\n")


def _stream(name: str, text: str) -> Message:
    return Message(msg_type="stream", content={"name": name, "text": text})


def _stream_name(message: Message) -> str | None:
    return message.content["name"] if message.msg_type == "stream" else None


def _error(output: Mapping[str, Any]) -> JSON:
    traceback = output.get("traceback") or []
    lines = traceback.splitlines() if isinstance(traceback, str) else [str(x) for x in traceback]
    return {
        "ename": str(output.get("ename") or "Error"),
        "evalue": str(output.get("evalue") or ""),
        "traceback": lines,
    }


def _bundle(output: Mapping[str, Any], execution_count: int) -> JSON:
    content: JSON = {
        "data": _data(output.get("data")),
        "metadata": _mapping(output.get("metadata")),
    }
    if output.get("output_type") == "execute_result":
        content["execution_count"] = execution_count or output.get("execution_count")
    else:
        content["transient"] = _mapping(output.get("transient"))
    return content


def _data(data: Any) -> JSON:
    """Join texts that came as lists of lines, and add what a front end needs to show something."""
    shown: JSON = {
        mime: _text(value) if isinstance(value, list) and not _is_json(mime) else value
        for mime, value in _mapping(data).items()
    }
    shown = with_table(shown)
    if shown:
        shown.setdefault("text/plain", f"<{', '.join(shown)}>")
    return shown


def _is_json(mime: str) -> bool:
    return mime == "application/json" or mime.endswith("+json")


def _mapping(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(str(line) for line in value)
    return "" if value is None else str(value)


def _frame_html(frame: Mapping[str, Any]) -> str:
    """Return a table like the one pandas draws; every name and value is escaped."""
    names = [name for name in _column_names(frame) if name != _INDEX_COLUMN]
    rows = [row for row in frame.get("rows") or [] if isinstance(row, dict)]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(_frame_cells(row, names))}</tr>" for row in rows)
    return (
        '<table border="1" class="dataframe">'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{escape(_frame_size(frame))}</p>"
    )


def _frame_cells(row: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    yield f"<th>{escape(str(row.get(_INDEX_COLUMN, '')))}</th>"
    for name in names:
        yield f"<td>{escape(str(row.get(name, '')))}</td>"


def _column_names(frame: Mapping[str, Any]) -> list[str]:
    columns = frame.get("columns") or []
    return [str(column.get("name")) for column in columns if isinstance(column, dict)]


def _frame_size(frame: Mapping[str, Any]) -> str:
    rows, columns = frame.get("row_count", "?"), frame.get("column_count", "?")
    size = f"{rows} rows × {columns} columns"
    shown = frame.get("preview_row_count")
    return f"first {shown} of {size}" if isinstance(shown, int) and shown != rows else size

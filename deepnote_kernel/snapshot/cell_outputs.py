"""Outputs of a block as outputs that nbformat allows, and back.

Deepnote's are nbformat's with liberties: metadata may be missing, texts may be lists of lines, and
a data frame may come in a form that only Deepnote shows. A cell gets complete ones, with a table
for each data frame.

Source: the notebook format, version 4.5 (nbformat documentation), read 2026-11-20.
"""

from __future__ import annotations

from typing import Any

from deepnote_kernel.outputs import DATAFRAME_MIME, with_table

__all__ = ["cell_outputs", "completed", "joined", "outputs_of"]

JSON = dict[str, Any]

_SHOWN = {"display_data", "execute_result"}


def cell_outputs(outputs: list[JSON] | None, execution_count: int | None) -> list[JSON]:
    """Return a block's outputs as a code cell may hold them.

    What nbformat has no place for is left out: other types, other keys.

    Args:
        outputs: The block's.
        execution_count: The block's; a result that names none gets it.
    """
    found = (_cell_output(output, execution_count) for output in outputs or [])
    return [output for output in found if output]


def outputs_of(cell: JSON) -> list[JSON] | None:
    """Return the outputs a block has by what its code cell shows; ``None`` where it has not run."""
    outputs = [_without_table(output) for output in cell.get("outputs") or []]
    return outputs or (None if cell.get("execution_count") is None else [])


def completed(outputs: list[JSON] | None, execution_count: int | None) -> list[JSON] | None:
    """Return a block's outputs with the defaults of what is missing in them."""
    return outputs and [_completed(output, execution_count) for output in outputs]


def joined(text: Any) -> str:
    """Return a text that may come as a list of lines, or not at all."""
    if isinstance(text, list):
        return "".join(str(line) for line in text)
    return "" if text is None else str(text)


def _completed(output: JSON, execution_count: int | None) -> JSON:
    kind = output.get("output_type")
    if kind == "stream":
        return {"name": "stdout", **output, "text": _lines_joined(output.get("text"))}
    if kind not in _SHOWN:
        return output
    data = output.get("data")
    shown = {k: v if _is_json(k) else _lines_joined(v) for k, v in _mapping(data).items()}
    full = {**output, "data": shown, "metadata": output.get("metadata") or {}}
    return {"execution_count": execution_count, **full} if kind == "execute_result" else full


def _cell_output(output: JSON, execution_count: int | None) -> JSON:
    full = _completed(output, execution_count)
    kind = output.get("output_type")
    if kind == "stream":
        return {"output_type": kind, "name": str(full["name"]), "text": joined(full["text"])}
    if kind == "error":
        traceback = output.get("traceback")
        lines = traceback if isinstance(traceback, list) else [traceback or ""]
        return {
            "output_type": kind,
            "ename": str(output.get("ename") or "Error"),
            "evalue": str(output.get("evalue") or ""),
            "traceback": [str(line) for line in lines],
        }
    if kind not in _SHOWN:
        return {}
    data = {k: v if _is_json(k) else joined(v) for k, v in full["data"].items()}
    shown = {
        "output_type": kind,
        "data": with_table(data),
        "metadata": _mapping(full["metadata"]),
    }
    if kind == "execute_result":
        shown["execution_count"] = full["execution_count"]
    return shown


def _without_table(output: JSON) -> JSON:
    """Take away the table that was made for a data frame."""
    data = output.get("data")
    if not isinstance(data, dict) or DATAFRAME_MIME not in data:
        return output
    made = with_table({DATAFRAME_MIME: data[DATAFRAME_MIME]})
    made.pop(DATAFRAME_MIME)
    left = {mime: value for mime, value in data.items() if value != made.get(mime)}
    return {**output, "data": left}


def _lines_joined(text: Any) -> Any:
    return joined(text) if isinstance(text, list) else text


def _mapping(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}


def _is_json(mime: str) -> bool:
    return mime == "application/json" or mime.endswith("+json")

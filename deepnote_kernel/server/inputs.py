"""Input blocks: what values they take, and the assignment each becomes in the kernel.

Source: deepnote-toolkit and Deepnote's runs reference on ``inputs``, read 2026-11-20. A value must
have the block's own JSON type: a slider takes the text of a number, never a number.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from deepnote_kernel.server.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deepnote_kernel.server.store import Block

__all__ = ["assignment", "check_inputs", "describe_inputs", "variable_name"]

JSON = dict[str, Any]

PREFIX = "input-"


def variable_name(metadata: JSON) -> str:
    """Return the variable an input block sets, made fit for Python as Deepnote does."""
    name = str(metadata.get("deepnote_variable_name") or "unnamed_variable")
    name = re.sub(r"[^0-9A-Za-z_]", "", re.sub(r"\s", "_", name))
    return re.sub(r"^[^A-Za-z]+", "", name) or "input_1"


def describe_inputs(blocks: Iterable[Block]) -> list[JSON]:
    """Return the inputs of a notebook as ``GET /notebooks/{id}`` shows them."""
    return [_describe(block) for block in blocks if block.type.startswith(PREFIX)]


def check_inputs(blocks: Iterable[Block], inputs: JSON) -> None:
    """Refuse values for inputs a notebook does not have, and values of the wrong type.

    Raises:
        BadRequestError: Naming the input and what it takes.
    """
    known = {variable_name(b.metadata): b for b in blocks if b.type.startswith(PREFIX)}
    for name, value in inputs.items():
        block = known.get(name)
        if block is None:
            raise BadRequestError(f'Input "{name}" is not defined for this notebook')
        wanted = _mismatch(block.type, block.metadata, value)
        if wanted:
            raise BadRequestError(f'Input "{name}" must be {wanted}')


def assignment(block_type: str, metadata: JSON, inputs: JSON) -> str:
    """Return the Python statements that set an input block's variable.

    Args:
        block_type: The block's type, ``input-text`` for example.
        metadata: The block's metadata, which holds its stored value.
        inputs: Values of this run by variable name; they win over the stored one.
    """
    name = variable_name(metadata)
    value = inputs.get(name, _stored(block_type, metadata))
    if block_type == "input-slider":
        number = float(value) if _is_number(value) else 0.0
        return f"{name} = {int(number) if number.is_integer() else number!r}"
    if block_type == "input-date":
        return f"{name} = {_date(value)}"
    if block_type == "input-date-range":
        ends = value if isinstance(value, list) else ["", ""]
        return f"{name} = [{', '.join(_date(end) for end in ends)}]"
    if block_type in ("input-select", "input-file") and value == "":
        value = None
    return f"{name} = {value!r}"


def _describe(block: Block) -> JSON:
    metadata = block.metadata
    is_slider = block.type == "input-slider"
    return {
        "name": variable_name(metadata),
        "type": block.type,
        "value": _stored(block.type, metadata),
        "label": metadata.get("deepnote_input_label") or "",
        "options": [str(option) for option in metadata.get("deepnote_variable_options") or []],
        "multiple": _is_multiple(block.type, metadata),
        "min": metadata.get("deepnote_slider_min_value", 0) if is_slider else None,
        "max": metadata.get("deepnote_slider_max_value", 100) if is_slider else None,
        "step": metadata.get("deepnote_slider_step", 1) if is_slider else None,
        "blockId": block.id,
    }


def _stored(block_type: str, metadata: JSON) -> Any:
    value = metadata.get("deepnote_variable_value")
    if value is None:
        value = metadata.get("deepnote_variable_default_value")
    if value is not None:
        return value
    if _is_multiple(block_type, metadata):
        return []
    return {"input-checkbox": False, "input-slider": "0"}.get(block_type, "")


def _is_multiple(block_type: str, metadata: JSON) -> bool:
    return block_type == "input-select" and bool(metadata.get("deepnote_allow_multiple_values"))


def _mismatch(block_type: str, metadata: JSON, value: Any) -> str:
    """Say what a value should have been, or nothing where it is right."""
    if block_type == "input-checkbox":
        return "" if isinstance(value, bool) else "a boolean"
    if _is_multiple(block_type, metadata):
        return "" if _is_texts(value) else "a list of strings"
    if block_type == "input-date-range" and isinstance(value, list):
        return "" if _is_texts(value) and len(value) == len(("from", "to")) else "two strings"
    if not isinstance(value, str):
        return "a string"
    if block_type == "input-slider" and not _is_number(value):
        return "a string that holds a number"
    return ""


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(text: Any) -> bool:
    try:
        return math.isfinite(float(text))
    except (TypeError, ValueError):
        return False


def _date(text: Any) -> str:
    """Return the expression for an ISO date or time; ``None`` for an empty one."""
    return f"__import__('datetime').date.fromisoformat({str(text)[:10]!r})" if text else "None"

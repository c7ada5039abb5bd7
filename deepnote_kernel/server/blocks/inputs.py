"""Inputs of a notebook as the API sees them: what it lists and which values it takes.

Source: Deepnote's runs reference on ``inputs``, read 2026-11-20. A value must have the block's own
JSON type: a slider takes the text of a number, never a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepnote_kernel.server.errors import BadRequestError
from deepnote_kernel.snapshot.inputs import (
    INPUT_PREFIX,
    is_date,
    is_multiple,
    is_number,
    stored_value,
    variable_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deepnote_kernel.server.storage.store import Block

__all__ = ["check_inputs", "describe_inputs"]

JSON = dict[str, Any]


def describe_inputs(blocks: Iterable[Block]) -> list[JSON]:
    """Return the inputs of a notebook as ``GET /notebooks/{id}`` shows them."""
    return [_describe(block) for block in blocks if block.type.startswith(INPUT_PREFIX)]


def check_inputs(blocks: Iterable[Block], inputs: JSON) -> None:
    """Refuse values for inputs a notebook does not have, and values of the wrong type.

    Raises:
        BadRequestError: Naming the input and what it takes.
    """
    known = {variable_name(b.metadata): b for b in blocks if b.type.startswith(INPUT_PREFIX)}
    for name, value in inputs.items():
        block = known.get(name)
        if block is None:
            raise BadRequestError(f'Input "{name}" is not defined for this notebook')
        wanted = _mismatch(block.type, block.metadata, value)
        if wanted:
            raise BadRequestError(f'Input "{name}" must be {wanted}')


def _describe(block: Block) -> JSON:
    metadata = block.metadata
    is_slider = block.type == "input-slider"
    return {
        "name": variable_name(metadata),
        "type": block.type,
        "value": _shown(stored_value(block.type, metadata)),
        "label": str(metadata.get("deepnote_input_label") or ""),
        "options": _texts(metadata.get("deepnote_variable_options")),
        "multiple": is_multiple(block.type, metadata),
        "min": _number(metadata.get("deepnote_slider_min_value"), 0) if is_slider else None,
        "max": _number(metadata.get("deepnote_slider_max_value"), 100) if is_slider else None,
        "step": _number(metadata.get("deepnote_slider_step"), 1) if is_slider else None,
        "blockId": block.id,
    }


def _shown(value: Any) -> Any:
    """Return a value as one of the types clients take: a boolean, a text or a list of texts."""
    if isinstance(value, list):
        return _texts(value)
    return value if isinstance(value, bool) else str(value)


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _number(value: Any, default: float) -> float:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def _mismatch(block_type: str, metadata: JSON, value: Any) -> str:
    """Say what a value should have been, or nothing where it is right."""
    if block_type == "input-date-range" and isinstance(value, list):
        is_range = _is_texts(value) and len(value) == len(("from", "to"))
        return "" if is_range and all(map(is_date, value)) else "two dates such as 2026-11-20"
    if block_type == "input-checkbox":
        is_right, wanted = isinstance(value, bool), "a boolean"
    elif is_multiple(block_type, metadata):
        is_right, wanted = _is_texts(value), "a list of strings"
    else:
        is_right, wanted = isinstance(value, str), "a string"
    if is_right and block_type == "input-slider":
        is_right, wanted = is_number(value), "a string that holds a number"
    if is_right and block_type == "input-date":
        is_right, wanted = is_date(value), "a date such as 2026-11-20"
    return "" if is_right else wanted


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)

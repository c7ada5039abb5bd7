"""Input blocks: the variable each sets, the value it stores, and the Python it stands for.

Source: deepnote/deepnote, ``packages/blocks`` (``input-blocks.ts``, ``button-blocks.ts``), read
2026-11-20.
"""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any

__all__ = [
    "INPUT_PREFIX",
    "assignment",
    "is_date",
    "is_multiple",
    "is_number",
    "stored_value",
    "variable_name",
]

JSON = dict[str, Any]

INPUT_PREFIX = "input-"
"""What the type of every input block begins with."""

_RELATIVE_RANGES = {
    "past7days": "days=7",
    "past14days": "days=14",
    "pastMonth": "months=1",
    "past3months": "months=3",
    "past6months": "months=6",
    "pastYear": "years=1",
}
_CUSTOM_RANGE = re.compile(r"customDays(\d{1,6})")
_DATE_VERSION = 2  # blocks written before it hold a time, and set a ``datetime``
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z", re.ASCII)

_IMPORT_DATE = "from datetime import date as _date\n"
_IMPORT_DATETIME = "from datetime import datetime as _datetime\n"
_IMPORT_DELTA = "from dateutil.relativedelta import relativedelta as _relativedelta\n"


def variable_name(metadata: JSON) -> str:
    """Return the variable a block sets, made fit for Python as Deepnote does."""
    name = str(metadata.get("deepnote_variable_name") or "unnamed_variable")
    name = re.sub(r"[^0-9A-Za-z_]", "", re.sub(r"\s+", "_", name))
    return re.sub(r"^[^A-Za-z_]+", "", name) or "input_1"


def stored_value(block_type: str, metadata: JSON) -> Any:
    """Return the value an input block holds, else its default, else nothing of the right type."""
    value = metadata.get("deepnote_variable_value")
    if value is None:
        value = metadata.get("deepnote_variable_default_value")
    if value is not None:
        return value
    if is_multiple(block_type, metadata):
        return []
    return {"input-checkbox": False, "input-slider": "0"}.get(block_type, "")


def is_multiple(block_type: str, metadata: JSON) -> bool:
    """Whether an input block takes several values at once."""
    return block_type == "input-select" and bool(metadata.get("deepnote_allow_multiple_values"))


def is_number(text: Any) -> bool:
    """Whether a text is that of a finite number, as a slider holds it."""
    try:
        return math.isfinite(float(text))
    except (TypeError, ValueError):
        return False


def is_date(text: str) -> bool:
    """Whether a text is empty, an ISO date, or a time as blocks of the first version hold it."""
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return text == ""
    return True


def assignment(block_type: str, metadata: JSON, value: Any = None) -> str:
    """Return the Python statements that set the variable of an input block or a button.

    Args:
        block_type: The block's type, ``input-text`` for example.
        metadata: The block's metadata, which holds its stored value.
        value: The value of one run; ``None`` for the stored one.

    Returns:
        The statements, or nothing for a button that sets no variable.
    """
    name = variable_name(metadata)
    if value is None:
        value = stored_value(block_type, metadata)
    if block_type == "button":
        is_variable = metadata.get("deepnote_button_behavior") == "set_variable"
        has_name = bool(metadata.get("deepnote_variable_name"))
        return f"{name} = {value is True}" if is_variable and has_name else ""
    if block_type == "input-date":
        imports, expression = _date_of(value, metadata)
        return f"{imports}{name} = {expression}"
    if block_type == "input-date-range":
        imports, expression = _range_of(value)
        return f"{imports}{name} = {expression}"
    return f"{name} = {_plain(block_type, metadata, value)}"


def _plain(block_type: str, metadata: JSON, value: Any) -> str:
    """Return the expression of a value that needs no import."""
    if block_type == "input-slider":
        number = float(value) if is_number(value) else 0.0
        return str(int(number)) if number.is_integer() else repr(number)
    if is_multiple(block_type, metadata) and not isinstance(value, list):
        value = [value] if value else []
    if block_type in {"input-select", "input-file"} and value == "":
        value = None
    return repr(value)


def _date_of(value: Any, metadata: JSON) -> tuple[str, str]:
    """Return what a date's expression imports, and the expression."""
    text = str(value or "")
    is_time = metadata.get("deepnote_input_date_version") != _DATE_VERSION
    if is_time and _TIME.fullmatch(text):
        return _IMPORT_DATETIME, f"_datetime.strptime({text!r}, {_TIME_FORMAT!r})"
    return (_IMPORT_DATE if text else ""), _date(text)


def _range_of(value: Any) -> tuple[str, str]:
    """Return what a range's expression imports, and the expression: two dates or ``None`` each."""
    if isinstance(value, list):
        ends = [str(end or "") for end in (*value, "", "")[:2]]
        return (_IMPORT_DATE if any(ends) else ""), f"[{', '.join(map(_date, ends))}]"
    custom = _CUSTOM_RANGE.fullmatch(str(value))
    span = f"days={int(custom[1])}" if custom else _RELATIVE_RANGES.get(str(value))
    if span is None:
        return "", "[None, None]"
    return (
        _IMPORT_DATE + _IMPORT_DELTA,
        f"[_date.today() - _relativedelta({span}), _date.today()]",
    )


def _date(text: str) -> str:
    """Return the expression for an ISO date or time; ``None`` for an empty one."""
    return f"_date.fromisoformat({text[:10]!r})" if text else "None"

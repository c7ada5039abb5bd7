"""What Deepnote's own tools demand of a document, beyond the types of its parts; and unique ids.

Source: deepnote/deepnote, ``packages/blocks`` (``deepnote-file-schema.ts``), read 2026-11-20.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from deepnote_kernel.errors import DocumentError
from deepnote_kernel.snapshot.models import to_builtins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deepnote_kernel.snapshot.models import Block, Document, Notebook

__all__ = ["BLOCK_TYPES", "has_valid_metadata", "validate"]

Problem: TypeAlias = tuple[str, str, str]
Check: TypeAlias = "tuple[Callable[[Any], bool], str]"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_server(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_texts([value.get("name"), value.get("command")])
        and _is_texts(value.get("args", []))
        and _TEXTS_BY_NAME[0](value.get("env", {}))
    )


def _one_of(*values: str) -> Check:
    return values.__contains__, "one of " + ", ".join(values)


_TEXT: Check = (lambda value: isinstance(value, str), "a text")
_BOOLEAN: Check = (lambda value: isinstance(value, bool), "true or false")
_NUMBER: Check = (_is_number, "a number")
_TEXTS: Check = (_is_texts, "a list of texts")
_LIST: Check = (lambda value: isinstance(value, list), "a list")
_MAPPING: Check = (lambda value: isinstance(value, dict), "a mapping")
_TEXT_OR_NULL: Check = (lambda value: value is None or isinstance(value, str), "a text or null")
_TEXT_OR_TEXTS: Check = (
    lambda value: isinstance(value, str) or _is_texts(value),
    "a text or a list of texts",
)
_TEXT_OR_PAIR: Check = (
    lambda value: isinstance(value, str) or (_is_texts(value) and len(value) == len("ab")),
    "a text or two texts",
)
_TEXTS_BY_NAME: Check = (
    lambda value: isinstance(value, dict) and _is_texts([*value.values()]),
    "a mapping of texts",
)
_COUNT: Check = (lambda value: isinstance(value, int) and value >= 0, "a number from 0")
_DURATION: Check = (lambda value: _is_number(value) and value >= 0, "a number from 0")
_SERVERS: Check = (
    lambda value: isinstance(value, list) and all(map(_is_server, value)),
    "a list of servers, each with a name, a command and maybe args and env",
)
_ANYTHING: Check = (lambda _: True, "anything")
_EMBED: Check = (
    lambda value: isinstance(value, bool) or value in ("code_output", "code", "output"),
    "a boolean, code_output, code or output",
)
_HEIGHTS: Check = (
    lambda value: isinstance(value, list) and all(x is None or _is_number(x) for x in value),
    "a list of numbers",
)

_ANY_BLOCK = {
    "deepnote_app_is_code_hidden": _BOOLEAN,
    "deepnote_app_is_output_hidden": _BOOLEAN,
    "deepnote_app_block_visible": _BOOLEAN,
    "deepnote_app_block_width": _NUMBER,
    "deepnote_app_block_group_id": _TEXT_OR_NULL,
    "deepnote_app_block_subgroup_id": _TEXT,
    "deepnote_app_block_order": _NUMBER,
}
_EXECUTABLE = {
    "allow_embed": _EMBED,
    "is_code_hidden": _BOOLEAN,
    "is_output_hidden": _BOOLEAN,
    "output_cleared": _BOOLEAN,
    "execution_start": _NUMBER,
    "execution_millis": _NUMBER,
    "source_hash": _TEXT,
    "execution_context_id": _TEXT,
    "deepnote_cell_height": _NUMBER,
    "deepnote_output_heights": _HEIGHTS,
    "deepnote_table_state": _MAPPING,
    "last_executed_function_notebook_id": _TEXT,
    "last_function_run_started_at": _NUMBER,
    "function_notebook_export_states": _MAPPING,
}
_TEXT_CELL = {"is_collapsed": _BOOLEAN, "formattedRanges": _LIST}
_INPUT = {
    "deepnote_variable_name": _TEXT,
    "deepnote_input_label": _TEXT,
    "deepnote_variable_value": _TEXT,
}

_PLAIN_TYPES: dict[str, Mapping[str, Check]] = {
    "markdown": {"deepnote_cell_height": _NUMBER},
    "image": {
        "deepnote_img_src": _TEXT,
        "deepnote_img_width": _one_of("actual", "50%", "75%", "100%"),
        "deepnote_img_alignment": _one_of("left", "center", "right"),
    },
    "separator": {},
    "text-cell-h1": _TEXT_CELL,
    "text-cell-h2": _TEXT_CELL,
    "text-cell-h3": _TEXT_CELL,
    "text-cell-p": _TEXT_CELL,
    "text-cell-bullet": _TEXT_CELL,
    "text-cell-todo": _TEXT_CELL | {"checked": _BOOLEAN},
    "text-cell-callout": _TEXT_CELL
    | {"color": _one_of("blue", "green", "yellow", "red", "purple")},
}
_EXECUTABLE_TYPES: dict[str, Mapping[str, Check]] = {
    "agent": {"deepnote_agent_model": _TEXT, "deepnote_mcp_servers": _SERVERS},
    "code": {"function_export_name": _TEXT},
    "sql": {
        "deepnote_variable_name": _TEXT,
        "deepnote_return_variable_type": _one_of("dataframe", "query_preview"),
        "sql_integration_id": _TEXT,
        "is_compiled_sql_query_visible": _BOOLEAN,
        "function_export_name": _TEXT,
    },
    "notebook-function": {
        "function_notebook_id": _TEXT_OR_NULL,
        "function_notebook_inputs": _MAPPING,
        "function_notebook_export_mappings": _MAPPING,
    },
    "visualization": {
        "deepnote_variable_name": _TEXT,
        "deepnote_visualization_spec": _MAPPING,
        "deepnote_config_collapsed": _BOOLEAN,
        "deepnote_chart_height": _NUMBER,
        "deepnote_chart_filter": _MAPPING,
    },
    "button": {
        "deepnote_button_title": _TEXT,
        "deepnote_button_color_scheme": _one_of("blue", "red", "neutral", "green", "yellow"),
        "deepnote_button_behavior": _one_of("run", "set_variable"),
        "deepnote_variable_name": _TEXT,
    },
    "big-number": {
        "deepnote_big_number_title": _TEXT,
        "deepnote_big_number_value": _TEXT,
        "deepnote_big_number_format": _TEXT,
        "deepnote_big_number_comparison_enabled": _BOOLEAN,
        "deepnote_big_number_comparison_title": _TEXT,
        "deepnote_big_number_comparison_value": _TEXT,
        "deepnote_big_number_comparison_type": _TEXT,
        "deepnote_big_number_comparison_format": _TEXT,
    },
    "pivot-table": {},
    "input-text": _INPUT,
    "input-textarea": _INPUT,
    "input-checkbox": _INPUT
    | {"deepnote_variable_value": _BOOLEAN, "deepnote_input_checkbox_label": _TEXT},
    "input-select": _INPUT
    | {
        "deepnote_variable_value": _TEXT_OR_TEXTS,
        "deepnote_variable_options": _TEXTS,
        "deepnote_variable_custom_options": _TEXTS,
        "deepnote_variable_selected_variable": _TEXT,
        "deepnote_variable_select_type": _one_of("from-options", "from-variable"),
        "deepnote_allow_multiple_values": _BOOLEAN,
        "deepnote_allow_empty_values": _BOOLEAN,
    },
    "input-slider": _INPUT
    | {
        "deepnote_slider_min_value": _NUMBER,
        "deepnote_slider_max_value": _NUMBER,
        "deepnote_slider_step": _NUMBER,
    },
    "input-date": _INPUT
    | {"deepnote_allow_empty_values": _BOOLEAN, "deepnote_input_date_version": _NUMBER},
    "input-date-range": _INPUT | {"deepnote_variable_value": _TEXT_OR_PAIR},
    "input-file": _INPUT | {"deepnote_allowed_file_extensions": _TEXT},
}

BLOCK_TYPES = frozenset(_PLAIN_TYPES | _EXECUTABLE_TYPES)
"""Every type a block may have; Deepnote's tools refuse a document with another."""

_SETTINGS = {
    "environment": _MAPPING,
    "mcpServers": _SERVERS,
    "requirements": _TEXTS,
    "sqlCacheMaxAge": _NUMBER,
}
_ENVIRONMENT = {
    "customImage": _TEXT,
    "hash": _TEXT,
    "packages": _TEXTS_BY_NAME,
    "platform": _TEXT,
    "python": _MAPPING,
}
_PYTHON = {
    "environment": _one_of("uv", "conda", "venv", "poetry", "system"),
    "version": _TEXT,
}
_OLD_ENVIRONMENT = {"customImage": _TEXT, "pythonVersion": _TEXT}
_SUMMARY = {
    "blocksExecuted": _COUNT,
    "blocksFailed": _COUNT,
    "blocksSucceeded": _COUNT,
    "totalDurationMs": _DURATION,
}

_HASH = re.compile(r"([A-Za-z0-9]+:)?[A-Fa-f0-9]+", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)


def validate(document: Document) -> None:
    """Check that Deepnote's tools will take a document.

    Raises:
        DocumentError: They would not; the message and its ``path`` name the first offending part.
    """
    for path, what, remedy in _problems(document):
        raise DocumentError(f"{path} {what}.", remedy, path=path)


def has_valid_metadata(block: Block) -> bool:
    """Whether Deepnote's tools will take the metadata of a block of its type."""
    return not any(_metadata_problems("", block))


def _problems(document: Document) -> Iterator[Problem]:
    """Yield a path, what is wrong there and what to do about it, for each problem."""
    project, environment = document.project, document.environment or {}
    settings = project.settings or {}
    yield from _checked("environment", environment, _ENVIRONMENT)
    yield from _checked("environment.python", environment.get("python"), _PYTHON)
    yield from _checked("project.settings", settings, _SETTINGS)
    yield from _checked(
        "project.settings.environment", settings.get("environment"), _OLD_ENVIRONMENT
    )
    if execution := document.execution:
        yield from _time("execution.startedAt", execution.started_at)
        yield from _time("execution.finishedAt", execution.finished_at)
        yield from _checked("execution.summary", to_builtins(execution.summary), _SUMMARY)
    for number, notebook in enumerate(project.notebooks):
        yield from _notebook_problems(f"project.notebooks[{number}]", notebook)
    yield from _duplicates("project.notebooks", [notebook.id for notebook in project.notebooks])


def _notebook_problems(path: str, notebook: Notebook) -> Iterator[Problem]:
    if notebook.execution_mode not in (None, "block", "downstream"):
        yield f"{path}.executionMode", "must be block or downstream", "Change or remove it."
    for number, block in enumerate(notebook.blocks):
        yield from _block_problems(f"{path}.blocks[{number}]", block)
    yield from _duplicates(f"{path}.blocks", [block.id for block in notebook.blocks])


def _block_problems(path: str, block: Block) -> Iterator[Problem]:
    if block.type not in BLOCK_TYPES:
        remedy = f"Use one of {', '.join(sorted(BLOCK_TYPES))}."
        yield f"{path}.type", f"is {block.type!r}, which no block has", remedy
    if not block.block_group:
        yield f"{path}.blockGroup", "is missing", "Give the block a group of its own."
    if not block.sorting_key:
        yield f"{path}.sortingKey", "is missing", "Number the blocks: 000000, 000001 and so on."
    if block.content_hash is not None and not _HASH.fullmatch(block.content_hash):
        yield f"{path}.contentHash", "must be hexadecimal", "Remove it; it is optional."
    if block.type in _EXECUTABLE_TYPES:
        yield from _time(f"{path}.executionStartedAt", block.execution_started_at)
        yield from _time(f"{path}.executionFinishedAt", block.execution_finished_at)
    yield from _metadata_problems(f"{path}.metadata", block)


def _metadata_problems(path: str, block: Block) -> Iterator[Problem]:
    metadata = block.metadata
    yield from _checked(path, metadata, _checks(block.type))
    if block.type == "notebook-function" and metadata and "function_notebook_id" not in metadata:
        yield f"{path}.function_notebook_id", "is missing", "Give the notebook's id, or null."


def _checked(path: str, mapping: Any, checks: Mapping[str, Check]) -> Iterator[Problem]:
    for name, value in mapping.items() if isinstance(mapping, dict) else ():
        is_right, wanted = checks.get(name, _ANYTHING)
        if not is_right(value):
            yield f"{path}.{name}", f"must be {wanted}", "Change or remove it."


def _checks(block_type: str) -> dict[str, Check]:
    if block_type in _PLAIN_TYPES:
        return {**_ANY_BLOCK, **_PLAIN_TYPES[block_type]}
    known = {**_ANY_BLOCK, **_EXECUTABLE, **_EXECUTABLE_TYPES.get(block_type, {})}
    if "deepnote_variable_value" in known and block_type != "input-file":
        is_right, wanted = known["deepnote_variable_value"]
        known["deepnote_variable_default_value"] = (
            lambda value: value is None or is_right(value),
            f"{wanted}, or null",
        )
    return known


def _time(path: str, time: str | None) -> Iterator[Problem]:
    if time is not None and not _is_time(time):
        yield path, "must be a UTC time that ends in Z", "Write it as 2026-11-20T12:00:00.000Z."


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text[: len("2026-11-20T12:00:00")])
    except ValueError:
        return False
    return _TIME.fullmatch(text) is not None


def _duplicates(path: str, ids: list[str]) -> Iterator[Problem]:
    for one, count in Counter(ids).items():
        if count > 1:
            yield path, f"has {count} entries with the id {one!r}", "Give each its own."

"""What Deepnote's tools take, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from deepnote_kernel.errors import DocumentError
from deepnote_kernel.snapshot import Document, Notebook, from_builtins, new_document, validate
from deepnote_kernel.snapshot.validation import BLOCK_TYPES

JSON = dict[str, Any]

TIME = "2026-11-20T12:00:00.000Z"
BLOCK = "project.notebooks[0].blocks[1]"


def document(**block: Any) -> Document:
    """Return a document whose second block is this."""
    fields = {"blockGroup": "g", "sortingKey": "a0", "metadata": {}}
    first = {"id": "a", "type": "code", **fields}
    second = {"id": "b", "type": "code", **fields, **block}
    data = {"id": "n", "name": "Notebook", "blocks": [first, second]}
    return new_document([from_builtins(data, Notebook)], name="Project")


def changed(**parts: JSON) -> Document:
    """Return a document with these parts."""
    project = {"id": "p", "name": "P", "notebooks": []}
    data: JSON = {"metadata": {"createdAt": TIME}, "project": project}
    for name, part in parts.items():
        data[name] = {**data.get(name, {}), **part}
    return from_builtins(data, Document)


@pytest.mark.parametrize("block_type", sorted(BLOCK_TYPES))
def test_a_block_of_every_type_is_taken(block_type: str) -> None:
    """With nothing but what every block has, and with keys nobody knows."""
    validate(document(type=block_type))
    known = {"function_notebook_id": None} if block_type == "notebook-function" else {}
    validate(document(type=block_type, metadata={"newer": [1], **known}))


@pytest.mark.parametrize(
    ("block_type", "metadata"),
    [
        ("code", {"allow_embed": "code_output", "deepnote_output_heights": [1, None]}),
        ("image", {"deepnote_img_width": "50%", "deepnote_img_alignment": "center"}),
        ("input-checkbox", {"deepnote_variable_value": True}),
        ("input-text", {"deepnote_variable_default_value": None}),
        ("input-select", {"deepnote_variable_value": ["a"]}),
        ("input-date-range", {"deepnote_variable_value": ["a", "b"]}),
        ("agent", {"deepnote_mcp_servers": [{"name": "n", "command": "c", "args": ["a"]}]}),
    ],
)
def test_metadata_of_the_right_type_is_taken(block_type: str, metadata: JSON) -> None:
    """Also where there are several right types."""
    validate(document(type=block_type, metadata=metadata))


@pytest.mark.parametrize(
    ("block", "path", "message"),
    [
        ({"type": "cell"}, f"{BLOCK}.type", "is 'cell', which no block has"),
        ({"blockGroup": ""}, f"{BLOCK}.blockGroup", "is missing"),
        ({"sortingKey": ""}, f"{BLOCK}.sortingKey", "is missing"),
        ({"contentHash": "sha256:x"}, f"{BLOCK}.contentHash", "must be hexadecimal"),
        ({"executionStartedAt": "now"}, f"{BLOCK}.executionStartedAt", "ends in Z"),
        (
            {"executionFinishedAt": "2026-11-20T12:00:00+00:00"},
            f"{BLOCK}.executionFinishedAt",
            "ends in Z",
        ),
        ({"executionStartedAt": "2026-02-30T12:00:00Z"}, f"{BLOCK}.executionStartedAt", "UTC time"),
        ({"id": "a"}, "project.notebooks[0].blocks", "2 entries with the id 'a'"),
        (
            {"metadata": {"is_code_hidden": 1}},
            f"{BLOCK}.metadata.is_code_hidden",
            "must be true or false",
        ),
        (
            {"type": "input-slider", "metadata": {"deepnote_variable_value": 7}},
            f"{BLOCK}.metadata.deepnote_variable_value",
            "must be a text",
        ),
        (
            {"type": "input-checkbox", "metadata": {"deepnote_variable_default_value": "x"}},
            f"{BLOCK}.metadata.deepnote_variable_default_value",
            "must be true or false, or null",
        ),
        (
            {"type": "text-cell-callout", "metadata": {"color": "pink"}},
            f"{BLOCK}.metadata.color",
            "must be one of blue, green",
        ),
        (
            {"type": "agent", "metadata": {"deepnote_mcp_servers": [{"name": "n"}]}},
            f"{BLOCK}.metadata.deepnote_mcp_servers",
            "must be a list of servers",
        ),
        (
            {"type": "notebook-function", "metadata": {"x": 1}},
            f"{BLOCK}.metadata.function_notebook_id",
            "is missing",
        ),
    ],
)
def test_a_wrong_block_is_named(block: JSON, path: str, message: str) -> None:
    """By the path of what is wrong in it, with a remedy, in one line."""
    with pytest.raises(DocumentError, match=message) as caught:
        validate(document(**block))
    assert caught.value.path == path
    assert str(caught.value).startswith(path)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "part", "path"),
    [
        ("environment", {"packages": {"numpy": 2}}, "environment.packages"),
        ("environment", {"python": {"environment": "pip"}}, "environment.python.environment"),
        ("execution", {"startedAt": "now"}, "execution.startedAt"),
        ("execution", {"finishedAt": "now"}, "execution.finishedAt"),
        (
            "execution",
            {"summary": {"blocksExecuted": -1}},
            "execution.summary.blocksExecuted",
        ),
        ("project", {"settings": {"requirements": "numpy"}}, "project.settings.requirements"),
        (
            "project",
            {"settings": {"environment": {"pythonVersion": 3}}},
            "project.settings.environment.pythonVersion",
        ),
        (
            "project",
            {"notebooks": [{"id": "n", "name": "N", "blocks": [], "executionMode": "all"}]},
            "project.notebooks[0].executionMode",
        ),
        (
            "project",
            {"notebooks": [{"id": "n", "name": "N", "blocks": []}] * 2},
            "project.notebooks",
        ),
    ],
)
def test_a_wrong_part_is_named(name: str, part: JSON, path: str) -> None:
    """Wherever in the document it is."""
    with pytest.raises(DocumentError) as caught:
        validate(changed(**{name: part}))
    assert caught.value.path == path


def test_times_of_text_do_not_matter() -> None:
    """Text does not run; Deepnote's tools do not look at them."""
    validate(document(type="markdown", executionStartedAt="whenever"))

"""``.deepnote`` documents as msgspec structs.

Every struct keeps the keys it has no field for in ``extra``, so that a document that is read and
written again loses nothing a newer Deepnote has put there. ``None`` stands for a key that is absent
or null; it is not written. Times are texts: UTC, ISO 8601, ending in ``Z``.

Source: deepnote/deepnote, ``packages/blocks`` (``deepnote-file-schema.ts``), and documents of its
public examples, read 2026-11-20.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin

import msgspec

from deepnote_kernel.errors import DocumentError

__all__ = [
    "VERSION",
    "Block",
    "Document",
    "Execution",
    "ExecutionError",
    "ExecutionSummary",
    "Integration",
    "Metadata",
    "Model",
    "Notebook",
    "Project",
    "from_builtins",
    "to_builtins",
]

JSON = dict[str, Any]
M = TypeVar("M", bound="Model")

VERSION = "1.0.0"
"""The version of the format that is written."""


class Model(msgspec.Struct, kw_only=True, rename="camel"):
    """Base of the parts of a document; fields are named as in the document, in snake case."""

    extra: JSON = {}
    """Keys that have no field here, as they were read."""

    children: ClassVar[dict[str, Any]] = {}
    """The types of the keys that hold a model, or a list of them."""


class Block(Model, kw_only=True):
    """One block of a notebook: code, text, an input, a chart."""

    id: str
    type: str
    block_group: str = ""
    """Blocks of one group stand side by side."""

    sorting_key: str = ""
    """Where the block stands: keys sort as the blocks do."""

    content: str = ""
    content_hash: str | None = None
    """``sha256:`` and the hash of the content; see :func:`content_hash`."""

    version: int | float | None = None
    metadata: JSON = {}
    execution_count: int | None = None
    execution_started_at: str | None = None
    execution_finished_at: str | None = None
    outputs: list[JSON] | None = None
    """nbformat outputs; ``None`` where the block has not run."""


class Notebook(Model, kw_only=True):
    """A notebook: its blocks, in order."""

    id: str
    name: str
    blocks: list[Block]
    execution_mode: str | None = None
    """``block``, or ``downstream`` where a block's dependents run with it."""

    is_module: bool | None = None
    working_directory: str | None = None

    children = {"blocks": list[Block]}


class Integration(Model, kw_only=True):
    """A connection to a database or service that the project's blocks name."""

    id: str
    name: str
    type: str


class Project(Model, kw_only=True):
    """A project: notebooks and what they share."""

    id: str
    name: str
    notebooks: list[Notebook]
    init_notebook_id: str | None = None
    integrations: list[Integration] | None = None
    settings: JSON | None = None

    children = {"notebooks": list[Notebook], "integrations": list[Integration]}


class Metadata(Model, kw_only=True):
    """When a document was made and changed."""

    created_at: str
    modified_at: str | None = None
    exported_at: str | None = None
    checksum: str | None = None
    snapshot_hash: str | None = None
    """Identifies the sources a snapshot was made of; only a snapshot has it."""


class ExecutionSummary(Model, kw_only=True):
    """How many blocks a run executed, and how they ended."""

    blocks_executed: int | None = None
    blocks_succeeded: int | None = None
    blocks_failed: int | None = None
    total_duration_ms: int | float | None = None
    """Milliseconds."""


class ExecutionError(Model, kw_only=True):
    """What ended a run early."""

    name: str | None = None
    message: str | None = None
    traceback: list[str] | None = None


class Execution(Model, kw_only=True):
    """The run a snapshot records."""

    started_at: str | None = None
    finished_at: str | None = None
    triggered_by: Literal["user", "schedule", "api", "ci"] | None = None
    inputs: JSON | None = None
    """Values of input blocks for this run, by variable name."""

    summary: ExecutionSummary | None = None
    error: ExecutionError | None = None

    children = {"summary": ExecutionSummary, "error": ExecutionError}


class Document(Model, kw_only=True):
    """A whole document. With ``environment``, ``execution`` and a hash it is a snapshot."""

    version: str = VERSION
    metadata: Metadata
    project: Project
    environment: JSON | None = None
    """Where the run took place: image, packages, platform, Python."""

    execution: Execution | None = None

    children = {"metadata": Metadata, "project": Project, "execution": Execution}

    @property
    def is_snapshot(self) -> bool:
        """Whether the document records a run."""
        has_run = self.environment is not None and self.execution is not None
        return has_run and self.metadata.snapshot_hash is not None


def from_builtins(data: Any, model: type[M], path: str = "") -> M:
    """Build a model from dictionaries, lists and scalars.

    Args:
        data: What stands at that place of a document.
        model: What should stand there.
        path: The place, for messages: ``project.notebooks[0]``; empty for the whole document.

    Raises:
        DocumentError: A key is missing or of the wrong type; its path is named.
    """
    if not isinstance(data, dict):
        raise _wrong(path, f"must be a mapping, not {_kind(data)}")
    names = {field.encode_name for field in msgspec.structs.fields(model)} - {"extra"}
    known = {name: data[name] for name in names & data.keys() if data[name] is not None}
    for name, child in model.children.items():
        if name in known:
            known[name] = _child(known[name], child, f"{path}.{name}".lstrip("."))
    try:
        made = msgspec.convert(known, model)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        name = f"{path}{where.rstrip('`')}".lstrip(".")
        raise _wrong(name, f"is not valid: {_lower(what)}") from None
    made.extra = {name: value for name, value in data.items() if name not in names}
    return made


def to_builtins(value: Any) -> Any:
    """Return a model as dictionaries, lists and scalars, as a document holds them."""
    if isinstance(value, list):
        return [to_builtins(item) for item in value]
    if not isinstance(value, Model):
        return value
    fields = {f.encode_name: getattr(value, f.name) for f in msgspec.structs.fields(value)}
    del fields["extra"]
    # Empty metadata is left out too: Deepnote's tools want keys in some that is there.
    left_out: tuple[Any, ...] = (None, {}) if isinstance(value, Block) else (None,)
    return {k: to_builtins(v) for k, v in fields.items() if v not in left_out} | value.extra


def _child(value: Any, kind: Any, path: str) -> Any:
    if get_origin(kind) is not list:
        return from_builtins(value, kind, path)
    if not isinstance(value, list):
        raise _wrong(path, f"must be a list, not {_kind(value)}")
    (model,) = get_args(kind)
    return [from_builtins(v, model, f"{path}[{i}]") for i, v in enumerate(value)]


def _wrong(path: str, what: str) -> DocumentError:
    return DocumentError(f"{path or 'The document'} {what}.", path=path)


def _kind(value: Any) -> str:
    kinds = ((list, "a list"), (dict, "a mapping"), (str, "a text"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "a scalar")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]

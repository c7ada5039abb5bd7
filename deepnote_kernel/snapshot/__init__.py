"""``.deepnote`` documents and snapshots: read, write, validate, and turn into Jupyter notebooks."""

from deepnote_kernel.snapshot.document import dump, load, snapshot_document
from deepnote_kernel.snapshot.identity import (
    block_group,
    content_hash,
    executed_notebook,
    slug,
    snapshot_file_name,
    snapshot_hash,
    sorting_key,
)
from deepnote_kernel.snapshot.models import (
    Block,
    Document,
    Execution,
    ExecutionError,
    ExecutionSummary,
    Integration,
    Metadata,
    Notebook,
    Project,
    from_builtins,
    to_builtins,
)
from deepnote_kernel.snapshot.notebooks import (
    convert_file,
    from_nbformat,
    new_document,
    read_nbformat,
    to_nbformat,
)
from deepnote_kernel.snapshot.validation import validate

__all__ = [
    "Block",
    "Document",
    "Execution",
    "ExecutionError",
    "ExecutionSummary",
    "Integration",
    "Metadata",
    "Notebook",
    "Project",
    "block_group",
    "content_hash",
    "convert_file",
    "dump",
    "executed_notebook",
    "from_builtins",
    "from_nbformat",
    "load",
    "new_document",
    "read_nbformat",
    "slug",
    "snapshot_document",
    "snapshot_file_name",
    "snapshot_hash",
    "sorting_key",
    "to_builtins",
    "to_nbformat",
    "validate",
]

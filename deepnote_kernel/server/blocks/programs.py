"""What a block becomes in the kernel: the code that stands for it."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.errors import DeepnoteError
from deepnote_kernel.server.blocks import far_sql
from deepnote_kernel.snapshot.inputs import INPUT_PREFIX, assignment, variable_name
from deepnote_kernel.snapshot.python import DATAFRAME_INTEGRATION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from deepnote_kernel.server.storage.store import Block

__all__ = ["Program", "UnsupportedBlockError", "presets", "program_of"]

JSON = dict[str, Any]

_UNSUPPORTED = {"agent", "notebook-function"}
_FAR_MODULE = "_deepnote_sql"


class UnsupportedBlockError(DeepnoteError):
    """A block that runs on Deepnote alone."""


class Program(msgspec.Struct, frozen=True):
    """Code for the kernel."""

    code: str
    setup: str = ""
    """What must have run in the kernel before; running it again does no harm."""

    is_silent: bool = False
    """Whether it runs without a count, as nobody wrote it."""


def program_of(
    block: JSON, inputs: JSON | None = None, pressed: Collection[str] = ()
) -> Program | None:
    """Return the program of a block, or ``None`` where it has nothing to run.

    Text, images, charts and big numbers have nothing to run: they show what other blocks made.

    Args:
        block: ``id``, ``type``, ``content`` and ``metadata``, as documents have them.
        inputs: Values of this run by variable name; they win over the stored ones.
        pressed: Ids of the buttons that were pressed.

    Raises:
        UnsupportedBlockError: Only Deepnote can run it.
    """
    kind, metadata = block["type"], block["metadata"]
    if kind in _UNSUPPORTED:
        raise UnsupportedBlockError(f"Blocks of type {kind} do not run on this server")
    if kind == "code":
        return _program(block["content"])
    if kind == "sql":
        return _sql(block)
    if kind.startswith(INPUT_PREFIX):
        value = (inputs or {}).get(variable_name(metadata))
        return _program(assignment(kind, metadata, value), is_silent=True)
    if kind == "button":
        return _program(assignment(kind, metadata, block["id"] in pressed), is_silent=True)
    return None


def presets(blocks: Iterable[Block], inputs: JSON) -> str:
    """Return code that sets the inputs of a run whose blocks are not among those that run."""
    return "\n".join(
        assignment(block.type, block.metadata, inputs[name])
        for block in blocks
        if block.type.startswith(INPUT_PREFIX) and (name := variable_name(block.metadata)) in inputs
    )


def _program(code: str, *, is_silent: bool = False) -> Program | None:
    return Program(code, is_silent=is_silent) if code.strip() else None


def _sql(block: JSON) -> Program | None:
    metadata = block["metadata"]
    integration = metadata.get("sql_integration_id") or DATAFRAME_INTEGRATION
    if integration != DATAFRAME_INTEGRATION:
        raise UnsupportedBlockError(
            f"The SQL block queries integration {integration}, which this server cannot reach. "
            "Let it query dataframes instead."
        )
    if not block["content"].strip():
        return None
    is_preview = metadata.get("deepnote_return_variable_type") == "query_preview"
    far = f"__import__('sys').modules[{_FAR_MODULE!r}]"
    call = f"{far}.query({block['content']!r}, is_preview={is_preview})"
    if metadata.get("deepnote_variable_name"):
        name = variable_name(metadata)
        call = f"{name} = {call}\n{name}"
    return Program(call, setup=_sql_setup())


@functools.cache
def _sql_setup() -> str:
    """Return code that makes the far half a module, unless it is one; it leaves no name behind."""
    source = inspect.getsource(far_sql)
    making = (
        "import sys, types\n"
        f"if {_FAR_MODULE!r} not in sys.modules:\n"
        f"    module = types.ModuleType({_FAR_MODULE!r})\n"
        f"    module.get_ipython = get_ipython\n"
        f"    exec(compile({source!r}, {_FAR_MODULE!r}, 'exec'), vars(module))\n"
        f"    sys.modules[{_FAR_MODULE!r}] = module\n"
    )
    return f"exec({making!r}, {{'get_ipython': get_ipython}})"

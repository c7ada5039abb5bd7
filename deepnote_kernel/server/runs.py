"""A tracked run: the blocks of a notebook, one after the other, and a lasting record of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepnote_kernel.server.inputs import PREFIX, assignment
from deepnote_kernel.server.store import Run, new_uuid, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deepnote_kernel.server.kernels import Execution, Kernel
    from deepnote_kernel.server.store import Block, Notebook, Store

__all__ = ["TrackedRun"]

JSON = dict[str, Any]

_NOT_RUN_HERE = {"agent", "notebook-function", "sql"}


class TrackedRun:
    """One run and its record.

    Args:
        store: Where the record is kept.
        notebook: The notebook the run belongs to.
        blocks: What runs, in order.
        inputs: Values of input blocks for this run alone, by variable name.
        session_id: The session it runs in, if any.
    """

    def __init__(
        self,
        store: Store,
        notebook: Notebook,
        blocks: Iterable[Block],
        *,
        inputs: JSON,
        session_id: str | None = None,
    ) -> None:
        self._store = store
        self.inputs = inputs
        self.blocks = [_snapshot_block(block) for block in blocks]
        self.position = 0
        self.is_stopped = False
        self.record = Run(
            id=new_uuid(),
            notebook_id=notebook.source_id or notebook.id,
            notebook_name=notebook.name,
            project_id=notebook.project_id,
            session_id=session_id,
            status="pending",
            error=None,
            inputs=inputs,
            blocks=self.blocks,
            created_at=now(),
            started_at=None,
            completed_at=None,
        )
        store.insert(self.record)

    def finish(self, status: str, error: str | None = None) -> None:
        """Note how the run ended, and what its blocks put out."""
        self._store.update(
            Run,
            self.record.id,
            status=status,
            error=error,
            blocks=self.blocks,
            completed_at=now(),
        )

    @property
    def pending_block_ids(self) -> list[str]:
        """The block that runs now and those after it."""
        return [block["id"] for block in self.blocks[self.position :]]

    async def carry_out(self, kernel: Kernel) -> None:
        """Run the blocks until one fails or the run is stopped, and record the end."""
        if not self.is_stopped:
            self._store.update(Run, self.record.id, status="running", started_at=now())
        for position, block in enumerate(self.blocks):
            if self.is_stopped:
                break
            self.position = position
            error = await self._run_block(kernel, block)
            if error and not self.is_stopped:
                self.finish("error", error)
                return
        self.position = len(self.blocks)
        self.finish("stopped" if self.is_stopped else "success")

    async def _run_block(self, kernel: Kernel, block: JSON) -> str:
        """Run one block; return its error in one line, or nothing."""
        if block["type"] in _NOT_RUN_HERE:
            return f"Blocks of type {block['type']} do not run on this server"
        code, is_silent = _source(block, self.inputs)
        if not code:
            return ""
        block["executionStartedAt"] = now()
        execution = await kernel.execute(code, silent=is_silent)
        block.update(
            executionFinishedAt=now(),
            executionCount=None if is_silent else execution.execution_count,
            outputs=execution.outputs,
        )
        return "" if execution.status == "ok" else _error_line(execution)


def _snapshot_block(block: Block) -> JSON:
    return {
        "id": block.id,
        "type": block.type,
        "content": block.content,
        "metadata": block.metadata,
        "outputs": [],
    }


def _source(block: JSON, inputs: JSON) -> tuple[str, bool]:
    """Return the code a block stands for, and whether it runs without a count."""
    if block["type"] == "code":
        return block["content"], False
    if block["type"].startswith(PREFIX):
        return assignment(block["type"], block["metadata"], inputs), True
    return "", False


def _error_line(execution: Execution) -> str:
    for output in reversed(execution.outputs):
        if output["output_type"] == "error":
            return f"{output['ename']}: {output['evalue']}"
    return f"Execution was {execution.status}"

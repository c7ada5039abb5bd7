"""A tracked run: the blocks of a notebook, one after the other, and a lasting record of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepnote_kernel.server.blocks.dataflow import dependents
from deepnote_kernel.server.blocks.programs import UnsupportedBlockError, presets, program_of
from deepnote_kernel.server.errors import BadRequestError
from deepnote_kernel.server.storage.store import Run, new_uuid, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deepnote_kernel.server.blocks.programs import Program
    from deepnote_kernel.server.execution.kernels import Execution, Kernel
    from deepnote_kernel.server.storage.store import Block, Notebook, Store

__all__ = ["Selection", "TrackedRun", "select"]

JSON = dict[str, Any]


class Selection:
    """What a run was asked to run.

    Args:
        blocks: The blocks that run, in order.
        named_ids: Ids of those that were asked for by name: a button among them was pressed.
        others: The blocks that do not run; inputs of the run may be theirs.
    """

    def __init__(
        self,
        blocks: Iterable[Block],
        named_ids: Iterable[str] = (),
        others: Iterable[Block] = (),
    ) -> None:
        self.blocks = list(blocks)
        self.named_ids = frozenset(named_ids)
        self.others = list(others)


def select(
    notebook: Notebook,
    blocks: list[Block],
    block_ids: list[str] | None,
    *,
    with_dependents: bool = False,
) -> Selection:
    """Return the blocks to run: those asked for in the order asked; all where none are named.

    Args:
        notebook: The notebook. Where its execution mode is ``downstream``, the blocks that depend
            on those named run too.
        blocks: Its blocks, in order.
        block_ids: The blocks asked for.
        with_dependents: Run the blocks that depend on them too, after them, in the notebook's
            order.

    Raises:
        BadRequestError: A block is not of this notebook, or the list is empty or repeats one.
    """
    if block_ids is None:
        return Selection(blocks)
    if not block_ids or len(set(block_ids)) < len(block_ids):
        raise BadRequestError("blockIds must hold at least one id, and none twice")
    by_id = {block.id: block for block in blocks}
    if not by_id.keys() >= set(block_ids):
        raise BadRequestError("Block not found in notebook")
    selected = [by_id[block_id] for block_id in block_ids]
    if with_dependents or notebook.settings.get("executionMode") == "downstream":
        selected += dependents(blocks, block_ids)
    others = by_id.keys() - {block.id for block in selected}
    return Selection(selected, block_ids, (block for block in blocks if block.id in others))


class TrackedRun:
    """One run and its record.

    Args:
        store: Where the record is kept.
        notebook: The notebook the run belongs to.
        selection: What runs.
        inputs: Values of input blocks for this run alone, by variable name.
        session_id: The session it runs in, if any.
        triggered_by: ``api`` or ``schedule``.
    """

    def __init__(  # noqa: PLR0913 - a run is made of all of these
        self,
        store: Store,
        notebook: Notebook,
        selection: Selection,
        *,
        inputs: JSON,
        session_id: str | None = None,
        triggered_by: str = "api",
    ) -> None:
        self._store = store
        self._pressed = selection.named_ids
        self._presets = presets(selection.others, inputs)
        self.inputs = inputs
        self.blocks = [_snapshot_block(block) for block in selection.blocks]
        self.position = 0
        self.is_stopped = False
        self.is_finished = False
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
            triggered_by=triggered_by,
        )
        store.insert(self.record)

    def finish(self, status: str, error: str | None = None) -> None:
        """Note how the run ended, and what its blocks put out."""
        self.is_finished = True
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
        """The block that runs now and those after it that will."""
        return [block["id"] for block in self.blocks[self.position :] if self._has_program(block)]

    async def carry_out(self, kernel: Kernel) -> None:
        """Run the blocks until one fails or the run is stopped, and record the end."""
        if not self.is_stopped:
            self._store.update(Run, self.record.id, status="running", started_at=now())
            if self._presets:
                await kernel.execute(self._presets, silent=True)
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
        try:
            program = self._program(block)
        except UnsupportedBlockError as error:
            block.update(
                executionStartedAt=now(), executionFinishedAt=now(), outputs=[_refusal(error)]
            )
            return str(error)
        if program is None:
            return ""
        if program.setup:
            await kernel.execute(program.setup, silent=True)
        if self.is_stopped:
            return ""
        block["executionStartedAt"] = now()
        execution = await kernel.execute(program.code, silent=program.is_silent)
        block.update(
            executionFinishedAt=now(),
            executionCount=None if program.is_silent else execution.execution_count,
            outputs=execution.outputs,
        )
        return "" if execution.status == "ok" else _error_line(execution)

    def _program(self, block: JSON) -> Program | None:
        return program_of(block, self.inputs, self._pressed)

    def _has_program(self, block: JSON) -> bool:
        try:
            return self._program(block) is not None
        except UnsupportedBlockError:
            return True


def _snapshot_block(block: Block) -> JSON:
    integration = {"sql_integration_id": block.integration_id} if block.integration_id else {}
    return {
        "id": block.id,
        "type": block.type,
        "content": block.content,
        "metadata": {**block.metadata, **integration},
        "blockGroup": block.block_group,
        "outputs": [],
    }


def _refusal(error: UnsupportedBlockError) -> JSON:
    name = type(error).__name__
    return {
        "output_type": "error",
        "ename": name,
        "evalue": str(error),
        "traceback": [f"{name}: {error}"],
    }


def _error_line(execution: Execution) -> str:
    for output in reversed(execution.outputs):
        if output["output_type"] == "error":
            return f"{output['ename']}: {output['evalue']}"
    return f"Execution was {execution.status}"

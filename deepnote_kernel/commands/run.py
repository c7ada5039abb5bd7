"""``run``: run a notebook, wait for its end, and show what it put out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from deepnote_kernel.api import notebooks, runs
from deepnote_kernel.commands import snapshots
from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.commands.inputs import read_inputs
from deepnote_kernel.commands.names import find_notebook_id
from deepnote_kernel.commands.runs import run_card
from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.api.models import Run
    from deepnote_kernel.commands.context import Context, Task
    from deepnote_kernel.commands.views import Card
    from deepnote_kernel.config import StorageMode

__all__ = ["run"]

# Quick at first, for servers nearby, then as often as Deepnote's own clients ask.
_FIRST_POLL_S = 0.1
_LAST_POLL_S = 2.0


def run(  # noqa: PLR0913 - as many as the command has
    context: Context,
    *,
    notebook: str,
    inputs: Sequence[str],
    live: bool,
    storage_mode: StorageMode | None,
    machine: str | None,
    block_ids: Sequence[str],
    downstream: bool,
    wait: bool,
    timeout_s: float | None,
    snapshot_wait_s: float,
    to: str | None,
) -> Card[Run]:
    """Run a notebook; unless told otherwise, wait for its end and show its outputs.

    Raises:
        RunFailedError: The run ended badly, but no block says why.
    """
    snapshots.check_target(to)
    _check(live=live, storage_mode=storage_mode, block_ids=block_ids, downstream=downstream)
    notebook_id = find_notebook_id(context.client, notebook)
    values = None
    if inputs:
        known = context.client.send(notebooks.get(notebook_id)).inputs
        values = read_inputs(inputs, known)
    call = runs.create(
        notebook_id,
        detached=not live,
        storage_mode=storage_mode,
        inputs=values,
        block_ids=block_ids or None,
        run_dependent_blocks=downstream or None,
        machine_type=machine,
    )
    started = context.client.send(call)
    if not wait:
        return run_card(context, context.client.send(runs.get(started.id)))
    with context.surface.task(f"run {notebook}") as task:
        ended = _wait(context, started.id, task, timeout_s)
    _show(context, ended, snapshot_wait_s, to)
    return run_card(context, ended)


def _check(
    *, live: bool, storage_mode: str | None, block_ids: Sequence[str], downstream: bool
) -> None:
    """Refuse what the API would, before anything is sent."""
    if block_ids and not live:
        raise UsageError("Single blocks run in the project's machine alone.", "Add --live.")
    if downstream and not block_ids:
        raise UsageError("Nothing says downstream of which block.", "Name it with --block.")
    if storage_mode and live:
        raise UsageError("A live run has the project's own storage.", "Leave out --storage-mode.")


def _wait(context: Context, run_id: str, task: Task, timeout_s: float | None) -> Run:
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    delay_s = _FIRST_POLL_S
    try:
        while True:
            found = context.client.send(runs.get(run_id))
            if found.is_finished:
                return found
            task(found.status)
            if deadline is not None and time.monotonic() >= deadline:
                raise DeepnoteError(
                    f"The run {run_id} has not ended after {timeout_s:g} s; it goes on.",
                    "Look after it with 'runs show'.",
                )
            time.sleep(delay_s)
            delay_s = min(delay_s * 1.5, _LAST_POLL_S)
    except KeyboardInterrupt:
        context.surface.say(f"No longer waiting for the run {run_id}; it goes on.")
        raise


def _show(context: Context, ended: Run, snapshot_wait_s: float, to: str | None) -> None:
    """Show the outputs of a run, once they have been written where they are wanted."""
    try:
        text = snapshots.fetch(context.client, ended.id, wait_s=snapshot_wait_s)
    except DeepnoteError as error:
        snapshots.raise_failure(ended)
        context.surface.say(str(error))
        return
    if to is not None:
        snapshots.write(ended, text, to)
        context.surface.say(f"Wrote {to}.")
    snapshots.replay(context, ended, text)

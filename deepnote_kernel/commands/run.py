"""``run``: run a notebook, wait for its end, and show what it put out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.api import notebooks, runs, sessions
from deepnote_kernel.commands import snapshots
from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.commands.inputs import read_inputs
from deepnote_kernel.commands.names import find_notebook_id
from deepnote_kernel.commands.polling import look_until
from deepnote_kernel.commands.runs import run_card
from deepnote_kernel.config import StorageMode
from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.api import Call
    from deepnote_kernel.api.models import Run
    from deepnote_kernel.commands.context import Context, Task
    from deepnote_kernel.commands.views import Card

__all__ = ["Place", "run"]

_POLL_S = 2.0  # as Deepnote's own clients


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a notebook runs, and how much of it."""

    live: bool
    """In the project's machine, rather than a copy on a machine of its own."""

    session_id: str | None
    """In this session's kernel, rather than either."""

    storage_mode: StorageMode | None
    machine: str | None
    block_ids: list[str]
    downstream: bool

    def check(self) -> None:
        """Refuse what the API would, before anything is sent.

        Raises:
            UsageError: Two options contradict each other.
        """
        is_copy = not (self.live or self.session_id)
        if self.live and self.session_id:
            raise UsageError("A run has one place.", "Give --live or --session, not both.")
        if self.block_ids and is_copy:
            raise UsageError("A copy runs as a whole.", "Add --live, or --session.")
        if self.downstream and not (self.block_ids and self.live):
            raise UsageError(
                "Nothing says downstream of which block.", "Name it with --live --block."
            )
        if (self.storage_mode or self.machine) and not is_copy:
            raise UsageError(
                "Only a copy has storage and a machine of its own.",
                "Leave out --storage-mode and --machine.",
            )

    def call(self, notebook_id: str, inputs: dict[str, Any] | None) -> Call[Run]:
        """Return the call that starts the run."""
        block_ids = self.block_ids or None
        if self.session_id:
            return sessions.run(
                self.session_id, notebook_id=notebook_id, block_ids=block_ids, inputs=inputs
            )
        return runs.create(
            notebook_id,
            detached=not self.live,
            storage_mode=self.storage_mode,
            inputs=inputs,
            block_ids=block_ids,
            run_dependent_blocks=self.downstream or None,
            machine_type=self.machine,
        )


def run(  # noqa: PLR0913 - as many as the command has
    context: Context,
    *,
    notebook: str,
    inputs: Sequence[str],
    wait: bool,
    timeout_s: float | None,
    snapshot_wait_s: float,
    to: str | None,
    **place: Any,
) -> Card[Run]:
    """Run a notebook; unless told otherwise, wait for its end and show its outputs.

    Args:
        context: Where to show them.
        notebook: Its name or id.
        inputs: ``name=value`` each.
        wait: Whether to wait.
        timeout_s: Seconds after which to wait no longer.
        snapshot_wait_s: Seconds to wait for outputs that are late.
        to: A file to write them to as well.
        **place: Fields of :class:`Place`.

    Raises:
        RunFailedError: The run ended badly, but no block says why.
    """
    snapshots.check_target(to)
    where = Place(**place)
    where.check()
    notebook_id = find_notebook_id(context.client, notebook)
    values = None
    if inputs:
        known = context.client.send(notebooks.get(notebook_id)).inputs
        values = read_inputs(inputs, known)
    started = context.client.send(where.call(notebook_id, values))
    if not wait:
        return run_card(context, context.client.send(runs.get(started.id)))
    with context.surface.task(f"run {notebook}") as task:
        ended = _wait(context, started.id, task, timeout_s)
    _show(context, ended, snapshot_wait_s, to)
    return run_card(context, ended)


def _wait(context: Context, run_id: str, task: Task, timeout_s: float | None) -> Run:
    def look() -> Run:
        run = context.client.send(runs.get(run_id))
        if not run.is_finished:
            task(run.status)
        return run

    try:
        found = look_until(look, lambda run: run.is_finished, timeout_s=timeout_s, every_s=_POLL_S)
    except KeyboardInterrupt:
        context.surface.say(f"No longer waiting for the run {run_id}; it goes on.")
        raise
    if not found.is_finished:
        raise DeepnoteError(
            f"The run {run_id} has not ended after {timeout_s:g} s; it goes on.",
            "Look after it with 'runs show'.",
        )
    return found


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

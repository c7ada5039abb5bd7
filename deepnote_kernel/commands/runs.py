"""``runs``: list, show, snapshot."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.api import notebooks, runs
from deepnote_kernel.commands import snapshots
from deepnote_kernel.commands.names import find_notebook_id
from deepnote_kernel.commands.pages import find_pages
from deepnote_kernel.commands.views import Card, Listing, State, age, moment

if TYPE_CHECKING:
    from deepnote_kernel.api.models import Run
    from deepnote_kernel.commands.context import Context

__all__ = ["list_", "run_card", "show", "snapshot"]


def list_(context: Context, *, notebook: str, limit: int) -> Listing[Run]:
    """List a notebook's runs, newest first."""
    notebook_id = find_notebook_id(context.client, notebook)
    call = notebooks.list_runs(notebook_id, page_size=max(1, min(limit, 100)))
    return Listing(
        islice(context.client.iterate(call), limit),
        ["Run", "State", "Started", "Took"],
        lambda run: (run.id, State(run.status), moment(run.created_at), _took(run)),
        empty="The notebook has not run yet.",
    )


def show(context: Context, *, run: str) -> Card[Run]:
    """Show how a run went, or how it goes."""
    return run_card(context, context.client.send(runs.get(run)))


def snapshot(context: Context, *, run: str, to: str | None, snapshot_wait_s: float) -> None:
    """Show the outputs of a run, or write them to a file."""
    snapshots.check_target(to)
    text = snapshots.fetch(context.client, run, wait_s=snapshot_wait_s)
    found = context.client.send(runs.get(run))
    if to is None:
        snapshots.replay(context, found, text)
    else:
        snapshots.write(found, text, to)
        context.surface.say(f"Wrote {to}.")


def run_card(context: Context, run: Run) -> Card[Run]:
    """Return a run as it is shown; without the address of its snapshot, which lets anyone in."""
    return Card(
        msgspec.structs.replace(run, snapshot_download_url=""),
        {
            "Run": run.id,
            "State": State(run.status),
            "Error": run.error,
            "Notebook": find_pages(context).notebook(
                run.notebook_id, run.project_id, run.notebook_id
            ),
            "Started": moment(run.created_at),
            "Took": _took(run),
            "Snapshot": run.snapshot_status,
        },
    )


def _took(run: Run) -> str:
    if run.created_at is None:
        return ""
    return age(((run.completed_at or datetime.now(timezone.utc)) - run.created_at).total_seconds())

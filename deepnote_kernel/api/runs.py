"""Runs: executions of a notebook from its first block to its last, with a snapshot at the end.

Source: https://deepnote.com/docs, Public API v2, Runs API, read November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import ARCHIVE_TIMEOUT_S, Call, present, segment
from deepnote_kernel.api.models import Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deepnote_kernel.config import StorageMode

__all__ = ["SnapshotDelivery", "create", "download_snapshot", "get"]

SnapshotDelivery: TypeAlias = Literal["downloadUrl", "inline", "blocks"]
"""How a run brings its snapshot; ``blocks`` is newer, and a server that lacks it answers 400."""


def create(  # noqa: PLR0913 - as many as the API's own
    notebook_id: str,
    *,
    detached: bool = True,
    storage_mode: StorageMode | None = None,
    inputs: Mapping[str, Any] | None = None,
    block_ids: Sequence[str] | None = None,
    run_dependent_blocks: bool | None = None,
    machine_type: str | None = None,
) -> Call[Run]:
    """Start a run and return at once; poll it with :func:`get`.

    Args:
        notebook_id: The notebook to run.
        detached: Run a copy on a machine of its own, leaving the editor's outputs alone.
        storage_mode: Whether a detached run may write to project storage; ``None`` for the default.
        inputs: Values of input blocks for this run, by name. A slider takes its number as text.
        block_ids: The blocks to run, in order; only where ``detached`` is false.
        run_dependent_blocks: Run the blocks downstream of ``block_ids`` too.
        machine_type: A kind of machine by its id; ``None`` for the default.
    """
    body: dict[str, Any] = present(
        notebookId=notebook_id,
        detached=detached,
        detachedRunStorageMode=storage_mode,
        inputs=inputs,
        blockIds=block_ids,
        runDependentBlocks=run_dependent_blocks,
        machineType=machine_type,
    )
    return Call(method="POST", path="/v2/runs", body=body, read=reading.enveloped("run", Run))


def get(run_id: str, *, snapshot_delivery: SnapshotDelivery | None = None) -> Call[Run]:
    """Get a run; once it has finished, with its snapshot.

    Args:
        run_id: The run.
        snapshot_delivery: How the snapshot comes; ``None`` for the default, ``downloadUrl``.
    """
    return Call(
        method="GET",
        path=f"/v2/runs/{segment('run', run_id)}",
        query=present(snapshotDelivery=snapshot_delivery),
        read=_read_run,
        replay_safe=True,
        remedies={404: "Check the run id; snapshots are kept as long as the plan says."},
    )


def download_snapshot(download_url: str) -> Call[str]:
    """Fetch the snapshot document at a run's ``snapshot_download_url``, as YAML text.

    The token goes along only where the address is the API's own.
    """
    return Call(
        method="GET",
        path=download_url,
        read=_read_text,
        timeout_s=ARCHIVE_TIMEOUT_S,
        replay_safe=True,
        remedies=dict.fromkeys((403, 404), "Get the run again: the address is short-lived."),
    )


def _read_run(body: bytes) -> Run:
    raw = reading.parse_object(body)
    run = msgspec.convert(raw.get("run") or raw, dict[str, Any])
    given = {name: value for name, value in run.items() if value is not None}
    if isinstance(error := given.get("error"), dict):  # where text was promised
        given["error"] = error.get("message")
    if isinstance(nested := given.get("snapshot"), dict):  # how older servers sent it
        given.setdefault("snapshotContent", nested.get("snapshotContent"))
        given.setdefault("snapshotDownloadUrl", nested.get("downloadUrl"))
    return reading.adopt(Run, given)


def _read_text(body: bytes) -> str:
    return body.decode()

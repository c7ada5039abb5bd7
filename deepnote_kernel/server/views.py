"""Rows of the store in the shapes the API shows them.

Where sources disagree on a shape, both are served: what the official clients insist on first.
Source: Public API v2 reference and the official clients (deepnote-cli 0.10.0, deepnote-toolkit
2.9.0), read 2026-11-20.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.server.blocks.inputs import describe_inputs
from deepnote_kernel.server.storage.store import age_s, timestamp
from deepnote_kernel.snapshot import dump, snapshot_document

if TYPE_CHECKING:
    from deepnote_kernel.server.execution.sessions import Session
    from deepnote_kernel.server.storage.folders import StoredFile
    from deepnote_kernel.server.storage.store import (
        Block,
        Notebook,
        Page,
        Project,
        Run,
        Schedule,
        StreamlitApp,
    )

__all__ = [
    "block_view",
    "notebook_summary",
    "notebook_view",
    "pagination",
    "project_detail_view",
    "project_view",
    "run_started",
    "run_summary",
    "run_view",
    "schedule_view",
    "session_view",
    "snapshot_blocks",
    "snapshot_text",
    "streamlit_app_view",
]

JSON = dict[str, Any]

BLOCK_LIMIT_BYTES = 512 * 1024
BLOCKS_LIMIT_BYTES = 5 * 1024 * 1024


def pagination(page: Page) -> JSON:
    """Return the part of a listing that tells how to go on."""
    return {"nextPageToken": page.next_token, "hasMore": page.next_token is not None}


def project_view(
    project: Project,
    notebooks: list[Notebook],
    last_runs: dict[str, str],
    scheduled_id: str | None,
) -> JSON:
    """Return a project as the listing shows it.

    Args:
        project: The project.
        notebooks: Its notebooks.
        last_runs: When each of them was last run, by id.
        scheduled_id: Which of them is scheduled.
    """
    return {
        "id": project.id,
        "name": project.name,
        "projectType": project.project_type,
        "createdAt": project.created_at,
        "updatedAt": project.updated_at,
        "folder": _folder_view(project.folder_id) if project.folder_id else None,
        "notebooks": [
            {
                **notebook_summary(notebook),
                "isScheduled": notebook.id == scheduled_id,
                "lastRunAt": last_runs.get(notebook.id),
            }
            for notebook in notebooks
        ],
    }


def project_detail_view(
    project: Project, summary: JSON, *, files: list[StoredFile], base_url: str
) -> JSON:
    """Return a project as ``GET /projects/{id}`` shows it.

    Args:
        project: The project.
        summary: As the listing shows it.
        files: Its files.
        base_url: The server's address, with a slash at its end.
    """
    environment = project.environment_id
    return {
        **summary,
        "files": [
            {"path": file.path, "size": file.size_bytes, "updatedAt": file.updated_at}
            for file in files
        ],
        "staticFiles": {
            "sharingEnabled": project.is_shared,
            "apiAccessEnabled": project.has_api_access,
            "url": f"{base_url}static-files/{project.id}/",
        },
        "streamlitAppApiAccessEnabled": project.has_streamlit_api_access,
        "environment": {"id": environment} if environment else None,
        "integrations": project.integrations,
    }


def _folder_view(folder_id: str) -> JSON:
    """Return a folder; no call of this server makes or names folders, so its id is its name."""
    folder = {"id": folder_id, "name": folder_id}
    return {**folder, "path": [folder], "isPathComplete": True}


def notebook_summary(notebook: Notebook) -> JSON:
    """Return a notebook without its blocks."""
    return {
        "id": notebook.id,
        "projectId": notebook.project_id,
        "name": notebook.name,
        "createdAt": notebook.created_at,
        "updatedAt": notebook.updated_at,
        "isInit": notebook.name == "Init",
    }


def notebook_view(notebook: Notebook, blocks: list[Block], last_run: Run | None) -> JSON:
    """Return a notebook with its blocks in order."""
    return {
        **notebook_summary(notebook),
        "blocks": [
            {
                "id": block.id,
                "type": block.type,
                "content": block.content,
                "metadata": block.metadata,
            }
            for block in blocks
        ],
        "inputs": describe_inputs(blocks),
        "lastRunAt": last_run.created_at if last_run else None,
        "lastRunId": last_run.id if last_run else None,
        "lastRunStatus": last_run.status if last_run else None,
    }


def schedule_view(schedule: Schedule) -> JSON:
    """Return a schedule."""
    return {
        "notebookId": schedule.notebook_id,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "nextRunAt": schedule.next_run_at,
        "createdAt": schedule.created_at,
        "updatedAt": schedule.updated_at,
    }


def streamlit_app_view(app: StreamlitApp) -> JSON:
    """Return a Streamlit app."""
    return {
        "id": app.id,
        "projectId": app.project_id,
        "entrypoint": app.entrypoint,
        "url": f"http://127.0.0.1:{app.port}/",
        "createdAt": app.created_at,
    }


def block_view(block: Block) -> JSON:
    """Return a block."""
    return {
        "id": block.id,
        "notebookId": block.notebook_id,
        "type": block.type,
        "content": block.content,
        "metadata": block.metadata,
        "integrationId": block.integration_id,
        "version": block.version,
    }


def run_started(run: Run) -> JSON:
    """Return what is known of a run that was just submitted."""
    return {"runId": run.id, "status": run.status, "createdAt": run.created_at}


def run_summary(run: Run) -> JSON:
    """Return a run as the history of its notebook shows it."""
    return {**run_started(run), "notebookId": run.notebook_id, "completedAt": run.completed_at}


def run_view(run: Run, *, snapshot_delay_s: float = 0.0) -> JSON:
    """Return a run without its snapshot; ``snapshotStatus`` says whether there is one.

    Args:
        run: The run.
        snapshot_delay_s: Seconds from the end of the run until its snapshot is there.
    """
    return {
        **run_summary(run),
        "projectId": run.project_id,
        "error": run.error,
        "snapshotStatus": _snapshot_status(run, snapshot_delay_s),
    }


def _snapshot_status(run: Run, delay_s: float) -> str:
    # Without a delay no clock is asked: it may have been set back since.
    if run.completed_at is None or (delay_s and age_s(run.completed_at) < delay_s):
        return "pending"
    has_run = any("executionStartedAt" in block for block in run.blocks)
    return "available" if has_run and run.status != "internal_error" else "unavailable"


def session_view(session: Session) -> JSON:
    """Return a session under every name its known callers read."""
    record = session.record
    expires_at = time.time() + record.idle_shutdown_s - session.timer.unused_s
    return {
        "id": record.id,
        "sessionId": record.id,
        "notebookId": record.notebook_id,
        "sourceNotebookId": record.notebook_id,
        "sessionNotebookId": record.session_notebook_id,
        "projectId": record.project_id,
        "status": session.status,
        "storageMode": record.storage_mode,
        "idleShutdownSeconds": int(record.idle_shutdown_s),
        "machineType": record.machine_type,
        "createdAt": record.created_at,
        "updatedAt": session.updated_at,
        "lastActivityAt": session.updated_at,
        "expiresAt": timestamp(expires_at),
    }


def snapshot_text(run: Run, project: Project) -> str:
    """Return the snapshot document of a run."""
    document = snapshot_document(
        project={"id": project.id, "name": project.name},
        notebook={"id": run.notebook_id, "name": run.notebook_name},
        blocks=run.blocks,
        inputs=run.inputs,
        created_at=run.created_at,
        started_at=run.started_at or run.created_at,
        finished_at=run.completed_at or run.created_at,
        error=run.error,
        triggered_by=run.triggered_by,
    )
    return dump(document)


def snapshot_blocks(run: Run) -> list[JSON]:
    """Return the blocks of a run without their source; outputs too large give way to a notice."""
    left = BLOCKS_LIMIT_BYTES
    shown = []
    for block in run.blocks:
        size = len(msgspec.json.encode(block["outputs"]))
        is_small = size <= min(BLOCK_LIMIT_BYTES, left)
        left -= size if is_small else 0
        shown.append(
            {
                "id": block["id"],
                "type": block["type"],
                "outputs": block["outputs"] if is_small else [_notice(size)],
                "metadata": block["metadata"],
            }
        )
    return shown


def _notice(size: int) -> JSON:
    text = f"Outputs of {size} bytes are too large for this delivery; read the snapshot instead.\n"
    return {"output_type": "stream", "name": "stderr", "text": text}

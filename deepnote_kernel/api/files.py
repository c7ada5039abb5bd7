"""Files in a project's storage: what its notebooks see in ``/work``.

Source: https://deepnote.com/docs, Public API v2, Files API, and Deepnote's public clients, read
November 2026.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import FILE_TIMEOUT_S, Call, segment
from deepnote_kernel.api.models import File
from deepnote_kernel.api.transfer import Download, Form

if TYPE_CHECKING:
    from deepnote_kernel.api.transfer import Progress

__all__ = ["copy", "delete", "download", "list_", "read", "upload"]

_UNKNOWN = {404: "Check the project id and the path, which starts below /work."}


def list_(project_id: str) -> Call[list[File]]:
    """List a project's files; they come with the project and have no listing of their own."""
    return Call(
        method="GET",
        path=f"/v2/projects/{segment('project', project_id)}",
        read=_read_files,
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def upload(
    project_id: str, path: str, source: Path | bytes, *, progress: Progress | None = None
) -> Call[File]:
    """Store a file. An existing one is not overwritten: the result says under which path it is.

    To replace a file, :func:`delete` it first.

    Args:
        project_id: The project.
        path: Where to store it, below ``/work``.
        source: The file to send, which is read while it is sent; or the content itself.
        progress: Is told the bytes sent so far and in all.
    """
    form = Form(
        fields={"projectId": project_id, "path": path},
        file=source,
        file_name=PurePosixPath(path).name or "file",
        progress=progress,
    )

    def read_answer(body: bytes) -> File:
        raw = reading.parse_object(body)
        given = msgspec.convert(raw.get("file") or raw, dict[str, object])
        return reading.adopt(File, {"path": path, "projectId": project_id, **given})

    return Call(
        method="POST",
        path="/v2/files",
        body=form,
        read=read_answer,
        timeout_s=FILE_TIMEOUT_S,
        remedies={
            404: "Check the project id, and that the token may see the project.",
            413: "Split the file, or compress it.",
        },
    )


def download(
    project_id: str, path: str, target: Path, *, progress: Progress | None = None
) -> Call[Path]:
    """Save a file to this computer; the result is the target.

    Args:
        project_id: The project.
        path: The file, below ``/work``.
        target: Where to save it. A file there is replaced once all has arrived.
        progress: Is told the bytes received so far and, where the server says so, in all.
    """
    return Call(
        method="GET",
        path="/v2/files/download",
        query={"projectId": project_id, "path": path},
        download=Download(target=target, progress=progress),
        read=lambda _: target,
        timeout_s=FILE_TIMEOUT_S,
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def read(project_id: str, path: str, *, progress: Progress | None = None) -> Call[bytes]:
    """Get the content of a file; arguments as for :func:`download`."""
    return Call(
        method="GET",
        path="/v2/files/download",
        query={"projectId": project_id, "path": path},
        download=Download(progress=progress),
        read=bytes,
        timeout_s=FILE_TIMEOUT_S,
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def delete(project_id: str, path: str) -> Call[None]:
    """Delete a file. Repeated, it may answer 404: the file is gone already."""
    return Call(
        method="DELETE",
        path="/v2/files",
        query={"projectId": project_id, "path": path},
        read=reading.nothing,
        replay_safe=True,
        remedies=_UNKNOWN,
    )


def copy(project_id: str, path: str, *, target_project_id: str) -> Call[File]:
    """Copy a file into another project; the result says under which path it is there.

    Args:
        project_id: The project that has it.
        path: The file, below ``/work``.
        target_project_id: The project that gets it.
    """

    def read_answer(body: bytes) -> File:
        # What is answered has not been seen yet, so nothing in it is required.
        raw = reading.parse_object(body)
        given = msgspec.convert(raw.get("file") or {}, dict[str, object])
        return reading.adopt(File, {"path": path, "projectId": target_project_id, **given})

    return Call(
        method="POST",
        path="/v2/files/copy",
        body={
            "sourceProjectId": project_id,
            "targetProjectId": target_project_id,
            "sourceFilePath": path,
        },
        read=read_answer,
        timeout_s=FILE_TIMEOUT_S,
        remedies={404: "Check both project ids and the path, which starts below /work."},
    )


def _read_files(body: bytes) -> list[File]:
    raw = reading.parse_object(body)
    project = msgspec.convert(raw.get("project") or raw, dict[str, object])
    files = msgspec.convert(project.get("files") or [], list[object])
    return [reading.adopt(File, each) for each in files]

"""``files``: a project's storage, which its notebooks see as ``/work``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.api import files
from deepnote_kernel.commands.names import find_project_id
from deepnote_kernel.commands.views import Card, Listing, moment, size
from deepnote_kernel.errors import LocalFileError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.api.models import File
    from deepnote_kernel.commands.context import Context

__all__ = ["Saved", "copy", "delete", "get", "list_", "put"]


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was saved on this computer."""

    path: str
    size_bytes: int = msgspec.field(name="size")


def list_(context: Context, *, project: str) -> Listing[File]:
    """List a project's files."""
    project_id = find_project_id(context.client, project)
    found = context.client.send(files.list_(project_id))
    return _listing(found)


def put(
    context: Context, *, project: str, file: Sequence[str], to: str | None, replace: bool
) -> Listing[File]:
    """Store files; each is shown under the path the server gave it."""
    sources = [_checked(Path(name)) for name in file]
    project_id = find_project_id(context.client, project)
    return _listing(
        [
            _put(context, project_id, source, _target(source, to, len(sources)), replace=replace)
            for source in sources
        ]
    )


def get(context: Context, *, project: str, path: str, to: str | None, yes: bool) -> Card[Saved]:
    """Save one of a project's files on this computer."""
    project_id = find_project_id(context.client, project)
    target = Path(to or ".")
    if target.is_dir():
        target /= PurePosixPath(path).name
    if target.exists():
        context.confirm(f"Replace {target}?", yes=yes)
    with context.surface.task(f"get {path}") as task:
        context.client.send(files.download(project_id, path, target, progress=task.advance))
    saved = Saved(path=str(target), size_bytes=target.stat().st_size)
    return Card(saved, {"Saved": saved.path, "Size": size(saved.size_bytes)})


def delete(context: Context, *, project: str, path: str, yes: bool) -> None:
    """Delete one of a project's files, once the person has agreed."""
    project_id = find_project_id(context.client, project)
    context.confirm(f"Delete the file {path!r} of the project {project!r}?", yes=yes)
    context.client.send(files.delete(project_id, path))
    context.surface.say(f"Deleted the file {path!r}.")


def copy(context: Context, *, project: str, path: str, target: str) -> Listing[File]:
    """Copy a file into another project."""
    source_id, target_id = (find_project_id(context.client, name) for name in (project, target))
    return _listing([context.client.send(files.copy(source_id, path, target_project_id=target_id))])


def _put(context: Context, project_id: str, source: Path, path: str, *, replace: bool) -> File:
    if replace:
        with suppress(NotFoundError):
            context.client.send(files.delete(project_id, path))
    with context.surface.task(f"put {source.name}") as task:
        stored = context.client.send(files.upload(project_id, path, source, progress=task.advance))
    if PurePosixPath(stored.path) != PurePosixPath(path):
        context.surface.say(f"{path!r} is taken: stored as {stored.path!r}; see --replace.")
    return stored


def _checked(source: Path) -> Path:
    if not source.is_file():
        is_folder = source.is_dir()
        raise LocalFileError(
            f"{source} is {'a folder' if is_folder else 'not there'}.",
            "Give its files one by one." if is_folder else "Check the path.",
        )
    return source


def _target(source: Path, to: str | None, count: int) -> str:
    """Return where a file goes: ``to`` is its path, or the folder of several."""
    if not to:
        return source.name
    return f"{to.rstrip('/')}/{source.name}" if to.endswith("/") or count > 1 else to


def _listing(found: Sequence[File]) -> Listing[File]:
    return Listing(
        found,
        ["File", "Size", "Changed"],
        lambda item: (
            item.path,
            "" if item.size_bytes is None else size(item.size_bytes),
            moment(item.updated_at),
        ),
        empty="The project has no files.",
    )

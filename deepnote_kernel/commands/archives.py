"""``projects export`` and ``projects import``: notebooks as ``.deepnote`` files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.api import projects
from deepnote_kernel.commands.names import find_project_id
from deepnote_kernel.commands.views import Card, Listing, counted
from deepnote_kernel.errors import LocalFileError
from deepnote_kernel.snapshot import load, slug

if TYPE_CHECKING:
    from deepnote_kernel.api.models import ImportedProject
    from deepnote_kernel.commands.context import Context

__all__ = ["Exported", "export", "import_"]

_SUFFIX = ".deepnote"


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was written on this computer."""

    path: str


def export(context: Context, *, project: str, to: str | None, yes: bool) -> Listing[Exported]:
    """Write a project's notebooks to a folder, or all to one ``.zip`` file."""
    project_id = find_project_id(context.client, project)
    name = context.client.send(projects.get(project_id)).name
    content = context.client.send(projects.export(project_id))
    target = Path(to or slug(name) or project_id)
    if target.suffix == ".zip":
        wanted = {target: content}
    else:
        wanted = {target / name: data for name, data in _unpack(content).items()}
    taken = [path for path in wanted if path.exists()]
    if taken:
        context.confirm(f"Replace {', '.join(map(str, taken))}?", yes=yes)
    for path, data in wanted.items():
        _write(path, data)
    return Listing(
        [Exported(path=str(path)) for path in wanted],
        ["Written"],
        lambda item: (item.path,),
        empty="The project has no notebooks.",
    )


def import_(  # noqa: PLR0913 - as many as the command has
    context: Context, *, project: str, path: str, delete_missing: bool, force: bool, yes: bool
) -> Card[ImportedProject]:
    """Replace a project's notebooks with those of a folder or a ``.zip`` file."""
    documents = _read(Path(path))
    project_id = find_project_id(context.client, project)
    others = " and delete its others" if delete_missing else ""
    context.confirm(
        f"Replace notebooks of the project {project!r} with {counted(documents, 'file')}{others}, "
        "and clear their outputs?",
        yes=yes,
    )
    call = projects.import_(
        project_id,
        _pack(documents),
        base_modified_at=_modified_at(documents),
        delete_missing_notebooks=delete_missing,
        force=force,
    )
    found = context.client.send(call)
    done = [f"{notebook.name}: {notebook.action}" for notebook in found.notebooks]
    return Card(found, {"Project": found.id, "Notebooks": done, "Version": found.modified_at})


def _unpack(archive: bytes) -> dict[str, bytes]:
    """Return an archive's files; each by its bare name, whatever folder the archive names."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {PurePosixPath(name).name: opened.read(name) for name in opened.namelist()}


def _pack(documents: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in documents.items():
            opened.writestr(name, data)
    return archive.getvalue()


def _read(path: Path) -> dict[str, bytes]:
    try:
        if path.is_dir():
            files = {each.name: each.read_bytes() for each in sorted(path.glob(f"*{_SUFFIX}"))}
        elif path.suffix == _SUFFIX:
            files = {path.name: path.read_bytes()}
        else:
            files = _unpack(path.read_bytes())
    except (OSError, zipfile.BadZipFile) as error:
        raise LocalFileError(
            f"{path} cannot be read: {error}.", "Give a .zip file, or a folder of .deepnote files."
        ) from error
    if not files:
        raise LocalFileError(f"{path} holds no {_SUFFIX} files.", "Choose another folder.")
    return files


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise LocalFileError(
            f"{path} cannot be written: {error.strerror}.", "Choose another place with --to."
        ) from error


def _modified_at(documents: dict[str, bytes]) -> str | None:
    """Return the version the documents were made from: they all name the same."""
    first = next(iter(documents.values()))
    return load(first).metadata.modified_at

"""Projects from files: ``.deepnote`` documents and Jupyter notebooks.

A document belongs to the project it names. The ``.ipynb`` files of one folder are the notebooks of
a project named after it; a single one is a project of its own. What else is in the folder becomes
the project's files, and so does what ``deepnote sync`` keeps in ``.files``; a folder inside it that
holds notebooks is loaded by itself.

What is already on the server stays as it is: only notebooks and files that it lacks are added.
"""

from __future__ import annotations

import os
import shutil
import uuid
from typing import TYPE_CHECKING, NamedTuple

from deepnote_kernel import snapshot
from deepnote_kernel.errors import ConfigError, DocumentError
from deepnote_kernel.server.documents.documents import is_id, put_notebook
from deepnote_kernel.server.storage.store import DATABASE_NAME, Notebook, Project, now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deepnote_kernel.server.storage.folders import Folders
    from deepnote_kernel.server.storage.store import Store

__all__ = ["load_projects"]

_SYNCED_FILES = ".files"
_REMEDY = "Name a .deepnote or .ipynb file, or its folder."
_PASSED_OVER = {"__pycache__", "node_modules", "snapshots"}


class _Source(NamedTuple):
    """A project as files describe it."""

    content: snapshot.Project
    folder: Path | None = None
    """Where its other files are."""


def load_projects(store: Store, folders: Folders, path: Path) -> list[Project]:
    """Make projects of a file, or of all that is in a folder.

    Args:
        store: Where projects are put.
        folders: Where their files are put.
        path: A ``.deepnote`` or ``.ipynb`` file, or a folder.

    Returns:
        The projects that the path describes, those included that were there before.

    Raises:
        ConfigError: A file cannot be loaded; no notebook was then.
    """
    path = path.resolve()
    try:
        sources = list(_sources(path))
        if not sources:
            raise ConfigError(f"There is no notebook in {path}.", _REMEDY)
        with store.transaction():
            projects = [_put_project(store, source.content) for source in sources]
        for source, project in zip(sources, projects, strict=True):
            if source.folder is not None:
                _copy_files(source.folder, folders.of(project.id))
    except OSError as error:
        raise ConfigError(
            f"{error.filename or path} cannot be read: {error.strerror or error}.",
            "Check the path and its permissions.",
        ) from None
    return projects


def _sources(path: Path) -> Iterator[_Source]:
    if path.is_dir():
        entries = _visible(path)
        files = [entry for entry in entries if _is_notebook(entry)]
        for content in _projects(files, path):
            yield _Source(content, path)
        for entry in entries:
            if _holds_notebooks(entry):
                yield from _sources(entry)
    elif path.exists() and not _is_notebook(path):
        raise ConfigError(f"{path} is no notebook.", _REMEDY)
    else:
        for content in _projects([path], path.with_suffix("")):
            yield _Source(content)


def _projects(files: list[Path], origin: Path) -> list[snapshot.Project]:
    """Return the projects of files that are side by side.

    Args:
        files: Documents and notebooks.
        origin: Gives the notebooks' project its name and its id.
    """
    projects: dict[str, snapshot.Project] = {}
    for file in files:
        try:
            found = _read(file, origin)
        except DocumentError as error:
            raise ConfigError(f"{file} cannot be loaded: {error}") from None
        if found.id in projects:
            projects[found.id].notebooks += found.notebooks
        else:
            projects[found.id] = found
    return list(projects.values())


def _read(file: Path, origin: Path) -> snapshot.Project:
    if file.suffix == ".deepnote":
        document = snapshot.load(file.read_bytes())
        snapshot.validate(document)
        project = document.project
        if not is_id(project.id):
            project.id = str(uuid.uuid5(uuid.NAMESPACE_OID, project.id))
        return project
    # Ids are the same every time, so that the next start finds what this one has put there.
    project_id = uuid.uuid5(uuid.NAMESPACE_URL, origin.as_uri())
    notebook = snapshot.from_nbformat(
        snapshot.read_nbformat(file),
        name=file.stem,
        notebook_id=uuid.uuid5(project_id, file.name).hex,
    )
    return snapshot.Project(id=str(project_id), name=origin.name, notebooks=[notebook])


def _put_project(store: Store, content: snapshot.Project) -> Project:
    if not store.find(Project, id=content.id):
        at = now()
        project = Project(
            id=content.id,
            name=content.name,
            project_type="standard",
            is_suspended=False,
            created_at=at,
            updated_at=at,
            integrations=snapshot.to_builtins(content.integrations or []),
            settings=content.settings or {},
        )
        store.insert(project)
    for notebook in content.notebooks:
        _put_notebook(store, content.id, notebook)
    return store.get(Project, content.id)


def _put_notebook(store: Store, project_id: str, content: snapshot.Notebook) -> None:
    if not is_id(content.id) or any(
        found.project_id != project_id for found in store.find(Notebook, id=content.id)
    ):
        # As above: the same every time.
        content.id = uuid.uuid5(uuid.NAMESPACE_OID, f"{project_id} {content.id}").hex
    siblings = store.find(Notebook, project_id=project_id, source_id=None)
    if content.id in {each.id for each in siblings}:
        return
    taken = {each.name for each in siblings}
    name, number = content.name, 1
    while content.name in taken:
        number += 1
        content.name = f"{name} {number}"
    put_notebook(store, project_id, content)


def _copy_files(folder: Path, target: Path) -> None:
    """Copy what is neither hidden nor a notebook, without replacing anything."""
    synced = folder / _SYNCED_FILES
    if synced.is_dir():
        shutil.copytree(synced, target, dirs_exist_ok=True, copy_function=_copy_missing)
    for entry in _visible(folder):
        if entry.is_file() and not _is_notebook(entry):
            target.mkdir(parents=True, exist_ok=True)
            _copy_missing(entry, target / entry.name)
        elif entry.is_dir() and not _holds_notebooks(entry):
            _copy_files(entry, target / entry.name)


def _copy_missing(source: str | Path, target: str | Path) -> None:
    if not os.path.lexists(target):
        shutil.copy2(source, target)


def _visible(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if not entry.name.startswith(".")
        and not entry.name.endswith(".snapshot.deepnote")
        and entry.name not in _PASSED_OVER
        and not entry.is_symlink()
        and not (entry / DATABASE_NAME).exists()  # a server's own folder
    )


def _is_notebook(path: Path) -> bool:
    return path.suffix in {".deepnote", ".ipynb"} and path.is_file()


def _holds_notebooks(path: Path) -> bool:
    return path.is_dir() and any(
        _is_notebook(entry) or _holds_notebooks(entry) for entry in _visible(path)
    )

"""A project as a ZIP archive of documents, one for each notebook: written, read, reconciled.

Source: deepnote/deepnote, ``packages/cloud/docs/project-import-contract.md``, read 2026-11-20.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import sqlite3
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from deepnote_kernel.errors import DocumentError
from deepnote_kernel.server.documents.documents import is_id, notebook_document, put_notebook
from deepnote_kernel.server.errors import PayloadTooLargeError, UnprocessableError
from deepnote_kernel.server.storage.store import Block, Notebook, Project, new_hex_id
from deepnote_kernel.snapshot import dump, load, slug, validate

if TYPE_CHECKING:
    from deepnote_kernel.server.storage.store import Store
    from deepnote_kernel.snapshot import Document
    from deepnote_kernel.snapshot import Notebook as Content
    from deepnote_kernel.snapshot import Project as Description

__all__ = [
    "DOCUMENTS_LIMIT_BYTES",
    "archive_hash",
    "export_documents",
    "import_documents",
    "read_archive",
    "write_archive",
]

JSON = dict[str, Any]

DOCUMENTS_LIMIT_BYTES = 64 * 1024 * 1024

# What the library raises on damaged archives, by the place of the damage and the compression.
_UNREADABLE = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    zlib.error,
)

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a ZIP can hold; unchanged bytes need a fixed one


def export_documents(store: Store, project: Project) -> dict[str, str]:
    """Return the documents of a project's notebooks by file name; equal states have equal ones."""
    notebooks = store.find(Notebook, project_id=project.id, source_id=None)
    init = next((each.id for each in notebooks if each.name == "Init"), None)
    documents: dict[str, str] = {}
    for notebook in notebooks:
        blocks = store.find(Block, "position", notebook_id=notebook.id)
        name = slug(notebook.name) or notebook.id
        number = 1
        while (file_name := f"{name}{f'-{number}' if number > 1 else ''}.deepnote") in documents:
            number += 1
        documents[file_name] = dump(notebook_document(project, notebook, blocks, init))
    return documents


def archive_hash(documents: dict[str, str]) -> str:
    """Return the hash by which both sides know one state of a project: SHA-256, hexadecimal."""
    entries = (f"{name}\n{_sha256(text)}" for name, text in documents.items())
    # By UTF-16 code units, as JavaScript sorts.
    return _sha256("\n".join(sorted(entries, key=lambda entry: entry.encode("utf-16-be"))))


def write_archive(documents: dict[str, str]) -> bytes:
    """Return documents as a ZIP archive; equal documents give equal bytes."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in documents.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text, zipfile.ZIP_DEFLATED)
    return body.getvalue()


def read_archive(body: bytes) -> list[Document]:
    """Return the documents in a ZIP archive.

    Raises:
        PayloadTooLargeError: They are larger than the server takes.
        UnprocessableError: It is no archive of documents of one notebook each.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > DOCUMENTS_LIMIT_BYTES:
                raise PayloadTooLargeError(
                    f"The documents are larger than {DOCUMENTS_LIMIT_BYTES} bytes"
                )
            contents = [(entry.filename, archive.read(entry)) for entry in entries]
    except _UNREADABLE as error:
        raise UnprocessableError(f"The body is not a readable ZIP archive: {error}") from None
    return [_read_document(name, content) for name, content in contents]


def import_documents(
    store: Store, project: Project, documents: list[Document], *, delete_missing: bool
) -> list[JSON]:
    """Make a project's notebooks those of the documents; return what was done to each.

    Args:
        store: Where the project is.
        project: The project.
        documents: Documents of one notebook each.
        delete_missing: Whether notebooks go that no document has.

    Raises:
        UnprocessableError: The documents do not fit the project, or each other.
    """
    contents = [document.project.notebooks[0] for document in documents]
    present = {
        each.id: each for each in store.find(Notebook, project_id=project.id, source_id=None)
    }
    _check_projects(project, [document.project for document in documents])
    _check_notebooks(store, project, contents)
    missing = [present[each] for each in present.keys() - {content.id for content in contents}]
    done = [_done(content, _action(store, project, content.id, present)) for content in contents]
    with store.transaction():
        if delete_missing:
            store.delete(Notebook, *(each.id for each in missing))
            done += [_done(each, "deleted") for each in missing]
        _put_notebooks(store, project, contents, present)
        if documents:
            store.update(Project, project.id, **_changes(project, documents[0].project))
        _check_count(store, project)
    return done


def _put_notebooks(
    store: Store, project: Project, contents: list[Content], present: dict[str, Notebook]
) -> None:
    blocks_before: dict[str, Block] = {}
    for content in contents:
        if content.id in present:
            blocks = store.find(Block, notebook_id=content.id)
            store.delete(Block, *(block.id for block in blocks))
            blocks_before |= {block.id: block for block in blocks}
            # Out of the way, since notebooks may exchange their names.
            store.update(Notebook, content.id, name=new_hex_id())
    for content in contents:
        try:
            put_notebook(
                store,
                project.id,
                content,
                before=present.get(content.id),
                blocks_before=blocks_before,
            )
        except sqlite3.IntegrityError:
            raise UnprocessableError(f'Two notebooks would be named "{content.name}"') from None


def _action(store: Store, project: Project, notebook_id: str, present: dict[str, Notebook]) -> str:
    if notebook_id in present:
        return "overwritten"
    return "restored" if store.was_deleted(project.id, notebook_id) else "created"


def _done(notebook: Content | Notebook, action: str) -> JSON:
    return {"id": notebook.id, "name": notebook.name, "action": action}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read_document(name: str, content: bytes) -> Document:
    if "/" in name or "\\" in name or not name.endswith(".deepnote"):
        raise UnprocessableError(f'"{name}" in the archive is no .deepnote file at its root')
    try:
        document = load(content)
        validate(document)
    except DocumentError as error:
        raise UnprocessableError(f'"{name}" in the archive cannot be read: {error}') from None
    count = len(document.project.notebooks)
    if count != 1:
        raise UnprocessableError(f'"{name}" in the archive holds {count} notebooks, not one')
    return document


def _check_projects(project: Project, described: list[Description]) -> None:
    if any(each.id != project.id for each in described):
        raise UnprocessableError("A document belongs to another project")
    if len({each.name for each in described}) > 1:
        raise UnprocessableError("The documents give the project different names")
    attached = {_integration_ids(each) for each in described}
    if len(attached) > 1:
        raise UnprocessableError("The documents attach different integrations")
    available = {integration["id"] for integration in project.integrations}
    for ids in attached:
        if unknown := sorted((ids or frozenset()) - available):
            raise UnprocessableError(f"Integration {unknown[0]} is not available to the project")


def _check_notebooks(store: Store, project: Project, contents: list[Content]) -> None:
    ids = [content.id for content in contents]
    if len(set(ids)) < len(ids):
        raise UnprocessableError("Two documents hold the same notebook")
    for notebook_id in ids:
        if not is_id(notebook_id):
            raise UnprocessableError(f'"{notebook_id}" cannot be the id of a notebook')
        for found in store.find(Notebook, id=notebook_id):
            if (found.project_id, found.source_id) != (project.id, None):
                raise UnprocessableError(f"Notebook {notebook_id} belongs to another project")


def _check_count(store: Store, project: Project) -> None:
    count = len(store.find(Notebook, project_id=project.id, source_id=None))
    if count > 1 and project.is_closed:
        raise UnprocessableError(f"A project of type {project.project_type} holds one notebook")


def _integration_ids(described: Description) -> frozenset[str] | None:
    if described.integrations is None:
        return None
    return frozenset(integration.id for integration in described.integrations)


def _changes(project: Project, described: Description) -> JSON:
    ids = _integration_ids(described)
    attached = [each for each in project.integrations if ids is None or each["id"] in ids]
    return {"name": described.name, "integrations": attached}

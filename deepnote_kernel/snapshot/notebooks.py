"""A document's notebook as a Jupyter notebook, and back, losing nothing either can hold."""

from __future__ import annotations

import re
import uuid
import warnings
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.errors import DocumentError
from deepnote_kernel.snapshot.cells import FOREIGN, OURS, block_from_cell, cell_from_block
from deepnote_kernel.snapshot.document import dump, load
from deepnote_kernel.snapshot.exported import NOTEBOOK_KEYS
from deepnote_kernel.snapshot.identity import block_group, content_hash, sorting_key
from deepnote_kernel.snapshot.models import (
    Block,
    Document,
    Metadata,
    Notebook,
    Project,
    from_builtins,
    to_builtins,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nbformat import NotebookNode

__all__ = ["convert_file", "from_nbformat", "new_document", "read_nbformat", "to_nbformat"]

JSON = dict[str, Any]

_PYTHON: JSON = {  # what Deepnote's notebooks run on, where they say nothing else
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_ENVELOPE = "document"  # the rest of the document, for a file of its own
_ORDER = "cellOrder"  # a hash of it, where the blocks' keys do not tell


def to_nbformat(notebook: Notebook) -> NotebookNode:
    """Return a notebook as nbformat 4.5, for any editor and any kernel of Python.

    Inputs set their variable, queries run in DuckDB, text is Markdown. A cell whose text is left
    as it is becomes the same block again in :func:`from_nbformat`; where it is edited, the edit
    wins.
    """
    from nbformat import from_dict  # noqa: PLC0415 - takes 50 ms

    cells = [cell_from_block(block, number) for number, block in enumerate(notebook.blocks)]
    ours = to_builtins(notebook)
    del ours["blocks"]
    foreign = ours.pop(FOREIGN, _PYTHON)
    if not _is_sorted(notebook.blocks):
        ours[_ORDER] = _order(cells)
    made = {
        "cells": cells,
        "metadata": {**foreign, OURS: ours},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    node: NotebookNode = from_dict(made)
    return node


def from_nbformat(nb: NotebookNode, *, name: str = "", notebook_id: str = "") -> Notebook:
    """Return a Jupyter notebook as a document's notebook.

    Args:
        nb: A notebook of version 4, as ``nbformat.read(file, as_version=4)`` gives it.
        name: Its name, where the notebook knows none.
        notebook_id: Its id, where the notebook knows none; a new one otherwise.

    Raises:
        DocumentError: ``metadata.deepnote`` of a cell or the notebook holds what no document can.
    """
    plain = msgspec.json.decode(msgspec.json.encode(nb))
    metadata = plain["metadata"]
    exported = {k: metadata.pop(name) for name, k in NOTEBOOK_KEYS.items() if name in metadata}
    ours = {**exported, **metadata.pop(OURS, {})}
    ours.pop(_ENVELOPE, None)
    order = ours.pop(_ORDER, None)
    fields = {"id": notebook_id or uuid.uuid4().hex, "name": name or "Notebook", **ours}
    notebook = from_builtins({**fields, "blocks": []}, Notebook, f"metadata.{OURS}")
    if metadata != _PYTHON:
        notebook.extra[FOREIGN] = metadata
    notebook.blocks = _blocks(plain["cells"], notebook.id)
    if order != _order(plain["cells"]) and not _is_sorted(notebook.blocks):
        for number, block in enumerate(notebook.blocks):  # cells were moved, added or copied
            block.sorting_key = sorting_key(number)
    return notebook


def read_nbformat(source: Path) -> NotebookNode:
    """Return the Jupyter notebook in a file, brought to version 4.

    Raises:
        DocumentError: The file holds none.
        OSError: The file cannot be read.
    """
    import nbformat  # noqa: PLC0415 - takes 50 ms

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without an id get one
            nb: NotebookNode = nbformat.read(source, as_version=4)
            nbformat.validate(nb, relax_add_props=True)  # Deepnote's exports have some
    # What is JSON but no notebook fails anywhere in there.
    except (ValueError, TypeError, AttributeError, nbformat.ValidationError) as error:
        reason = (str(error).splitlines() or [""])[0].rstrip(".")
        raise DocumentError(
            f"{source.name} is not a Jupyter notebook: {reason}.", "Open and save it in Jupyter."
        ) from None
    return nb


def new_document(
    notebooks: Iterable[Notebook], *, name: str, project_id: str = "", created_at: str = ""
) -> Document:
    """Return a document of a new project.

    Args:
        notebooks: Its notebooks.
        name: The project's name.
        project_id: The project's id; a new one where it is empty.
        created_at: UTC, ISO 8601 with ``Z``; now where it is empty.
    """
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    project = Project(id=project_id or str(uuid.uuid4()), name=name, notebooks=list(notebooks))
    return Document(metadata=Metadata(created_at=created_at or now), project=project)


def convert_file(source: Path, target: Path, *, notebook: str = "") -> None:
    """Write a notebook file in the other format; names ending in ``.ipynb`` or ``.deepnote`` tell.

    Args:
        source: The file to read.
        target: The file to write; one that exists is replaced.
        notebook: Id or name of the notebook, where a document has several.

    Raises:
        DocumentError: The source cannot be read, has no such notebook, or has several.
    """
    match source.suffix, target.suffix:
        case ".ipynb", ".deepnote":
            text = dump(_document(read_nbformat(source), source.stem))
            target.write_text(text, encoding="utf-8")
        case ".deepnote", ".ipynb":
            document = load(source.read_bytes())
            target.write_text(_written(document, _chosen(document, notebook)), encoding="utf-8")
        case _:
            raise DocumentError(
                f"{source.name} cannot become {target.name}.",
                "One must end in .ipynb, the other in .deepnote.",
            )


def _blocks(cells: list[JSON], notebook_id: str) -> list[Block]:
    blocks: list[Block] = []
    seen: set[str] = set()
    for number, cell in enumerate(cells):
        default_id = block_group(f"{notebook_id}/{number}")
        block = block_from_cell(cell, number, default_id=default_id)
        if block.id in seen:  # a copy of a cell
            block.id = default_id if cell.get("id", default_id) in seen else cell["id"]
            block.block_group = block_group(block.id)
        seen.add(block.id)
        blocks.append(block)
    return blocks


def _order(cells: list[JSON]) -> str:
    return content_hash("\n".join(cell.get("id", "") for cell in cells))


def _is_sorted(blocks: list[Block]) -> bool:
    """Whether keys tell the order of blocks: as texts, or as numbers where all of them are."""
    keys = [block.sorting_key for block in blocks]
    orders = [sorted(keys)]
    if all(re.fullmatch("[0-9]+", key) for key in keys):
        orders.append(sorted(keys, key=int))
    return len(set(keys)) == len(keys) and keys in orders


def _document(nb: NotebookNode, name: str) -> Document:
    """Return the document a notebook was made of, or a new one."""
    rest = nb.metadata.get(OURS, {}).get(_ENVELOPE)
    notebook = from_nbformat(nb, name=name)
    if rest is None:
        return new_document([notebook], name=name)
    document = from_builtins(rest, Document, f"metadata.{OURS}.{_ENVELOPE}")
    document.project.notebooks = [notebook]
    return document


def _written(document: Document, notebook: Notebook) -> str:
    """Return the file of a notebook that also holds the document around it."""
    import nbformat  # noqa: PLC0415 - takes 50 ms

    nb = to_nbformat(notebook)
    rest = to_builtins(document)
    rest["project"]["notebooks"] = []
    nb.metadata[OURS][_ENVELOPE] = rest
    text: str = nbformat.writes(nb)
    return f"{text}\n"


def _chosen(document: Document, wanted: str) -> Notebook:
    notebooks = document.project.notebooks
    found = [one for one in notebooks if not wanted or wanted in (one.id, one.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(repr(one.name) for one in notebooks) or "none"
    which = f"no notebook {wanted!r}" if wanted and not found else f"{len(found)} notebooks"
    raise DocumentError(
        f"The document has {which}.", f"Name one of its notebooks by name or id: {names}."
    )

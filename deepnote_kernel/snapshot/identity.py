"""What documents, snapshots and their blocks are known by: hashes, keys and file names.

Source: deepnote/deepnote, ``packages/convert`` (``snapshot/hash.ts``, ``snapshot/split.ts``), read
2026-11-20.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from deepnote_kernel.snapshot.models import Document, Notebook

__all__ = [
    "block_group",
    "content_hash",
    "executed_notebook",
    "slug",
    "snapshot_file_name",
    "snapshot_hash",
    "sorting_key",
]


def content_hash(content: str) -> str:
    """Return the hash that identifies a block's source."""
    return "sha256:" + hashlib.sha256(content.encode(errors="replace")).hexdigest()


def snapshot_hash(document: Document) -> str:
    """Return the hash of what a snapshot was made of; equal sources have equal hashes.

    It covers the format's version, the environment, the integrations and the content hash of each
    block that has one.
    """
    lines = [f"version:{document.version}"]
    if environment := (document.environment or {}).get("hash"):
        lines.append(f"env:{environment}")
    integrations = sorted(document.project.integrations or [], key=lambda one: one.id)
    lines += [f"integration:{one.id}:{one.type}" for one in integrations]
    blocks = (block for notebook in document.project.notebooks for block in notebook.blocks)
    lines += [f"block:{block.id}:{block.content_hash}" for block in blocks if block.content_hash]
    return content_hash("\n".join(lines))


def block_group(block_id: str) -> str:
    """Return the group of a block that shares one with no other."""
    return uuid.uuid5(uuid.NAMESPACE_OID, block_id).hex


def sorting_key(number: int) -> str:
    """Return the key of the block at a place, counted from 0: six digits sort as numbers do."""
    return f"{number:06d}"


def slug(name: str) -> str:
    """Return a name as part of a file name: lower case, unaccented, words joined by hyphens.

    It is empty where nothing of the name can be kept.
    """
    plain = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", name)).lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")


def snapshot_file_name(document: Document, *, timestamp: str = "latest") -> str:
    """Return the name under which Deepnote's tools keep a snapshot, in a folder ``snapshots``.

    Args:
        document: The snapshot. Its notebook is part of the name where it has only one, or one
            beside the init notebook.
        timestamp: When it was taken, in ISO 8601; punctuation gives way to hyphens.
    """
    project = document.project
    others = [one.id for one in project.notebooks if one.id != project.init_notebook_id]
    ids = others if len(others) == 1 else [one.id for one in project.notebooks]
    parts = [slug(project.name) or "project", re.sub("[^a-zA-Z0-9_-]", "_", project.id)]
    if len(ids) == 1:
        parts.append(quote(ids[0], safe="").replace(".", "%2E").replace("~", "%7E"))
    if timestamp != "latest":
        timestamp = re.sub("[^0-9T-]+", "-", timestamp[: len("2026-11-20T12:00:00")]).rstrip("-")
    return "_".join([*parts, timestamp]) + ".snapshot.deepnote"


def executed_notebook(document: Document, notebook_id: str) -> Notebook | None:
    """Return the notebook that a run's snapshot records, else its only one, else ``None``."""
    notebooks = document.project.notebooks
    for notebook in notebooks:
        if notebook.id == notebook_id:
            return notebook
    return notebooks[0] if len(notebooks) == 1 else None

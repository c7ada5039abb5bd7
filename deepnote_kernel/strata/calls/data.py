"""Data: what cells have stored and shown, beyond the preview in their results."""

from __future__ import annotations

from typing import Literal, TypeAlias

from deepnote_kernel.api.call import Call, present, segment
from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.calls._parts import notebook_path
from deepnote_kernel.strata.models import TablePage

__all__ = ["MAX_ROWS", "FileFormat", "SortDirection", "blob", "export", "page"]

FileFormat: TypeAlias = Literal["csv", "parquet"]
SortDirection: TypeAlias = Literal["asc", "desc"]

MAX_ROWS = 500
"""Rows that a page has at most."""

_NO_DATA = {404: "Run the cell again: what it had stored is gone, or it never stored this."}


def blob(session_id: str, cell_id: str, index: int) -> Call[bytes]:
    """Download what a cell has shown, as it was stored. Since Strata 0.8.0.

    A picture is PNG, a table an Arrow stream, JSON is JSON, any other object a pickle: do not load
    a pickle of a server you do not trust.

    Args:
        session_id: The notebook's session.
        cell_id: The cell.
        index: Which of its displays, from 0.
    """
    return Call(
        method="GET",
        path=_path(session_id, cell_id, "outputs", str(index), "blob"),
        read=_parts.raw,
        timeout_s=_parts.SLOW_S,
        replay_safe=True,
        remedies=_NO_DATA,
    )


def page(  # noqa: PLR0913 - one choice each
    session_id: str,
    cell_id: str,
    *,
    artifact_uri: str,
    offset: int = 0,
    limit: int = 100,
    sort_by: str | None = None,
    sort_dir: SortDirection = "asc",
    search: str | None = None,
) -> Call[TablePage]:
    """Get rows of a table that a cell has stored or shown.

    Args:
        session_id: The notebook's session.
        cell_id: The cell.
        artifact_uri: The table, as the cell's ``artifact_uris`` or a display names it.
        offset: The first row, from 0.
        limit: How many rows, at most :data:`MAX_ROWS`.
        sort_by: A column.
        sort_dir: Which way.
        search: Text that a row must hold.
    """
    return Call(
        method="GET",
        path=_path(session_id, cell_id, "data"),
        query=present(
            artifact_uri=artifact_uri,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            sort_dir=sort_dir,
            search=search,
        ),
        read=_parts.model(TablePage),
        replay_safe=True,
        remedies=_NO_DATA,
    )


def export(
    session_id: str, cell_id: str, *, artifact_uri: str, form: FileFormat = "parquet"
) -> Call[bytes]:
    """Download a whole table as a file.

    Args:
        session_id: The notebook's session.
        cell_id: The cell.
        artifact_uri: The table, as the cell's ``artifact_uris`` or a display names it.
        form: Which kind of file.
    """
    return Call(
        method="GET",
        path=_path(session_id, cell_id, "data", "export"),
        query={"artifact_uri": artifact_uri, "fmt": form},
        read=_parts.raw,
        timeout_s=_parts.SLOW_S,
        replay_safe=True,
        remedies=_NO_DATA,
    )


def _path(session_id: str, cell_id: str, *parts: str) -> str:
    return notebook_path(session_id, "cells", segment("cell", cell_id), *parts)

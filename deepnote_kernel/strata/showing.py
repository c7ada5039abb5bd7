"""Show what a Strata cell came to: fetch what its result only names, and word the rest."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from deepnote_kernel.api import reading
from deepnote_kernel.errors import DeepnoteError
from deepnote_kernel.strata.calls import cells, data
from deepnote_kernel.strata.failures import is_unstored
from deepnote_kernel.strata.models import Display
from deepnote_kernel.strata.objects import index_columns, shown_array, shown_object
from deepnote_kernel.strata.outputs import ENDS, MAX_ROWS, Table, bundle, shown, stream
from deepnote_kernel.strata.source import ends_in_value

if TYPE_CHECKING:
    from deepnote_kernel.outputs import JSON, Message
    from deepnote_kernel.strata.link import Link
    from deepnote_kernel.strata.models import Result

__all__ = ["Showing"]

_MAX_BLOB_BYTES: Final = 1_000_000
"""Larger objects are named, not shown."""

_PLOT: Final = b"matplotlib"


class Showing:
    """Turns results into messages.

    Args:
        link: The notebook that the cells belong to.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    async def messages(self, result: Result, code: str, *, execution_count: int) -> list[Message]:
        """Return what a front end shows of a result, but for its error.

        Args:
            result: What the run came to.
            code: What ran.
            execution_count: The number of the cell's value.
        """
        stdout, stderr = await self._console(result)
        found = [*stream("stdout", stdout), *stream("stderr", stderr)]
        is_value = ends_in_value(code)
        displays = result.displays or _unstored_display(result)
        if not is_value and code.rstrip().endswith(";"):
            displays = displays[:-1]  # Strata shows a value that a semicolon hides in Jupyter
        for index, item in enumerate(displays):
            is_last = index == len(displays) - 1
            count = execution_count if is_last and is_value else None
            found.append(shown(await self._bundle(result, index, item), execution_count=count))
        return found

    async def _console(self, result: Result) -> tuple[str, str]:
        """Return what the cell printed; Strata keeps that apart of a result out of its cache."""
        if not result.cache_hit or result.stdout or result.stderr:
            return result.stdout, result.stderr
        for cell in await self._link.send(cells.list_):
            if cell.id == result.cell_id:
                return cell.console_stdout, cell.console_stderr
        return "", ""

    async def _bundle(self, result: Result, index: int, item: Display) -> JSON:
        if item.content_type == "arrow/ipc" and item.rows is not None:
            return bundle(item, table=await self._table(result.cell_id, index, item))
        is_array = item.content_type == "arrow/ipc" and str(item.preview).startswith("ndarray")
        if is_array or item.content_type == "pickle/object":
            return bundle(item, text=await self._read(result.cell_id, index, item))
        return bundle(item)

    async def _table(self, cell_id: str, index: int, item: Display) -> Table:
        """Return what fits into a notebook; rows beyond the preview are fetched."""
        total = item.rows or 0
        rows = item.preview if isinstance(item.preview, list) else []
        if len(rows) < total <= MAX_ROWS:
            rows = await self._rows(cell_id, item, 0, total) or rows
        elif len(rows) < total:
            tail = await self._rows(cell_id, item, total - ENDS, ENDS)
            rows = [*rows[:ENDS], *tail] if tail else rows
        blob = await self._blob(cell_id, index, item)
        labels = index_columns(blob) if blob else []
        return Table(columns=item.columns, rows=rows, total=total, labels=labels)

    async def _rows(
        self, cell_id: str, item: Display, offset: int, limit: int
    ) -> list[list[object]]:
        # Without them the preview is shown: the cell has run, and this is but its value.
        with contextlib.suppress(DeepnoteError):
            found = await self._link.send(
                data.page, cell_id, artifact_uri=item.artifact_uri, offset=offset, limit=limit
            )
            return found.rows
        return []

    async def _read(self, cell_id: str, index: int, item: Display) -> str | None:
        """Return the text of a value from its stored form; ``None`` where it does not tell."""
        blob = await self._blob(cell_id, index, item)
        if blob is None:
            return None
        if item.content_type == "arrow/ipc":
            return shown_array(blob)
        text = shown_object(blob)
        if text is None and _PLOT in blob:
            return f"{item.preview}: plt.show() shows the plot"
        return text

    async def _blob(self, cell_id: str, index: int, item: Display) -> bytes | None:
        """Return a value as it is stored; ``None`` where that is large, or cannot be had."""
        if item.size_bytes <= _MAX_BLOB_BYTES:
            with contextlib.suppress(DeepnoteError):
                return await self._link.send(data.blob, cell_id, index)
        return None


def _unstored_display(result: Result) -> list[Display]:
    """Return the last display of a cell whose variables could not be stored: that alone is told."""
    last = result.outputs.get("_")
    return [reading.adopt(Display, last)] if is_unstored(result) and last else []

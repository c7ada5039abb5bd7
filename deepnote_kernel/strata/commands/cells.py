"""``cells`` and ``dag``: list, add, change, order, run, cancel, delete cells; draw their graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.commands.views import Card, Listing, State
from deepnote_kernel.errors import RunFailedError
from deepnote_kernel.strata.calls import cells, notebooks
from deepnote_kernel.strata.failures import error_content
from deepnote_kernel.strata.graph import Graph
from deepnote_kernel.strata.labels import shortened
from deepnote_kernel.strata.outputs import bundle, shown, stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.strata.calls.cells import Language, Mode
    from deepnote_kernel.strata.commands.context import StrataContext
    from deepnote_kernel.strata.models import Cancelled, Cell, Result

__all__ = ["add", "cancel", "dag", "delete", "list_", "move", "run", "show", "update"]

_SUMMARY_CHARS = 50


def list_(context: StrataContext) -> Listing[Cell]:
    """List the notebook's cells in their order."""
    return _listing(context.server.send(cells.list_(context.session_id)))


def show(context: StrataContext, *, cell: str) -> Card[Cell]:
    """Show a cell."""
    return _card(_find(context, cell))


def add(
    context: StrataContext, *, source: str, after: str | None, language: Language
) -> Card[Cell]:
    """Add a cell with a text."""
    made = context.server.send(
        cells.add(context.session_id, after_cell_id=after, language=language)
    )
    return _card(context.server.send(cells.update(context.session_id, made.id, source=source)).cell)


def update(context: StrataContext, *, cell: str, source: str, force: bool) -> Card[Cell]:
    """Give a cell another text."""
    call = cells.update(context.session_id, cell, source=source, force=force)
    return _card(context.server.send(call).cell)


def move(context: StrataContext, *, cells_: Sequence[str]) -> Listing[Cell]:
    """Put cells first, in the order given."""
    return _listing(context.server.send(cells.reorder(context.session_id, cells_)))


def delete(context: StrataContext, *, cell: str, yes: bool) -> None:
    """Delete a cell, once the person has agreed."""
    found = _find(context, cell)
    context.confirm(f"Delete the cell {cell} ({_summary(found)})?", yes=yes)
    context.server.send(cells.delete(context.session_id, cell))
    context.surface.say(f"Deleted cell {cell}.")


def run(context: StrataContext, *, cell: str, mode: Mode) -> Card[Result]:
    """Run a cell of the notebook, and show what it shows."""
    found = _find(context, cell)
    result = context.server.send(cells.execute(context.session_id, cell, mode=mode))
    for message in [*stream("stdout", result.stdout), *stream("stderr", result.stderr)]:
        context.surface.show(message)
    for item in result.displays:
        context.surface.show(shown(bundle(item)))
    if result.status == "error":
        failed = error_content(result, found.source)
        raise RunFailedError(f"{failed['ename']}: {failed['evalue']}".rstrip(": "))
    return Card(
        result,
        {
            "Cell": cell,
            "Status": State(result.status),
            "From the cache": "yes" if result.cache_hit else "no",
            "Took": f"{result.duration_ms:.0f} ms",
            "Stores": ", ".join(name for name in result.outputs if name != "_"),
        },
    )


def cancel(context: StrataContext, *, cell: str) -> Card[Cancelled]:
    """Cancel a running cell."""
    done = context.server.send(cells.cancel(context.session_id, cell))
    said = "cancelled" if done.cancelled else "was not running"
    return Card(done, {"Cell": cell, "State": said})


def dag(context: StrataContext) -> Graph:
    """Draw which cell uses what of which."""
    found = context.server.send(cells.list_(context.session_id))
    return Graph(context.server.send(notebooks.dag(context.session_id)), found)


def _find(context: StrataContext, cell_id: str) -> Cell:
    for cell in context.server.send(cells.list_(context.session_id)):
        if cell.id == cell_id:
            return cell
    raise UsageError(f"There is no cell {cell_id!r}.", "`%strata cells list` shows them.")


def _listing(found: list[Cell]) -> Listing[Cell]:
    return Listing(
        found,
        ["Cell", "State", "Defines", "Uses", "Begins"],
        lambda cell: (
            cell.id,
            State(cell.status),
            ", ".join(cell.defines),
            ", ".join(cell.references),
            _summary(cell),
        ),
        empty="The notebook has no cells.",
    )


def _card(cell: Cell) -> Card[Cell]:
    return Card(
        cell,
        {
            "Cell": cell.id,
            "State": State(cell.status),
            "Language": cell.language,
            "Defines": ", ".join(cell.defines),
            "Uses": ", ".join(cell.references),
            "Stores": [f"{name}: {uri}" for name, uri in cell.artifact_uris.items()],
            "Source": cell.source.splitlines(),
        },
    )


def _summary(cell: Cell) -> str:
    lines = [line for line in cell.source.splitlines() if line.strip()]
    first = lines[0] if lines else ""
    return shortened(first, _SUMMARY_CHARS)

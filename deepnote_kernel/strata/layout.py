"""Which Strata cell stands for which cell of the Jupyter notebook, and where it lies.

A cell sees what the cells above it define, whatever ran when. So that it sees what it would see in
Jupyter, a cell that runs is moved to the end, just above the anchor: the last to run is the last.
What lies below the anchor is out of sight: cells that failed, and those of an earlier namespace.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.errors import NotFoundError
from deepnote_kernel.strata.anchor import (
    Ledger,
    anchor_source,
    exportable,
    is_anchor,
    read_ledger,
)
from deepnote_kernel.strata.calls import cells
from deepnote_kernel.strata.models import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deepnote_kernel.strata.calls.cells import Language
    from deepnote_kernel.strata.link import Link

__all__ = ["Layout", "Placed", "cell_key"]


class Placed(msgspec.Struct):
    """A cell in its place, ready to run."""

    key: str
    cell: Cell
    order: list[str]
    """The cells' order before, to go back to if the cell fails."""

    source: str = ""
    """The text whose result counts until this run has one; empty where it has none."""

    follows: str = ""
    """The cell of an earlier run, which stays: this one reads from it, or lacks a name of it."""


def cell_key(cell_id: str, code: str) -> str:
    """Return what a cell of the Jupyter notebook is remembered by.

    Args:
        cell_id: Its id; empty where the front end sends none.
        code: Its text, which has to do in place of the id.
    """
    known_by = f"id:{cell_id}" if cell_id else f"code:{code.strip()}"
    return hashlib.sha256(known_by.encode()).hexdigest()[:12]


class Layout:
    """The cells of one Strata notebook, as one Jupyter notebook uses them.

    Args:
        link: The notebook.
        found: Its cells.
    """

    def __init__(self, link: Link, found: Iterable[Cell]) -> None:
        self._link = link
        self._cells = {cell.id: cell for cell in found}
        anchors = [cell for cell in self._cells.values() if is_anchor(cell.source)]
        self.anchor_id = anchors[-1].id if anchors else ""
        self._ledger = read_ledger(anchors[-1].source) if anchors else Ledger()
        self._unstorable: dict[str, set[str]] = {}

    # What there is

    @property
    def in_sight(self) -> list[Cell]:
        """The cells whose variables the next cell sees, from top to bottom."""
        found = [*self._cells.values()]
        ids = [cell.id for cell in found]
        end = ids.index(self.anchor_id) if self.anchor_id in ids else len(ids)
        return found[:end]

    def names(self) -> set[str]:
        """Return the variables the next cell sees."""
        return {name for cell in self.in_sight for name in cell.defines}

    def get(self, cell_id: str) -> Cell | None:
        """Return a cell as it was when the server last told."""
        return self._cells.get(cell_id)

    def code(self) -> str:
        """Return the text of the cells in sight, as one program."""
        return "\n".join(c.source for c in self.in_sight if c.language == "python")

    @property
    def is_settled(self) -> bool:
        """Whether what the next cell sees has its results, so that looking at it runs nothing."""
        anchor = self._cells.get(self.anchor_id)
        needed = {*anchor.upstream_ids} if anchor else set()
        for cell in reversed(self.in_sight):
            if cell.id in needed:
                needed |= {*cell.upstream_ids}
        return all(self._cells[i].status == "ready" for i in needed & {*self._cells})

    async def refresh(self) -> None:
        """Ask the server for the cells as they are now: Strata's own editor may change them."""
        self._learn(await self._link.send(cells.list_))

    # Places

    async def place(self, key: str, code: str, language: Language) -> Placed:
        """Bring a cell to the end, where it sees what ran before; nothing is run.

        A cell that reads what it defines itself must read it from its earlier run, and one that
        defines a name no longer leaves that as it is. The earlier run stays then, as a cell above.

        Args:
            key: What the cell is remembered by.
            code: Its text.
            language: What it is written in.
        """
        await self.refresh()
        await self._ensure_anchor()
        await self._sweep()
        order = [*self._cells]
        old = self._known(key, language)
        seen = old if old in self.in_sight else None
        held = self._held(seen) if seen else set()
        cell = await self._write(old or await self._add(language), code)
        changed = {*cell.defines, *cell.mutation_defines}
        if seen and (changed & {*cell.references} or held - changed):
            await self._write(cell, seen.source)
            cell = await self._write(await self._add(language), code)
        await self._move(cell.id, before=self.anchor_id)
        earlier = self._ledger.cells.get(key, cell.id)
        follows = earlier if earlier != cell.id and earlier in self._cells else ""
        self._ledger.cells[key] = cell.id
        self._ledger.left += filter(None, [follows])
        await self._write_anchor()
        return Placed(
            key=key,
            cell=self._cells[cell.id],
            order=order,
            source=seen.source if seen else "",
            follows=follows,
        )

    async def place_in_order(self, key: str, code: str, language: Language) -> Placed:
        """Put a cell's text where the cell lies already, a new one at the end; nothing is run.

        One that uses what is only defined below it is moved behind that.

        Args:
            key: What the cell is remembered by.
            code: Its text.
            language: What it is written in.
        """
        await self.refresh()
        await self._ensure_anchor()
        order = [*self._cells]
        cell = self._known(key, language) or await self._add(language)
        cell = await self._write(cell, code)
        self._ledger.cells[key] = cell.id
        below = self._needed_below(cell)
        if below:
            await self._move(cell.id, behind=below)
        await self._write_anchor()
        return Placed(key=key, cell=self._cells[cell.id], order=order)

    async def put_back(self, placed: Placed) -> None:
        """Undo the move of a cell that has failed: what it should have defined is as before."""
        if placed.follows:
            self._ledger.cells[placed.key] = placed.follows
            self._ledger.left.remove(placed.follows)
            self._learn(await self._link.send(cells.delete, placed.cell.id))
            return
        if placed.source:
            await self._write(placed.cell, placed.source)
        if [*self._cells] != placed.order:
            # One that was not there before comes last, out of sight.
            self._learn(await self._link.send(cells.reorder, placed.order))

    def give_up_storing(self, cell_id: str, names: Iterable[str]) -> None:
        """Note that variables of a cell cannot be stored, so that the others can."""
        self._unstorable.setdefault(cell_id, set()).update(names)

    def unstored(self, cell: Cell) -> tuple[list[Cell], set[str]]:
        """Return what a cell uses that is not there.

        Returns:
            The cells that have to run once more, for Strata did not keep what they define; and the
            names that no run would bring, for they cannot be stored.
        """
        producers: dict[str, Cell] = {}
        lost: set[str] = set()
        for name in cell.references:
            producer = self._producer(name, cell.id)
            if producer is None or name in producer.artifact_uris:
                continue
            if name in self._unstorable.get(producer.id, ()):
                lost.add(name)
            elif producer.status != "error" or producer.id in self._unstorable:
                producers[producer.id] = producer
        return [*producers.values()], lost

    def wanted(self, cell: Cell) -> set[str]:
        """Return the variables of a cell that others name, the anchor among them."""
        used = {name for other in self._cells.values() for name in other.references}
        return used & {*cell.defines}

    # A namespace's end

    async def clear(self, *, keeps_cells: bool) -> None:
        """Put all that ran out of sight, and delete what was out of sight for long.

        Args:
            keeps_cells: Whether the cells are kept, to be used again; otherwise all are deleted.
        """
        await self._ensure_anchor()
        seen = {cell.id for cell in self.in_sight}
        ours = {*self._ledger.cells.values(), *self._ledger.left}
        kept = {*self._ledger.cells.values()} & seen if keeps_cells else set()
        for cell_id in (ours - kept) & {*self._cells}:
            self._learn(await self._link.send(cells.delete, cell_id))
        self._ledger.cells = {k: v for k, v in self._ledger.cells.items() if v in kept}
        self._ledger.left = []
        foreign = [i for i in self._cells if i not in kept and i != self.anchor_id]
        order = [*foreign, self.anchor_id, *(i for i in self._cells if i in kept)]
        if order != [*self._cells]:
            self._learn(await self._link.send(cells.reorder, order))
        await self._write_anchor()

    async def forget(self, keys: Iterable[str], *, keeps_variables: bool) -> None:
        """Take note of cells that are no longer in the Jupyter notebook.

        Args:
            keys: What they were remembered by.
            keeps_variables: Whether their variables stay, as in Jupyter; otherwise they go at once.
        """
        gone = [self._ledger.cells.pop(key) for key in keys if key in self._ledger.cells]
        if keeps_variables:
            self._ledger.left += gone
            return
        for cell_id in gone:
            with contextlib.suppress(NotFoundError):
                self._learn(await self._link.send(cells.delete, cell_id))

    # Calls

    def _learn(self, found: list[Cell]) -> None:
        self._cells = {cell.id: cell for cell in found}

    def _known(self, key: str, language: str) -> Cell | None:
        cell = self._cells.get(self._ledger.cells.get(key, ""))
        return cell if cell is not None and cell.language == language else None

    def _held(self, cell: Cell) -> set[str]:
        """Return the names that have their value from a cell, for whoever comes next."""
        names = {*cell.defines, *cell.mutation_defines} - self._unstorable.get(cell.id, set())
        return {name for name in names if self._producer(name, self.anchor_id) is cell}

    async def _sweep(self) -> None:
        """Delete the cells that were left and that nothing needs: neither a name nor a cell."""
        needed: set[str] = set()
        for cell in reversed(self.in_sight):
            if cell.id not in self._ledger.left or cell.id in needed or self._held(cell):
                needed |= {cell.id, *cell.upstream_ids}
        for cell_id in {*self._ledger.left} - needed & {*self._cells}:
            self._learn(await self._link.send(cells.delete, cell_id))
        self._ledger.left = [i for i in self._ledger.left if i in needed]

    def _producer(self, name: str, user_id: str) -> Cell | None:
        """Return the cell that a name comes from: the nearest above that defines it."""
        above: Cell | None = None
        for cell in self._cells.values():
            if cell.id == user_id:
                break
            if name in cell.defines or name in cell.mutation_defines:
                above = cell
        return above

    def _needed_below(self, cell: Cell) -> str:
        """Return the last cell below that alone defines something a cell uses; empty if none."""
        missing = {n for n in cell.references if self._producer(n, cell.id) is None}
        ids = [*self._cells]
        below = [self._cells[i] for i in ids[ids.index(cell.id) + 1 :]]
        return next((c.id for c in reversed(below) if missing & {*c.defines}), "")

    async def _add(self, language: Language) -> Cell:
        """Add a cell as the last that is seen; the server cannot put one before all others."""
        seen = self.in_sight
        after = seen[-1].id if seen else None
        cell = await self._link.send(cells.add, after_cell_id=after, language=language)
        ids = [*self._cells]
        place = len(seen) if seen else len(ids)
        order = [*ids[:place], cell.id, *ids[place:]]
        self._cells = {i: cell if i == cell.id else self._cells[i] for i in order}
        await self._move(cell.id, before=self.anchor_id)
        return cell

    async def _write(self, cell: Cell, source: str) -> Cell:
        if cell.source == source:
            return cell
        updated = await self._link.send(cells.update, cell.id, source=source, force=True)
        if updated.cells:
            self._learn(updated.cells)
        return self._cells.setdefault(cell.id, updated.cell)

    async def _move(self, cell_id: str, *, before: str = "", behind: str = "") -> None:
        others = [i for i in self._cells if i != cell_id]
        place = others.index(before) if before else others.index(behind) + 1
        order = [*others[:place], cell_id, *others[place:]]
        if order != [*self._cells]:
            self._learn(await self._link.send(cells.reorder, order))

    async def _ensure_anchor(self) -> None:
        """Make the anchor where there is none, or where somebody has deleted it."""
        if self.anchor_id not in self._cells:
            cell = await self._link.send(cells.add)
            self._cells[cell.id] = cell
            self.anchor_id = cell.id

    async def _write_anchor(self) -> None:
        names = {
            name
            for cell in self.in_sight
            if cell.language == "python"
            for name in exportable(cell.source) - self._unstorable.get(cell.id, set())
        }
        await self._write(self._cells[self.anchor_id], anchor_source(names, self._ledger))

"""Run one cell on Strata, and whatever has to run so that it can."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Final

from msgspec import structs

from deepnote_kernel.errors import (
    ConnectionFailedError,
    ServerError,
    SessionError,
    TransportError,
    UnsupportedError,
)
from deepnote_kernel.outputs import Message
from deepnote_kernel.session.waiting import delays
from deepnote_kernel.strata.calls import cells
from deepnote_kernel.strata.failures import (
    error_content,
    is_lost_in_pool,
    is_unstored,
    unstored_names,
)
from deepnote_kernel.strata.labels import label
from deepnote_kernel.strata.models import Cell, Result
from deepnote_kernel.strata.outputs import note, stream
from deepnote_kernel.strata.refusals import EnvironmentBusyError, NotebookBusyError
from deepnote_kernel.strata.settings import JUPYTER
from deepnote_kernel.strata.showing import Showing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from deepnote_kernel.strata.calls.cells import Mode
    from deepnote_kernel.strata.layout import Layout, Placed
    from deepnote_kernel.strata.link import Link
    from deepnote_kernel.strata.source import Prepared

__all__ = ["Runner"]

_CELL_ID: Final = re.compile(r"\bcell ([0-9a-f]{8})\b")
_ENDED: Final = {"ready", "error"}
_LABEL_CHARS: Final = 40


class Runner:
    """Runs cells one after the other: the server refuses a second one meanwhile.

    Args:
        link: The notebook.
        layout: Its cells.
        mode: What a cell sees, as the settings say.
    """

    def __init__(self, link: Link, layout: Layout, mode: str) -> None:
        self._link = link
        self._layout = layout
        self._showing = Showing(link)
        self._is_jupyter = mode == JUPYTER
        self._interrupted = asyncio.Event()
        self._running = ""
        self._explained: set[str] = set()

    @property
    def is_busy(self) -> bool:
        """Whether a cell runs, or waits for the notebook to be free."""
        return bool(self._running)

    async def run(
        self, key: str, prepared: Prepared, *, execution_count: int, interrupted: asyncio.Event
    ) -> AsyncIterator[Message]:
        """Run a cell and yield what it shows; an error among that says that it failed.

        Args:
            key: What the cell is remembered by.
            prepared: What to run.
            execution_count: The number of the cell's value.
            interrupted: Is set where the cell is not to run any more.
        """
        self._interrupted = interrupted
        place = self._layout.place if self._is_jupyter else self._layout.place_in_order
        placed = await place(key, prepared.code, prepared.language)
        async for message in self._result(placed, prepared, execution_count):
            yield message

    async def interrupt(self) -> None:
        """Cancel what runs."""
        running = self._running
        for delay_s in delays(0.05, 0.5):
            # The run may be under way to the server still; and the next one is none of ours.
            if not running or self._running != running or await self._cancel(running):
                return
            await asyncio.sleep(delay_s)

    async def _result(
        self, placed: Placed, prepared: Prepared, execution_count: int
    ) -> AsyncIterator[Message]:
        if self._is_jupyter:
            for message in await self._prerequisites(placed):
                yield message
            result = await self._execute(placed.cell.id, "force")
        else:
            result, notes = await self._cascade(placed.cell.id)
            for message in notes:
                yield message
        has_failed = result.status == "error" and not is_unstored(result)
        found = await self._showing.messages(result, prepared.code, execution_count=execution_count)
        if has_failed:
            await self._layout.put_back(placed)
        for message in found:
            yield message
        for message in self._remarks(placed, result):
            yield message
        if has_failed:
            named = structs.replace(result, error=self._named(result.error))
            yield Message(msg_type="error", content=error_content(named, prepared.code))
            for message in self._advice(placed, result):
                yield message

    # Running

    async def _execute(self, cell_id: str, mode: Mode) -> Result:
        self._running = cell_id
        try:
            for delay_s in delays(0.1, 1.0):
                if self._interrupted.is_set():
                    break
                with contextlib.suppress(NotebookBusyError, EnvironmentBusyError):
                    return await self._link.send(cells.execute, cell_id, mode=mode)
                # Somebody runs a cell, or installs packages, in Strata's own editor.
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._interrupted.wait(), delay_s)
        except ServerError:
            # A server before 0.8.0 words a cancelled run so.
            if not self._interrupted.is_set():
                raise
        except ConnectionFailedError:
            raise
        except TransportError as error:
            raise SessionError(
                f"The cell may have run, but its outputs are lost: {error.message}",
                "Look at its effects before you run it again.",
            ) from None
        finally:
            self._running = ""
        return Result(cell_id=cell_id, status="error", error_code="cancelled")

    async def _cancel(self, running: str) -> bool:
        try:
            return (await self._link.send(cells.cancel, running)).cancelled
        except UnsupportedError:
            async with self._link.socket() as socket:
                await socket.send("cell_cancel", cell_id=running)
                await socket.wait_for("cell_status", timeout_s=1.0)
            return True

    async def _prerequisites(self, placed: Placed) -> list[Message]:
        """Run the cells again whose variables are wanted now and were not kept."""
        producers, _ = self._layout.unstored(placed.cell)
        found: list[Message] = []
        for producer in producers:
            again = label(producer.source, _LABEL_CHARS)
            found.append(note(f"Strata: `{again}` ran once more, for its variables were not kept."))
            result = await self._execute(producer.id, "force")
            if is_unstored(result):
                wanted = self._layout.wanted(producer)
                self._layout.give_up_storing(producer.id, unstored_names(result, wanted))
        if producers:
            await self._layout.refresh()
        return found

    async def _cascade(self, cell_id: str) -> tuple[Result, list[Message]]:
        """Run a cell, and what is stale above it; tell what that was."""
        before = {cell.id: cell.status for cell in self._layout.in_sight}
        result = await self._execute(cell_id, "normal")
        await self._layout.refresh()
        notes: list[Message] = []
        for cell in self._layout.in_sight:
            has_run = before.get(cell.id, cell.status) != cell.status
            if has_run and cell.id != cell_id and cell.status in _ENDED:
                notes.append(note(f"Strata: `{label(cell.source, _LABEL_CHARS)}` {_how(cell)}."))
                notes += stream("stdout", cell.console_stdout)
                notes += stream("stderr", cell.console_stderr)
        if result.cache_hit:
            notes.append(note("Strata: this cell's result came from the cache."))
        return result, notes

    # Words

    def _remarks(self, placed: Placed, result: Result) -> list[Message]:
        """Return what a person should know of a cell's variables, each only once."""
        lines = []
        if is_unstored(result):
            names = unstored_names(result, self._layout.wanted(placed.cell))
            self._layout.give_up_storing(placed.cell.id, names)
            listed = ", ".join(sorted(names)) or "a variable"
            lines.append(
                f"Strata: the cell ran, but {listed} cannot be passed on to other cells. Make it "
                "in each cell that uses it.\n"
            )
        for warning in result.mutation_warnings:
            if warning.var_name not in self._explained:
                self._explained.add(warning.var_name)
                lines.append(
                    f"Strata: {warning.var_name} was changed in place, which other cells do not "
                    f"see. Bind the changed value to a name here: {warning.var_name} = ...\n"
                )
        return stream("stderr", "".join(lines))

    def _advice(self, placed: Placed, result: Result) -> list[Message]:
        """Return what may help after a failure."""
        lines = []
        _, lost = self._layout.unstored(placed.cell)
        if lost:
            listed = ", ".join(sorted(lost))
            lines.append(f"Strata cannot pass {listed} on from the cell that made it.\n")
        if is_lost_in_pool(result):
            lines.append(
                "Strata's warm workers lose the variables that a function takes from other cells: "
                "start the server with STRATA_NOTEBOOK_WARM_POOL_SIZE=0.\n"
            )
        if result.suggest_install == "IPython":
            lines.append("Cells on Strata have no IPython; display() is there without an import.\n")
        elif result.suggest_install:
            lines.append(f"`%pip install {result.suggest_install}` adds it to the notebook.\n")
        return stream("stderr", "".join(lines))

    def _named(self, error: str) -> str:
        """Return an error's words with cells called by their first line, not by an id."""
        return _CELL_ID.sub(lambda match: self._cell_label(match[1]), error)

    def _cell_label(self, cell_id: str) -> str:
        cell = self._layout.get(cell_id)
        return f"`{label(cell.source, _LABEL_CHARS)}`" if cell else f"cell {cell_id}"


def _how(cell: Cell) -> str:
    if cell.status == "error":
        return "ran first, and failed"
    return "came from the cache" if cell.cache_hit else "ran first"

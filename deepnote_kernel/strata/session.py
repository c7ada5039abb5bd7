"""Cells on a Strata server, behind the interface that the kernel and the magics know.

Strata has no interpreter that lives on: each cell is a process of its own, and variables travel
between cells as stored results. :mod:`~deepnote_kernel.strata.layout` arranges the cells so that
each sees what it would see in Jupyter. What cannot be had that way is said in the cell.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from deepnote_kernel.errors import (
    ConflictError,
    DeepnoteError,
    NotFoundError,
    SessionError,
    UnsupportedError,
)
from deepnote_kernel.outputs import Message, error_output, reply_content, to_messages
from deepnote_kernel.session.protocol import Reply, Status
from deepnote_kernel.strata import static
from deepnote_kernel.strata.calls import environment, notebooks, sessions
from deepnote_kernel.strata.failures import job_failure
from deepnote_kernel.strata.inspector import Evaluated, Inspector, complete_in, describe_in
from deepnote_kernel.strata.layout import cell_key
from deepnote_kernel.strata.outputs import shown, stream
from deepnote_kernel.strata.runner import Runner
from deepnote_kernel.strata.settings import JUPYTER
from deepnote_kernel.strata.source import prepare

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from deepnote_kernel.outputs import JSON
    from deepnote_kernel.session.protocol import Cell, Event
    from deepnote_kernel.strata.layout import Layout
    from deepnote_kernel.strata.link import Link
    from deepnote_kernel.strata.models import EnvironmentState
    from deepnote_kernel.strata.settings import StrataSettings
    from deepnote_kernel.strata.source import Prepared

__all__ = ["StrataSession"]

Question: TypeAlias = "Callable[[Inspector, str, str, int], Awaitable[JSON]]"

_LOOK_S: Final = 2.0
"""How long the next cell may have to wait for a question."""


class StrataSession:
    """A Strata notebook that is open.

    Args:
        link: The notebook.
        layout: Its cells.
        settings: How the session was asked for.
        is_temporary: Whether the notebook goes when the session ends: no Jupyter notebook would
            find it again.
    """

    def __init__(
        self, link: Link, layout: Layout, settings: StrataSettings, *, is_temporary: bool = False
    ) -> None:
        self.settings = settings
        self.on_message: Callable[[Message], None] | None = None
        self._link = link
        self._layout = layout
        self._is_temporary = is_temporary
        self._runner = Runner(link, layout, settings.mode)
        self._inspector = Inspector(link)
        self._turn = asyncio.Lock()
        self._under_way: list[asyncio.Event] = []
        self._execution_count = 0
        self._packages: asyncio.Task[EnvironmentState] | None = None
        self._is_fresh = True
        self._env: dict[str, str] | None = None
        self._started_at = datetime.now(timezone.utc)

    @property
    def session_id(self) -> str:
        """The session, by the server's id; another one after the server has started anew."""
        return self._link.session_id

    @property
    def notebook_id(self) -> str:
        """The notebook's folder on the server's machine."""
        return self._link.path

    @property
    def link(self) -> Link:
        """The open notebook, for calls about it."""
        return self._link

    # Cells

    async def run(self, cell: Cell) -> AsyncIterator[Event]:
        """Run a cell; what it shows comes at its end, for Strata has no sooner news of it."""
        interrupted = asyncio.Event()
        self._under_way.append(interrupted)
        try:
            async with self._turn:
                self._execution_count += cell.store_history and not cell.silent
                count = cell.execution_count or self._execution_count
                messages: list[Message] = []
                payload: list[JSON] = []
                async for message in self._run(cell, count, payload, interrupted):
                    messages.append(message)
                    yield message
                content = reply_content(messages, execution_count=count)
                content["payload"] = payload
                if cell.user_expressions and content["status"] == "ok":
                    content["user_expressions"] = await self._evaluate_all(cell.user_expressions)
        finally:
            self._under_way.remove(interrupted)
        yield Reply(content=content)

    async def _run(
        self, cell: Cell, count: int, payload: list[JSON], interrupted: asyncio.Event
    ) -> AsyncIterator[Message]:
        await self._forget(cell.metadata.get("deletedCells") or [])
        prepared = prepare(cell.code, known=self._layout.names())
        if cell.silent or not cell.store_history:
            for message in await self._look(prepared.code, count, is_silent=cell.silent):
                yield message
            return
        async for message in self._wishes(prepared, payload):
            yield message
        if prepared.code.strip():
            key = cell_key(str(cell.metadata.get("cellId") or ""), cell.code)
            try:
                async for message in self._runner.run(
                    key, prepared, execution_count=count, interrupted=interrupted
                ):
                    yield message
            finally:
                self._is_fresh = False
                await self._inspector.expire()

    async def answer(self, text: str) -> None:  # noqa: ARG002 - the protocol's
        """Refuse: no cell asks."""
        raise UnsupportedError("A cell on Strata takes no input.")

    async def interrupt(self) -> None:
        """Cancel the running cell, whose output is lost; or give up waiting for packages."""
        for interrupted in self._under_way:
            interrupted.set()
        if self._packages is not None:
            self._packages.cancel()
        else:
            await self._runner.interrupt()

    @property
    def has_left_cell(self) -> bool:
        """No: Strata ends cells that nobody waits for."""
        return False

    async def follow(self) -> AsyncIterator[Event]:
        """Yield nothing."""
        nothing: list[Event] = []
        for event in nothing:
            yield event

    # What a cell wishes

    async def _wishes(self, prepared: Prepared, payload: list[JSON]) -> AsyncIterator[Message]:
        if prepared.resets:
            await self._layout.clear(keeps_cells=self.settings.mode == JUPYTER)
        if prepared.env:
            await self._set_env(prepared.env)
        for package in prepared.install:
            yield await self._change_packages("add", package)
        for package in prepared.uninstall:
            yield await self._change_packages("remove", package)
        if prepared.shown:
            yield shown(dict(prepared.shown))
        if prepared.question:
            name = prepared.question.rstrip("?")
            ask = partial(describe_in, detail_level=int(prepared.question.endswith("?")))
            answer = await self._looked_up(ask, name, len(name))
            if not answer.get("found"):
                answer = await self._read_up(static.describe, name, len(name))
            if answer.get("found"):
                payload.append({"source": "page", "data": answer["data"], "start": 0})
            else:
                yield stream("stdout", f"Object `{name}` not found.\n")[0]

    async def _change_packages(self, action: environment.Action, package: str) -> Message:
        """Change the notebook's packages, and wait for the end; cells cannot run meanwhile.

        Raises:
            SessionError: The package manager refused; the message has its words.
        """
        await self._link.send(environment.start_job, action, package=package)
        self._packages = asyncio.ensure_future(self._link.settled_environment())
        try:
            job = (await self._packages).job
        finally:
            self._packages = None
        if job is not None and job.status == "failed":
            raise SessionError(
                f"The notebook's packages could not be changed: {job_failure(job)}.",
                "`%strata env job` tells more.",
            )
        done = "Installed" if action == "add" else "Removed"
        return stream("stdout", f"{done} {package} in the notebook's environment.\n")[0]

    async def _set_env(self, changes: dict[str, str]) -> None:
        if self._env is None:
            self._env = (await self._link.client.send(sessions.get(self._link.session_id))).env
        self._env = {**self._env, **changes}
        await self._link.send(notebooks.set_env, self._env)

    async def _forget(self, cell_ids: list[str]) -> None:
        if cell_ids:
            keys = [cell_key(cell_id, "") for cell_id in cell_ids]
            await self._layout.forget(keys, keeps_variables=self.settings.mode == JUPYTER)

    # Questions

    async def _look(self, code: str, count: int, *, is_silent: bool) -> list[Message]:
        """Run code that is no cell of the person's beside the notebook, which it cannot change."""
        if not code.strip():
            return []
        answer = await self._evaluated(code.strip())
        if not answer.is_ok:
            last = answer.error.strip().rpartition("\n")[2]
            name, _, value = last.partition(": ")
            return to_messages([error_output(name, value)])
        found = stream("stdout", answer.printed)
        if answer.type not in {"", "None", "NoneType"} and not is_silent:
            found.append(shown({"text/plain": answer.result}, execution_count=count))
        return found

    async def _evaluate_all(self, expressions: dict[str, str]) -> JSON:
        """Return the ``user_expressions`` of a reply."""
        return {name: await self._evaluate(code) for name, code in expressions.items()}

    async def _evaluate(self, expression: str) -> JSON:
        try:
            answer = await self._evaluated(expression)
        except DeepnoteError as error:
            return {"status": "error", **_error(type(error).__name__, str(error))}
        if answer.is_ok:
            return {"status": "ok", "data": {"text/plain": answer.result}, "metadata": {}}
        name, _, value = answer.error.strip().rpartition("\n")[2].partition(": ")
        return {"status": "error", **_error(name, value)}

    async def complete(self, code: str, cursor_pos: int) -> JSON:
        """Complete a name from the values there are, or from the notebook's text."""
        reply = await self._looked_up_if_free(complete_in, code, cursor_pos)
        if reply.get("matches"):
            return reply
        return await self._read_up(static.complete, code, cursor_pos)

    async def inspect(self, code: str, cursor_pos: int, detail_level: int = 0) -> JSON:
        """Describe a name from the values there are, or from the notebook's text."""
        ask = partial(describe_in, detail_level=detail_level)
        reply = await self._looked_up_if_free(ask, code, cursor_pos)
        if reply.get("found"):
            return reply
        return await self._read_up(static.describe, code, cursor_pos)

    async def _read_up(
        self, look: Callable[[str, str, int], JSON], code: str, cursor_pos: int
    ) -> JSON:
        """Ask the text of the cells that the next one sees."""
        return await asyncio.to_thread(look, self._layout.code(), code, cursor_pos)

    async def _looked_up_if_free(self, ask: Question, code: str, cursor_pos: int) -> JSON:
        if self._turn.locked():
            return {}
        async with self._turn:
            return await self._looked_up(ask, code, cursor_pos)

    async def _looked_up(self, ask: Question, code: str, cursor_pos: int) -> JSON:
        """Ask the inspector; empty where there is no answer, or where asking would run cells."""
        with contextlib.suppress(DeepnoteError, asyncio.TimeoutError):
            return await asyncio.wait_for(self._ask(ask, code, cursor_pos), _LOOK_S)
        return {}

    async def _ask(self, ask: Question, code: str, cursor_pos: int) -> JSON:
        if not await self._may_look():
            return {}
        return await ask(self._inspector, self._layout.anchor_id, code, cursor_pos)

    async def _evaluated(self, code: str) -> Evaluated:
        if not await self._may_look():
            raise UnsupportedError(
                "Strata cannot look at the variables: it would run cells again for that.",
                "Run the notebook's cells from top to bottom first.",
            )
        return await self._inspector.evaluate(code, self._layout.anchor_id)

    async def _may_look(self) -> bool:
        """Return whether the inspector can be opened without running a cell."""
        if not self._is_fresh:
            await self._layout.refresh()
            self._is_fresh = True
        return bool(self._layout.anchor_id) and self._layout.is_settled

    async def send_comm(self, message: Message) -> None:  # noqa: ARG002 - the protocol's
        """Refuse: nothing on Strata could answer."""
        raise UnsupportedError("Strata has no widgets of Jupyter's.", "See its own widget cells.")

    async def comm_info(self, target_name: str = "") -> JSON:  # noqa: ARG002 - the protocol's
        """Return no comms."""
        return {"status": "ok", "comms": {}}

    # Life

    async def restart(self) -> None:
        """Give the next cells an empty namespace; a running cell is cancelled."""
        await self.interrupt()
        async with self._turn:
            await self._layout.clear(keeps_cells=self.settings.mode == JUPYTER)
            await self._inspector.expire()
            self._execution_count = 0

    async def status(self) -> Status:
        """Ask the server how the notebook is."""
        notebook = await self._link.client.send(notebooks.open_(self._link.path))
        self._link.session_id = notebook.session_id
        version = (await self._link.client.features()).version
        return Status(
            session_id=notebook.session_id,
            notebook_id=notebook.path,
            state="busy" if self._runner.is_busy else "idle",
            mode=self.settings.mode,
            where=self.settings.base_url,
            age_s=(datetime.now(timezone.utc) - self._started_at).total_seconds(),
            url=self.settings.base_url,
            details={
                "Strata": version,
                "Python": notebook.environment.python_version,
                "Cells": str(len(self._layout.in_sight)),
            },
        )

    async def hand_over(self) -> JSON:
        """Refuse: the next process finds the notebook by its name."""
        raise UnsupportedError("A Strata notebook is not handed over.")

    async def take_over(self, handed_over: JSON) -> None:  # noqa: ARG002 - the protocol's
        """Refuse, as nothing can have been handed over."""
        raise UnsupportedError("A Strata notebook is not handed over.")

    async def detach(self) -> None:
        """Let go of the notebook; it stays open on the server."""
        await self._inspector.close()

    async def stop(self) -> None:
        """Close the notebook; one that nobody would find again is deleted."""
        if self._runner.is_busy:
            await self.interrupt()
        await self._inspector.close()
        call = notebooks.delete if self._is_temporary else notebooks.close
        # Old servers close nothing, and a busy one refuses: it closes idle notebooks by itself.
        with contextlib.suppress(NotFoundError, UnsupportedError, ConflictError):
            await self._link.client.send(call(self._link.session_id))


def _error(ename: str, evalue: str) -> JSON:
    return {"ename": ename, "evalue": evalue, "traceback": [f"{ename}: {evalue}"]}

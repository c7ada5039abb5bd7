"""The snapshot of a run: wait for it, show its outputs, write it to a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepnote_kernel.api import runs
from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.errors import DeepnoteError, LocalFileError, RunFailedError
from deepnote_kernel.outputs import reply_content, to_messages
from deepnote_kernel.session.protocol import Reply
from deepnote_kernel.snapshot import executed_notebook, load

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from deepnote_kernel.api import Client
    from deepnote_kernel.api.models import Run
    from deepnote_kernel.commands.context import Context
    from deepnote_kernel.outputs import Message
    from deepnote_kernel.session.protocol import Event
    from deepnote_kernel.snapshot import Document, Notebook

__all__ = ["check_target", "fetch", "play_outputs", "raise_failure", "replay", "write"]

_POLL_S = 0.5
_SUFFIXES = (".ipynb", ".deepnote")


def check_target(to: str | None) -> None:
    """Refuse a file that a snapshot cannot be written to.

    Raises:
        UsageError: Its name does not say which format is wanted, or its folder is missing.
    """
    if to is None:
        return
    target = Path(to)
    if target.suffix not in _SUFFIXES:
        raise UsageError(
            f"{to} has no format to write a run in.",
            f"Give a name that ends in {_SUFFIXES[0]} or {_SUFFIXES[1]}.",
        )
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}.", "Make it first.")


def fetch(client: Client, run_id: str, *, wait_s: float) -> str:
    """Return the snapshot of a run that has ended, as the text of a ``.deepnote`` document.

    Args:
        client: Asks the server.
        run_id: The run.
        wait_s: Seconds to wait for a snapshot that is late.

    Raises:
        DeepnoteError: It has none, or not yet.
    """
    deadline = time.monotonic() + wait_s
    while True:
        run = client.send(runs.get(run_id, snapshot_delivery="inline"))
        if run.snapshot_content:
            return run.snapshot_content
        if run.snapshot_download_url:
            return client.send(runs.download_snapshot(run.snapshot_download_url))
        if not run.is_finished:
            raise DeepnoteError(
                f"The run {run_id} is still {run.status}.", "Its snapshot comes with its end."
            )
        if run.snapshot_status == "unavailable":
            raise DeepnoteError(
                f"The run {run_id} has no snapshot.",
                "Only runs with code have one, for as long as the plan says.",
            )
        if time.monotonic() >= deadline:
            raise DeepnoteError(
                f"The snapshot of run {run_id} has not come after {wait_s:g} s.",
                "Ask for it later with 'runs snapshot'.",
            )
        time.sleep(_POLL_S)


def replay(context: Context, run: Run, text: str) -> None:
    """Show what the blocks of a run put out, and raise the error one of them ended with.

    Args:
        context: Where to show it.
        run: The run.
        text: Its snapshot.

    Raises:
        RunFailedError: The run ended badly, but no block says why.
    """
    notebook = _notebook(run, load(text))
    if notebook is not None:
        context.surface.play(_events(notebook))
    raise_failure(run)


def play_outputs(context: Context, outputs: Iterable[Any]) -> None:
    """Show nbformat outputs, and raise the error they end with.

    Args:
        context: Where to show them.
        outputs: As the API sent them.
    """
    context.surface.play(_played(to_messages(outputs)))


def raise_failure(run: Run) -> None:
    """Raise what a run ended with, where that was not success.

    Raises:
        RunFailedError: It was not.
    """
    if run.status != "success":
        reason = f": {run.error}" if run.error else ""
        raise RunFailedError(f"The run {run.id} ended as {run.status}{reason}.")


def write(run: Run, text: str, to: str) -> None:
    """Write a snapshot to a file, which is replaced if it is there.

    Args:
        run: The run.
        text: Its snapshot.
        to: The file; ``.ipynb`` for Jupyter's format, ``.deepnote`` for the document itself.

    Raises:
        LocalFileError: It cannot be written.
        DeepnoteError: The snapshot does not hold the notebook.
    """
    target = Path(to)
    content = _as_ipynb(run, text) if target.suffix == ".ipynb" else text
    try:
        target.write_text(content, encoding="utf-8")
    except OSError as error:
        raise LocalFileError(
            f"{to} cannot be written: {error.strerror}.", "Choose another file."
        ) from error


def _as_ipynb(run: Run, text: str) -> str:
    import nbformat  # noqa: PLC0415 - 200 ms that most runs need not wait

    from deepnote_kernel.snapshot import to_nbformat  # noqa: PLC0415 - needs nbformat

    notebook = _notebook(run, load(text))
    if notebook is None:
        raise DeepnoteError(
            f"The snapshot of run {run.id} does not hold its notebook.", "Write it as .deepnote."
        )
    written: str = nbformat.writes(to_nbformat(notebook))
    return written


def _notebook(run: Run, document: Document) -> Notebook | None:
    return executed_notebook(document, run.notebook_id)


def _events(notebook: Notebook) -> Generator[Event, None, None]:
    shown: list[Message] = []
    for block in notebook.blocks:
        shown += to_messages(block.outputs or [], execution_count=block.execution_count or 0)
    yield from _played(shown)


def _played(messages: list[Message]) -> Generator[Event, None, None]:
    yield from messages
    yield Reply(content=reply_content(messages))

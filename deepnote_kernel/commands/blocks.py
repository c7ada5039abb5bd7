"""``blocks``: the pieces of a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from deepnote_kernel.api import blocks, notebooks
from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.commands.names import find_notebook_id
from deepnote_kernel.commands.views import Card, Listing
from deepnote_kernel.errors import LocalFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.api.models import Block
    from deepnote_kernel.commands.context import Context

__all__ = ["create", "delete", "list_", "move", "show", "update"]

_LINE = 60


def list_(context: Context, *, notebook: str) -> Listing[Block]:
    """List the blocks of a notebook, in order."""
    found = context.client.send(notebooks.get(find_notebook_id(context.client, notebook)))
    return Listing(
        found.blocks,
        ["Type", "Begins with", "Id"],
        lambda block: (block.type, _first_line(block.content), block.id),
        empty="The notebook has no blocks.",
    )


def show(context: Context, *, block: str) -> Card[Block]:
    """Show one block with its source."""
    found = context.client.send(blocks.get(block))
    return Card(
        found,
        {
            "Id": found.id,
            "Type": found.type,
            "Notebook": found.notebook_id,
            "Integration": found.integration_id,
            "Source": found.content.splitlines(),
        },
    )


def create(  # noqa: PLR0913 - as many as the command has
    context: Context,
    *,
    notebook: str,
    type_: str,
    content: str | None,
    file: str | None,
    position: int | None,
) -> Card[Block]:
    """Add a block to a notebook."""
    notebook_id = find_notebook_id(context.client, notebook)
    made = context.client.send(
        blocks.create(notebook_id, type_=type_, content=_source(content, file), position=position)
    )
    return show(context, block=made.id)


def update(context: Context, *, block: str, content: str | None, file: str | None) -> Card[Block]:
    """Give a block another source."""
    source = _source(content, file)
    if source is None:
        raise UsageError("The block was given no source.", "Give --content or --file.")
    context.client.send(blocks.update(block, content=source))
    return show(context, block=block)


def move(
    context: Context, *, notebook: str, block: Sequence[str], after: str | None, to_start: bool
) -> Listing[Block]:
    """Move blocks to the end of their notebook, to its start, or behind another block."""
    notebook_id = find_notebook_id(context.client, notebook)
    place: Literal["start", "end"] = "start" if to_start else "end"
    context.client.send(notebooks.reorder_blocks(notebook_id, block, at=place, after=after))
    return list_(context, notebook=notebook_id)


def delete(context: Context, *, block: str, yes: bool) -> None:
    """Delete a block, once the person has agreed."""
    found = context.client.send(blocks.get(block))
    begins = f" that begins with {line!r}" if (line := _first_line(found.content)) else ""
    context.confirm(f"Delete the {found.type} block{begins}?", yes=yes)
    context.client.send(blocks.delete(block))
    context.surface.say(f"Deleted the block {block}.")


def _source(content: str | None, file: str | None) -> str | None:
    if content is not None and file is not None:
        raise UsageError("The block was given two sources.", "Give --content or --file.")
    if file is None:
        return content
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LocalFileError(f"{file} cannot be read: {error}.", "Give a text file.") from error


def _first_line(content: str) -> str:
    line = next((line.strip() for line in content.splitlines() if line.strip()), "")
    return line if len(line) <= _LINE else f"{line[:_LINE]}…"

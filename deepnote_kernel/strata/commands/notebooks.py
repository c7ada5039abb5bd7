"""``notebooks`` and ``export``: list, create, open, rename, delete and download notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deepnote_kernel.commands.views import Card, Listing, moment, size
from deepnote_kernel.strata.calls import notebooks
from deepnote_kernel.strata.commands.sessions import notebook_card

if TYPE_CHECKING:
    from deepnote_kernel.strata.calls.notebooks import ExportFormat
    from deepnote_kernel.strata.commands.context import StrataContext
    from deepnote_kernel.strata.models import Notebook, NotebookEntry

__all__ = ["create", "delete", "export", "list_", "open_", "rename", "show"]

_SUFFIXES = {"zip": ".zip", "markdown": ".md", "html": ".html"}


def list_(context: StrataContext) -> Listing[NotebookEntry]:
    """List the notebooks in the server's folder."""
    found = context.server.send(notebooks.discover())
    return Listing(
        found,
        ["Notebook", "Changed", "Folder"],
        lambda item: (item.name, moment(item.updated_at), item.path),
        empty="The server has no notebooks yet.",
    )


def create(
    context: StrataContext, *, name: str, python: str | None, folder: str | None
) -> Card[Notebook]:
    """Create a notebook and open it."""
    parent = folder or context.server.send(notebooks.config()).default_parent_path
    call = notebooks.create(name, parent_path=parent, python_version=python)
    return notebook_card(context.server.send(call))


def open_(context: StrataContext, *, name: str) -> Card[Notebook]:
    """Open a notebook on the server."""
    return notebook_card(context.open(name))


def show(context: StrataContext) -> Card[Notebook]:
    """Show the notebook."""
    return notebook_card(context.notebook)


def rename(context: StrataContext, *, name: str) -> None:
    """Give the notebook another name."""
    context.server.send(notebooks.rename(context.session_id, name))
    context.surface.say(f"The notebook is called {name!r} now; its folder keeps its name.")


def delete(context: StrataContext, *, name: str, yes: bool) -> None:
    """Delete a notebook's folder, once the person has agreed; one given by its path unopened."""
    if name.startswith("/"):
        context.confirm(f"Delete the folder {name} with all that is in it?", yes=yes)
        context.server.send(notebooks.delete_by_path(name))
    else:
        found = context.open(name)
        count = len(found.cells)
        context.confirm(f"Delete {found.path} with {count} cells and their results?", yes=yes)
        context.server.send(notebooks.delete(found.session_id))
    context.surface.say(f"Deleted {name}.")


def export(context: StrataContext, *, form: ExportFormat, to: str | None) -> Path:
    """Download the notebook into a file."""
    found = context.notebook
    path = Path(to or f"{Path(found.path).name}{_SUFFIXES[form]}")
    body = context.server.send(notebooks.export(found.session_id, form=form))
    path.write_bytes(body)
    context.surface.say(f"Wrote {path} ({size(len(body))}).")
    return path

"""``notebooks``: list, show, create, rename, delete, and when they run by themselves."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from deepnote_kernel.api import notebooks, projects, schedules
from deepnote_kernel.commands.names import find_notebook_id, find_project_id, iterate_notebooks
from deepnote_kernel.commands.pages import find_pages
from deepnote_kernel.commands.views import Card, Listing, counted, moment

if TYPE_CHECKING:
    from deepnote_kernel.api.models import Notebook, NotebookInput, Schedule
    from deepnote_kernel.commands.context import Context

__all__ = ["create", "delete", "list_", "rename", "schedule", "show", "unschedule"]


def list_(context: Context, *, project: str | None) -> Listing[Notebook]:
    """List notebooks, those of one project or all."""
    pages = find_pages(context)
    found = list(iterate_notebooks(context.client))
    if project:
        project_id = find_project_id(context.client, project)
        found = [(owner, notebook) for owner, notebook in found if owner.id == project_id]
    owners = {notebook.id: owner for owner, notebook in found}
    return Listing(
        [notebook for _, notebook in found],
        ["Notebook", "Project", "Last run", "Id"],
        lambda item: (
            pages.notebook(item.name, owners[item.id].id, item.id),
            pages.project(owners[item.id].name, owners[item.id].id),
            moment(item.last_run_at),
            item.id,
        ),
        empty="There are no notebooks.",
    )


def show(context: Context, *, notebook: str) -> Card[Notebook]:
    """Show one notebook: its blocks and inputs."""
    notebook_id = find_notebook_id(context.client, notebook)
    return _card(context, context.client.send(notebooks.get(notebook_id)))


def create(context: Context, *, project: str, name: str) -> Card[Notebook]:
    """Create an empty notebook."""
    project_id = find_project_id(context.client, project)
    return _card(context, context.client.send(notebooks.create(project_id, name=name)))


def rename(context: Context, *, notebook: str, name: str) -> Card[Notebook]:
    """Give a notebook another name."""
    notebook_id = find_notebook_id(context.client, notebook)
    return _card(context, context.client.send(notebooks.rename(notebook_id, name)))


def delete(context: Context, *, notebook: str, yes: bool) -> None:
    """Delete a notebook, once the person has agreed."""
    notebook_id = find_notebook_id(context.client, notebook)
    found = context.client.send(notebooks.get(notebook_id))
    context.confirm(
        f"Delete the notebook {found.name!r} with {counted(found.blocks, 'block')}?", yes=yes
    )
    context.client.send(notebooks.delete(notebook_id))
    context.surface.say(f"Deleted the notebook {found.name!r}.")


def schedule(
    context: Context, *, notebook: str, cron: str | None, timezone: str | None
) -> Card[Schedule]:
    """Show when a notebook runs by itself, or decide it."""
    notebook_id = find_notebook_id(context.client, notebook)
    if cron is None:
        found = context.client.send(schedules.get(notebook_id))
    else:
        found = context.client.send(schedules.create(notebook_id, cron, timezone=timezone))
    return Card(
        found,
        {
            "Notebook": found.notebook_id,
            "Cron": found.cron,
            "Time zone": found.timezone,
            "Next run": moment(found.next_run_at),
        },
    )


def unschedule(context: Context, *, notebook: str) -> None:
    """Let a notebook no longer run by itself."""
    notebook_id = find_notebook_id(context.client, notebook)
    context.client.send(schedules.delete(notebook_id))
    context.surface.say("The notebook no longer runs by itself.")


def _card(context: Context, notebook: Notebook) -> Card[Notebook]:
    pages = find_pages(context)
    kinds = Counter(block.type for block in notebook.blocks)
    return Card(
        notebook,
        {
            "Notebook": pages.notebook(notebook.name, notebook.project_id, notebook.id),
            "Id": notebook.id,
            "Project": pages.project(_project_name(context, notebook), notebook.project_id),
            "Blocks": ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "none",
            "Inputs": [_describe(each) for each in notebook.inputs],
            "Created": moment(notebook.created_at),
            "Changed": moment(notebook.updated_at),
            "Last run": moment(notebook.last_run_at),
        },
    )


def _project_name(context: Context, notebook: Notebook) -> str:
    return context.client.send(projects.get(notebook.project_id)).name


def _describe(given: NotebookInput) -> str:
    kind = given.type.removeprefix("input-")
    choices = f", one of {', '.join(given.options)}" if given.options else ""
    return f"{given.name} ({kind}{choices}) = {given.value!r}"

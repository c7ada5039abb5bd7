"""``projects``: list, show, create, update, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.api import projects
from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.commands.names import find_project_id
from deepnote_kernel.commands.pages import find_pages
from deepnote_kernel.commands.views import Card, Listing, counted, moment

if TYPE_CHECKING:
    from deepnote_kernel.api.models import Project
    from deepnote_kernel.commands.context import Context

__all__ = ["create", "delete", "list_", "show", "update"]

_SWITCH = {"on": True, "off": False, None: None}


def list_(context: Context, *, name: str | None) -> Listing[Project]:
    """List projects, all or those whose name contains a text."""
    pages = find_pages(context)
    return Listing(
        context.client.iterate(projects.list_(name_contains=name)),
        ["Project", "Notebooks", "Changed", "Id"],
        lambda item: (
            pages.project(item.name, item.id),
            str(len(item.notebooks)),
            moment(item.updated_at or item.created_at),
            item.id,
        ),
        empty="There are no such projects." if name else "There are no projects yet.",
    )


def show(context: Context, *, project: str) -> Card[Project]:
    """Show one project."""
    project_id = find_project_id(context.client, project)
    return _card(context, context.client.send(projects.get(project_id)))


def create(context: Context, *, name: str) -> Card[Project]:
    """Create a project."""
    return _card(context, context.client.send(projects.create(name)))


def update(  # noqa: PLR0913 - as many as the command has
    context: Context,
    *,
    project: str,
    site: str | None,
    site_api: str | None,
    app_api: str | None,
    environment: str | None,
) -> Card[Project]:
    """Change a project's settings; what is left out stays as it is."""
    if not (site or site_api or app_api or environment):
        raise UsageError("Nothing is to be changed.", "Give --site on, for example.")
    project_id = find_project_id(context.client, project)
    call = projects.update(
        project_id,
        sharing_enabled=_SWITCH[site],
        api_access_enabled=_SWITCH[site_api],
        streamlit_app_api_access_enabled=_SWITCH[app_api],
        environment_id=environment,
    )
    context.client.send(call)
    return show(context, project=project_id)


def delete(context: Context, *, project: str, yes: bool) -> None:
    """Delete a project, once the person has agreed."""
    project_id = find_project_id(context.client, project)
    found = context.client.send(projects.get(project_id))
    context.confirm(
        f"Delete the project {found.name!r} with {counted(found.notebooks, 'notebook')} and all "
        "its files?",
        yes=yes,
    )
    context.client.send(projects.delete(project_id))
    context.surface.say(f"Deleted the project {found.name!r}.")


def _card(context: Context, project: Project) -> Card[Project]:
    pages = find_pages(context)
    return Card(
        project,
        {
            "Project": pages.project(project.name, project.id),
            "Id": project.id,
            "Type": project.project_type,
            "Notebooks": [
                pages.notebook(f"{notebook.name} ({notebook.id})", project.id, notebook.id)
                for notebook in project.notebooks
            ],
            "Files": counted(project.files, "file") if project.files else "",
            "Site": project.static_files.url if project.static_files.sharing_enabled else "",
            "Created": moment(project.created_at),
            "Changed": moment(project.updated_at),
        },
    )

"""``apps``: list, publish, status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.api import streamlit_apps
from deepnote_kernel.commands.names import find_project_id
from deepnote_kernel.commands.polling import look_until
from deepnote_kernel.commands.views import Card, Listing, State, moment
from deepnote_kernel.errors import ConflictError, DeepnoteError

if TYPE_CHECKING:
    from deepnote_kernel.api.models import StreamlitApp, StreamlitAppStatus
    from deepnote_kernel.commands.context import Context, Task

__all__ = ["list_", "publish", "status"]

_POLL_S = 5.0  # as Deepnote's own clients


def list_(context: Context, *, project: str) -> Listing[StreamlitApp]:
    """List a project's Streamlit apps."""
    project_id = find_project_id(context.client, project)
    return Listing(
        context.client.iterate(streamlit_apps.list_(project_id)),
        ["App", "Address", "Published", "Id"],
        lambda app: (app.entrypoint, app.url, moment(app.created_at), app.id),
        empty="The project has no Streamlit apps.",
    )


def publish(
    context: Context, *, project: str, entrypoint: str, wait: bool, timeout_s: float
) -> Card[StreamlitApp]:
    """Serve a file of a project as a Streamlit app; unless told otherwise, wait until it runs."""
    project_id = find_project_id(context.client, project)
    app = _create_or_find(context, project_id, entrypoint)
    if wait:
        with context.surface.task(f"publish {entrypoint}") as task:
            _wait(context, app, task, timeout_s)
    return Card(
        app,
        {
            "App": app.entrypoint,
            "Address": app.url,
            "Status": State("running" if wait else ""),
            "Published": moment(app.created_at),
            "Id": app.id,
        },
    )


def status(context: Context, *, app: str) -> Card[StreamlitAppStatus]:
    """Show whether a Streamlit app is there to be used."""
    found = context.client.send(streamlit_apps.status(app))
    return Card(found, {"App": app, "Status": State(found.status)})


def _create_or_find(context: Context, project_id: str, entrypoint: str) -> StreamlitApp:
    try:
        return context.client.send(streamlit_apps.create(project_id, entrypoint))
    except ConflictError:
        for app in context.client.iterate(streamlit_apps.list_(project_id)):
            if app.entrypoint == entrypoint:
                context.surface.say(f"{entrypoint!r} is served already.")
                return app
        raise


def _wait(context: Context, app: StreamlitApp, task: Task, timeout_s: float) -> None:
    seen: list[str] = []

    def look() -> str:
        seen.append(context.client.send(streamlit_apps.status(app.id)).status)
        task(seen[-1])
        return seen[-1]

    def is_over(state: str) -> bool:
        # What is not there yet may be restarting; what was about to be has given up.
        return state == "running" or (state == "unavailable" and "starting" in seen)

    try:
        state = look_until(look, is_over, timeout_s=timeout_s, every_s=_POLL_S)
    except KeyboardInterrupt:
        context.surface.say(f"No longer waiting for the app {app.id}; it goes on starting.")
        raise
    if not is_over(state):
        raise DeepnoteError(
            f"The app {app.entrypoint!r} is still {state} after {timeout_s:g} s.",
            "Look after it with 'apps status'; its project's machine may be off.",
        )
    if state != "running":
        raise DeepnoteError(
            f"The app {app.entrypoint!r} ended while it started.",
            "The server's own log says why; streamlit may not be installed there.",
        )

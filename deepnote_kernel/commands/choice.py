"""Ask which notebook a session is to be anchored to, where none has been named."""

from __future__ import annotations

import shlex
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from deepnote_kernel.commands.context import DeclinedError
from deepnote_kernel.commands.names import find_notebook_id, iterate_notebooks
from deepnote_kernel.commands.views import Listing, moment
from deepnote_kernel.config import SCRATCH
from deepnote_kernel.errors import ConfigError, UnknownNameError
from deepnote_kernel.outputs import Message
from deepnote_kernel.session.scratch import NAME

if TYPE_CHECKING:
    from deepnote_kernel.api.models import Notebook, Project
    from deepnote_kernel.commands.context import Context

__all__ = ["Choice", "choose_notebook"]

_SHOWN = 10
_NEVER = datetime.min.replace(tzinfo=timezone.utc)


class Choice(NamedTuple):
    """A notebook that may be chosen."""

    notebook_id: str
    words: str
    """What to type after ``start`` to choose it without being asked."""

    name: str
    project: str = ""
    last_run_at: datetime | None = None


_EMPTY = Choice(SCRATCH, "--scratch", "an empty one, made for you")


def choose_notebook(context: Context) -> Choice:
    """Show the notebooks that ran last, and let the person choose one of them or an empty one.

    Args:
        context: Where the person sits.

    Raises:
        ConfigError: Nobody can be asked here, or there is no such number.
        UnknownNameError: No notebook has the name that was typed.
        DeclinedError: The person chose none.
    """
    choices = [_EMPTY, *_latest(context)]
    context.surface.say("Which notebook on Deepnote? Starting a session runs all of it, once.")
    _show(context, choices)
    try:
        answer = context.surface.ask("Its number or name, 0 for an empty one: ").strip()
    except ConfigError:
        raise ConfigError(
            "No notebook is chosen, and nobody can be asked here.",
            "Run `%deepnote start NOTEBOOK` with a name from the list, or `%deepnote start "
            "--scratch` for an empty one.",
        ) from None
    if not answer:
        raise DeclinedError("No notebook was chosen, and no session started.")
    return _chosen(context, choices, answer)


def _chosen(context: Context, choices: list[Choice], answer: str) -> Choice:
    if answer.isdecimal() and int(answer) < len(choices):
        return choices[int(answer)]
    try:
        notebook_id = find_notebook_id(context.client, answer)
    except UnknownNameError:
        if answer.isdecimal():
            last = len(choices) - 1
            raise ConfigError(
                f"There is no number {answer} in the list.", f"It goes from 0 to {last}."
            ) from None
        raise
    return Choice(notebook_id, shlex.quote(answer), answer)


def _latest(context: Context) -> list[Choice]:
    """Return the notebooks that ran or were changed last, but for those that are only anchors."""
    found = list(iterate_notebooks(context.client))
    paths = Counter([SCRATCH, *(words for pair in found for words in _paths(*pair))])
    project_id = context.settings.project_id
    wanted = [
        (project, notebook)
        for project, notebook in found
        if project.name != NAME and project_id in {"", project.id}
    ]
    wanted.sort(key=_freshness, reverse=True)
    return [
        Choice(
            notebook.id,
            next(words for words in _paths(project, notebook) if paths[words] == 1),
            notebook.name,
            project.name,
            notebook.last_run_at,
        )
        for project, notebook in wanted[:_SHOWN]
    ]


def _paths(project: Project, notebook: Notebook) -> tuple[str, str, str]:
    """Return what a notebook may be called in a command, shortest first; others may be so, too."""
    return (
        shlex.quote(notebook.name),
        shlex.quote(f"{project.name}/{notebook.name}"),
        notebook.id,
    )


def _freshness(pair: tuple[Project, Notebook]) -> tuple[datetime, datetime]:
    _, notebook = pair
    return notebook.last_run_at or _NEVER, notebook.updated_at or _NEVER


def _show(context: Context, choices: list[Choice]) -> None:
    numbers = {choice.notebook_id: str(number) for number, choice in enumerate(choices)}
    listing = Listing(
        choices,
        ["", "Notebook", "Project", "Last run"],
        lambda item: (
            numbers[item.notebook_id],
            item.name,
            item.project,
            moment(item.last_run_at),
        ),
    )
    bundle = {"text/plain": repr(listing), "text/html": listing._repr_html_()}
    content = {"data": bundle, "metadata": {}, "transient": {}}
    context.surface.show(Message(msg_type="display_data", content=content))

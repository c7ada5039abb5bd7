"""``login`` and ``logout``: the token in the system's keyring."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from deepnote_kernel.api import Client, me
from deepnote_kernel.commands.context import START
from deepnote_kernel.config import Secret
from deepnote_kernel.credentials import forget_token, store_token
from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from deepnote_kernel.commands.context import Context

__all__ = ["login", "logout"]

_WHERE = "In Deepnote, Settings & members > Security > API keys makes one."


def login(context: Context, *, with_token: bool = False) -> None:
    """Ask for a token, try it, and keep it for this server.

    Args:
        context: Where the person sits.
        with_token: Whether to read it from standard input rather than to ask.

    Raises:
        ConfigError: No token was given; in a shell, also: there is no keyring.
        UnauthorizedError: The server does not take it; nothing was kept.
    """
    settings, say = context.settings, context.surface.say
    if settings.is_local:
        raise ConfigError("The local server needs no token.", "Just run a cell.")
    if with_token:
        token = Secret(sys.stdin.readline().strip())
    else:
        say(_WHERE)
        token = Secret(context.surface.ask("API key: ", secret=True).strip())
    if not token:
        raise ConfigError("No API key was given.", _WHERE)
    with Client(token=token, base_url=settings.base_url, allow_http=settings.allow_http) as client:
        found = client.send(me.get())
    # Good at once, whatever the environment holds.
    context.remote.use(token=token)
    who = found.user.name or found.user.email or found.api_key.name
    say(f"Logged in as {who}, workspace {found.workspace.name}. {_keep(context, token)}")
    held = context.environ.get("DEEPNOTE_TOKEN", "").strip()
    if held and Secret(held) != token:
        say("DEEPNOTE_TOKEN holds another one, which counts first elsewhere: change it, too.")
    if context.remote.session is not None:
        _reconnect(context, context.remote.session.session_id)
    elif not settings.notebook_id:
        say(f"Next: {context.magic} start")


def _reconnect(context: Context, session_id: str) -> None:
    """Go on with the session, which was connected with the key of before."""
    with context.starting(START) as task:
        session = context.remote.attach(session_id, task)
    context.surface.say(f"Session {session_id} goes on.")
    if session.has_left_cell:
        context.surface.play(context.remote.follow())


def _keep(context: Context, token: Secret) -> str:
    """Keep a token for the next time; return where it is, or why it could not be kept.

    Raises:
        ConfigError: It could not be kept, and this process ends here.
    """
    try:
        return f"The API key is in {store_token(context.settings.base_url, token)}."
    except ConfigError as error:
        if context.surface.is_shell:
            raise
        return (
            f"The API key holds until this kernel ends. {error.message} To make it last, set "
            "DEEPNOTE_TOKEN in the environment that starts Jupyter."
        )


def logout(context: Context) -> None:
    """Remove the token kept for this server."""
    settings, say = context.settings, context.surface.say
    was_kept = forget_token(settings.base_url)
    say("The API key has been removed." if was_kept else "No API key was kept for this server.")
    if context.environ.get("DEEPNOTE_TOKEN"):
        say("DEEPNOTE_TOKEN is still set in the environment, and still counts.")
    else:
        context.remote.use(token=Secret(""))

"""``config``: the settings in force, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.commands.views import Card
from deepnote_kernel.config import VARIABLES, Settings
from deepnote_kernel.credentials import stored_token

if TYPE_CHECKING:
    from deepnote_kernel.commands.context import Context

__all__ = ["show"]


def show(context: Context) -> Card[Settings]:
    """Show every setting; of the token, only where it is."""
    settings, defaults = context.settings, Settings()
    facts = {"token": _token(context)}
    for name, variable in VARIABLES.items():
        if name == "token":
            continue
        value = getattr(settings, name)
        if value == getattr(defaults, name):
            origin = f"default; set {variable} to change it"
        elif context.environ.get(variable):
            origin = variable
        else:
            origin = "chosen here"
        facts[name] = f"{value!r} ({origin})"
    return Card(settings, facts)


def _token(context: Context) -> str:
    settings = context.settings
    if settings.is_local:
        return "not needed on this computer"
    if context.environ.get("DEEPNOTE_TOKEN"):
        return "set (DEEPNOTE_TOKEN)"
    if settings.token:
        return "set (chosen here)"
    return "set (keyring)" if stored_token(settings.base_url) else "missing; run login"

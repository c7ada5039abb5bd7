"""``ai``: the assistant that Strata has up to 0.7.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.commands.views import Card, Listing
from deepnote_kernel.errors import ServerError
from deepnote_kernel.strata.calls import ai
from deepnote_kernel.strata.outputs import stream

if TYPE_CHECKING:
    from deepnote_kernel.strata.commands.context import StrataContext
    from deepnote_kernel.strata.models import AgentRun, AiStatus, ChatReply

__all__ = ["agent", "ask", "models", "reset", "status", "use"]


def status(context: StrataContext) -> Card[AiStatus]:
    """Show whether the assistant can be asked."""
    return _card(context.server.send(ai.status(context.session_id)))


def models(context: StrataContext) -> Listing[str]:
    """List the language models of the provider."""
    found = context.server.send(ai.models(context.session_id))
    return Listing(
        found.models,
        ["Model", "Used"],
        lambda name: (name, "yes" if name == found.current else ""),
        empty="The assistant has no models: it is not configured.",
    )


def use(context: StrataContext, *, model: str) -> Card[AiStatus]:
    """Choose the language model."""
    return _card(context.server.send(ai.choose_model(context.session_id, model)))


def ask(context: StrataContext, *, message: str, cell: str | None, whole: bool) -> ChatReply | None:
    """Ask the assistant; its answer is shown as it comes, or returned when it is whole."""
    if whole:
        return context.server.send(ai.complete(context.session_id, message, cell_id=cell))
    call = ai.stream(context.session_id, message, cell_id=cell)
    for event in context.server.stream(call):
        if event.kind == "error":
            raise ServerError(
                f"The assistant failed: {event.message}", "Try again.", status_code=200
            )
        for piece in stream("stdout", event.text):
            context.surface.show(piece)
    for end in stream("stdout", "\n"):
        context.surface.show(end)
    return None


def agent(context: StrataContext, *, message: str, auto_approve: bool) -> Card[AgentRun]:
    """Let the assistant work on the notebook."""
    call = ai.run_agent(context.session_id, message, auto_approve=auto_approve)
    found = context.server.send(call)
    return Card(found, {"Job": found.job_id, "State": found.status})


def reset(context: StrataContext) -> None:
    """Let the assistant forget what it was told."""
    context.server.send(ai.reset_agent(context.session_id))
    context.surface.say("The assistant has forgotten the conversation.")


def _card(found: AiStatus) -> Card[AiStatus]:
    return Card(
        found,
        {
            "Assistant": "available" if found.available else "not configured",
            "Model": found.model,
            "Provider": found.provider,
        },
    )

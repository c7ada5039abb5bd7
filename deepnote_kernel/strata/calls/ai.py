"""AI: a notebook's assistant. Strata has had it up to 0.7.0 and no longer since 0.8.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, present
from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.calls._parts import notebook_path
from deepnote_kernel.strata.models import AgentRun, AiModels, AiStatus, ChatEvent, ChatReply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepnote_kernel.strata.models import ChatTurn

__all__ = ["choose_model", "complete", "models", "reset_agent", "run_agent", "status", "stream"]

_NOT_CONFIGURED = {
    503: "Start the server with STRATA_AI_BASE_URL, STRATA_AI_API_KEY and STRATA_AI_MODEL set.",
}


def status(session_id: str) -> Call[AiStatus]:
    """Get whether the assistant can be asked."""
    return _parts.get(_path(session_id, "status"), _parts.model(AiStatus))


def models(session_id: str) -> Call[AiModels]:
    """List the language models of the provider."""
    return _parts.get(_path(session_id, "models"), _parts.model(AiModels))


def choose_model(session_id: str, model: str) -> Call[AiStatus]:
    """Choose the language model; the server takes a name it does not know, too."""
    return _parts.put(_path(session_id, "model"), {"model": model}, _parts.model(AiStatus))


def complete(
    session_id: str,
    message: str,
    *,
    cell_id: str | None = None,
    history: Sequence[ChatTurn] = (),
) -> Call[ChatReply]:
    """Ask the assistant and wait for its whole answer ("Chat Completion").

    Args:
        session_id: The notebook's session.
        message: The question, at most 10,000 characters.
        cell_id: A cell to look at.
        history: Up to 20 earlier messages, the oldest first.
    """
    return Call(
        method="POST",
        path=_path(session_id, "complete"),
        body=_question(message, cell_id, history),
        read=_parts.model(ChatReply),
        timeout_s=_parts.SLOW_S,
        remedies=_NOT_CONFIGURED,
    )


def stream(
    session_id: str,
    message: str,
    *,
    cell_id: str | None = None,
    history: Sequence[ChatTurn] = (),
) -> Call[list[ChatEvent]]:
    """Ask the assistant and get its answer piece by piece, through a client's ``stream``.

    Args:
        session_id: The notebook's session.
        message: The question, at most 10,000 characters.
        cell_id: A cell to look at.
        history: Up to 20 earlier messages, the oldest first.
    """
    return Call(
        method="POST",
        path=_path(session_id, "stream"),
        body=_question(message, cell_id, history),
        read=_read_events,
        timeout_s=_parts.SLOW_S,
        remedies=_NOT_CONFIGURED,
    )


def run_agent(session_id: str, message: str, *, auto_approve: bool = False) -> Call[AgentRun]:
    """Let the assistant work on the notebook. The notebook's socket tells what it does.

    Args:
        session_id: The notebook's session.
        message: What it is to do, at most 10,000 characters.
        auto_approve: Whether it may delete cells and add packages without asking.
    """
    return Call(
        method="POST",
        path=_path(session_id, "agent"),
        body={"message": message, "auto_approve": auto_approve},
        read=_parts.model(AgentRun),
        remedies=_NOT_CONFIGURED,
    )


def reset_agent(session_id: str) -> Call[None]:
    """Let the assistant forget what it was told."""
    return Call(
        method="POST",
        path=_path(session_id, "agent", "reset"),
        read=reading.nothing,
        replay_safe=True,
    )


def _path(session_id: str, *parts: str) -> str:
    return notebook_path(session_id, "ai", *parts)


def _question(message: str, cell_id: str | None, history: Sequence[ChatTurn]) -> dict[str, Any]:
    turns = [msgspec.structs.asdict(turn) for turn in history]
    return present(message=message, cell_id=cell_id, history=turns)


def _read_events(body: bytes) -> list[ChatEvent]:
    blocks = map(_fields, body.decode().split("\n\n"))
    return [
        reading.adopt(
            ChatEvent,
            {"kind": fields["event"], **reading.parse_object(fields.get("data", "").encode())},
        )
        for fields in blocks
        if "event" in fields
    ]


def _fields(block: str) -> dict[str, str]:
    """Return the fields of a server-sent event; a comment has none that has a name."""
    fields = {}
    for line in block.splitlines():
        name, _, value = line.partition(":")
        fields[name] = value.removeprefix(" ")
    return fields

"""A notebook's AI assistant."""

from __future__ import annotations

from typing import Literal

from deepnote_kernel.strata.models.base import Model

__all__ = ["AgentRun", "AiModels", "AiStatus", "ChatEvent", "ChatReply", "ChatTurn", "Tokens"]


class AiStatus(Model, frozen=True, kw_only=True):
    """Whether a notebook's assistant can be asked."""

    available: bool = False
    model: str = ""
    provider: str = ""


class AiModels(Model, frozen=True, kw_only=True):
    """The language models of a notebook's provider."""

    models: list[str] = []
    current: str = ""
    provider: str = ""


class ChatTurn(Model, frozen=True, kw_only=True):
    """One earlier message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


class Tokens(Model, frozen=True, kw_only=True):
    """What an answer has cost."""

    input: int = 0
    output: int = 0


class ChatReply(Model, frozen=True, kw_only=True):
    """The assistant's whole answer."""

    content: str = ""
    model: str = ""
    tokens: Tokens = Tokens()


class ChatEvent(Model, frozen=True, kw_only=True):
    """A piece of the assistant's answer."""

    kind: str
    """``delta`` with text, ``done`` with model and tokens, or ``error`` with a message."""

    text: str = ""
    model: str = ""
    tokens: Tokens = Tokens()
    message: str = ""


class AgentRun(Model, frozen=True, kw_only=True):
    """The assistant at work; the notebook's socket tells what it does."""

    job_id: str
    status: str = ""

"""Artifacts and their making."""

from __future__ import annotations

from deepnote_kernel.strata.models.base import Model

__all__ = ["Build", "Materialized"]


class Materialized(Model, frozen=True, kw_only=True):
    """A transform's result, ready or under way."""

    hit: bool = False
    """Whether it was there before."""

    artifact_uri: str = ""
    state: str = ""
    build_id: str = ""
    stream_id: str = ""
    stream_url: str = ""
    """Path that its Arrow bytes can be read from; empty where a build must end first."""


class Build(Model, frozen=True, kw_only=True):
    """The making of an artifact."""

    build_id: str = ""
    state: str = ""
    """``pending``, ``building``, ``ready`` or ``failed``."""

    artifact_id: str = ""
    version: int = 0
    error_message: str = ""

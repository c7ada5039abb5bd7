"""What belongs to a workspace: who asks, integrations and machines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import field

from deepnote_kernel.api.models.base import Model

__all__ = ["ApiKey", "Integration", "Machine", "MachineType", "Me", "User", "Workspace"]


class ApiKey(Model, frozen=True, kw_only=True):
    """The key a call was made with: what it is called, never the key itself."""

    id: str = ""
    name: str = ""


class User(Model, frozen=True, kw_only=True):
    """The person who made the key."""

    id: str = ""
    name: str = ""
    email: str = ""


class Workspace(Model, frozen=True, kw_only=True):
    """The workspace the key belongs to."""

    id: str = ""
    slug: str = ""
    name: str = ""


class Me(Model, frozen=True, kw_only=True):
    """Who a token speaks for."""

    api_key: ApiKey = ApiKey()
    user: User = User()
    workspace: Workspace = Workspace()
    access_level: str = ""


class Integration(Model, frozen=True, kw_only=True):
    """A connection to a database or another service. The API writes its fields in snake case."""

    id: str
    name: str = ""
    type: str = ""
    metadata: dict[str, Any] = {}
    """Settings without credentials; only where they were asked for."""

    is_public: bool = False
    federated_auth_method: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    aliases = {
        "isPublic": ("is_public",),
        "federatedAuthMethod": ("federated_auth_method",),
        "createdAt": ("created_at",),
        "updatedAt": ("updated_at",),
    }


class MachineType(Model, frozen=True, kw_only=True):
    """A kind of machine."""

    id: str = ""
    """What ``machine_type`` of a session or a run takes."""

    name: str = ""
    type: str = ""
    cpus: float | None = field(name="vCpus", default=None)
    memory_gib: float | None = field(name="memoryGiB", default=None)
    """Memory in GiB."""

    gpus: int | None = field(name="gpuCount", default=None)


class Machine(Model, frozen=True, kw_only=True):
    """The machine that the notebooks of a project share."""

    status: str = ""
    error: str = ""
    starting_phase: str = ""
    """What it waits for while it starts."""

    type: MachineType = MachineType()

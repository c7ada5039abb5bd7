"""``machines``: the kinds there are, and the one a project has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.api import machines
from deepnote_kernel.commands.names import find_project_id
from deepnote_kernel.commands.views import Card, Listing, State

if TYPE_CHECKING:
    from deepnote_kernel.api.models import Machine, MachineType
    from deepnote_kernel.commands.context import Context

__all__ = ["list_", "show"]


def list_(context: Context) -> Listing[MachineType]:
    """List the kinds of machine the workspace may use."""
    return Listing(
        context.client.iterate(machines.list_types()),
        ["Machine", "CPUs", "Memory", "GPUs", "Id"],
        lambda item: (
            item.name,
            _number(item.cpus),
            f"{_number(item.memory_gib)} GiB" if item.memory_gib else "",
            _number(item.gpus),
            item.id,
        ),
        empty="The server names no kinds of machine.",
    )


def show(context: Context, *, project: str) -> Card[Machine]:
    """Show the machine that a project's notebooks share."""
    project_id = find_project_id(context.client, project)
    found = context.client.send(machines.get(project_id))
    return Card(
        found,
        {
            "Status": State(found.status),
            "Phase": found.starting_phase,
            "Error": found.error,
            "Machine": found.type.name or found.type.id,
            "CPUs": _number(found.type.cpus),
            "Memory": f"{_number(found.type.memory_gib)} GiB" if found.type.memory_gib else "",
            "GPUs": _number(found.type.gpus),
        },
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"

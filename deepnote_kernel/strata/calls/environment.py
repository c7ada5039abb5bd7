"""Environment: the packages of a notebook, and the jobs that change them.

While such a job runs, no cell does: a run is refused with
:class:`~deepnote_kernel.strata.conflicts.EnvironmentBusyError`. A change makes every result stale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from deepnote_kernel.api.call import Call, present, segment
from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.calls._parts import notebook_path
from deepnote_kernel.strata.models import EnvironmentChange, EnvironmentState, ImportPreview

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Action",
    "add_dependency",
    "current_job",
    "export_requirements",
    "get",
    "import_requirements",
    "import_yaml",
    "list_dependencies",
    "preview_requirements",
    "preview_yaml",
    "remove_dependency",
    "start_job",
    "sync",
]

Action: TypeAlias = Literal["add", "remove", "sync", "import"]


def get(session_id: str) -> Call[EnvironmentState]:
    """Get a notebook's environment: its Python, its packages, its last job."""
    return _get(session_id, "environment")


def list_dependencies(session_id: str) -> Call[EnvironmentState]:
    """List the packages that a notebook asks for and those it got."""
    return _get(session_id, "dependencies")


def current_job(session_id: str) -> Call[EnvironmentState]:
    """Get the job that runs, or the last one. Ask at most ten times a second."""
    return _get(session_id, "environment", "jobs", "current")


def start_job(
    session_id: str,
    action: Action,
    *,
    package: str | None = None,
    requirements: str | None = None,
    environment_yaml: str | None = None,
) -> Call[EnvironmentState]:
    """Start a job and return at once; :func:`current_job` tells how it goes on.

    Args:
        session_id: The notebook's session.
        action: What to do.
        package: The package to ``add``, as in a requirements file, or to ``remove``.
        requirements: For ``import``: the text of a requirements file.
        environment_yaml: For ``import``, in its place: the text of a conda environment file.
    """
    return Call(
        method="POST",
        path=notebook_path(session_id, "environment", "jobs"),
        body=present(
            action=action,
            package=package,
            requirements=requirements,
            environment_yaml=environment_yaml,
        ),
        read=_parts.model(EnvironmentState),
    )


def sync(session_id: str) -> Call[EnvironmentChange]:
    """Install what the notebook asks for, and wait for the end."""
    return _change("POST", session_id, "environment", "sync")


def add_dependency(session_id: str, package: str) -> Call[EnvironmentChange]:
    """Add a package, given as in a requirements file, and wait for the end."""
    return _change("POST", session_id, "dependencies", body={"package": package})


def remove_dependency(session_id: str, name: str) -> Call[EnvironmentChange]:
    """Remove a package and wait for the end.

    No cell runs without pyarrow, orjson and cloudpickle; the server removes them all the same.
    """
    return _change("DELETE", session_id, "dependencies", segment("package", name))


def export_requirements(session_id: str) -> Call[str]:
    """Get what the notebook asks for as the text of a requirements file."""
    return _parts.get(notebook_path(session_id, "environment", "requirements.txt"), _parts.text)


def import_requirements(session_id: str, requirements: str) -> Call[EnvironmentChange]:
    """Install what a requirements file asks for, given as its text, and wait for the end."""
    body = {"requirements": requirements}
    return _change("POST", session_id, "environment", "requirements.txt", body=body)


def preview_requirements(session_id: str, requirements: str) -> Call[ImportPreview]:
    """Get what importing a requirements file would change."""
    return _preview(session_id, "requirements.txt", {"requirements": requirements})


def import_yaml(session_id: str, environment_yaml: str) -> Call[EnvironmentChange]:
    """Install what a conda environment file asks for, given as its text, and wait for the end."""
    body = {"environment_yaml": environment_yaml}
    return _change("POST", session_id, "environment", "environment.yaml", body=body)


def preview_yaml(session_id: str, environment_yaml: str) -> Call[ImportPreview]:
    """Get what importing a conda environment file would change."""
    return _preview(session_id, "environment.yaml", {"environment_yaml": environment_yaml})


def _get(session_id: str, *parts: str) -> Call[EnvironmentState]:
    return _parts.get(notebook_path(session_id, *parts), _parts.model(EnvironmentState))


def _change(
    method: str, session_id: str, *parts: str, body: Mapping[str, str] | None = None
) -> Call[EnvironmentChange]:
    return Call(
        method=method,
        path=notebook_path(session_id, *parts),
        body=body,
        read=_parts.model(EnvironmentChange),
        timeout_s=_parts.SLOW_S,
        remedies={400: "Check the names and versions of the packages."},
    )


def _preview(session_id: str, file: str, body: Mapping[str, str]) -> Call[ImportPreview]:
    return Call(
        method="POST",
        path=notebook_path(session_id, "environment", file, "preview"),
        body=body,
        read=_parts.model(ImportPreview),
        replay_safe=True,
    )

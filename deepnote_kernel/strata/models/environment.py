"""A notebook's packages, and the work on them."""

from __future__ import annotations

from msgspec import field

from deepnote_kernel.strata.models.base import Model

__all__ = [
    "Dependency",
    "Environment",
    "EnvironmentChange",
    "EnvironmentJob",
    "EnvironmentState",
    "ImportPreview",
    "OperationLog",
]


class Dependency(Model, frozen=True, kw_only=True):
    """A package."""

    name: str
    version: str = ""
    specifier: str = ""


class Environment(Model, frozen=True, kw_only=True):
    """A notebook's own Python environment."""

    python_version: str = ""
    sync_state: str = ""
    """``pending``, ``ready`` or ``failed``."""

    sync_error: str = ""
    sync_notice: str = ""
    declared_package_count: int = 0
    resolved_package_count: int = 0
    lockfile_hash: str = ""


class EnvironmentJob(Model, frozen=True, kw_only=True):
    """Work on an environment. While one runs, no cell does."""

    id: str
    action: str = ""
    """``add``, ``remove``, ``sync`` or ``import``."""

    status: str = ""
    """``running``, ``completed`` or ``failed``."""

    phase: str = ""
    package: str = ""
    command: str = ""
    stdout: str = ""
    stderr: str = ""
    error: str = ""
    duration_ms: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.status == "running"


class EnvironmentState(Model, frozen=True, kw_only=True):
    """An environment with its packages and the work on it."""

    environment: Environment = Environment()
    job: EnvironmentJob | None = field(name="environment_job", default=None)
    """The job that runs, or the last one."""

    job_history: list[EnvironmentJob] = field(name="environment_job_history", default=[])
    dependencies: list[Dependency] = []
    """What the notebook asks for."""

    resolved_dependencies: list[Dependency] = []
    """What is installed for it."""


class OperationLog(Model, frozen=True, kw_only=True):
    """What the package manager said."""

    command: str = ""
    stdout: str = ""
    stderr: str = ""
    duration_ms: float = 0.0


class EnvironmentChange(EnvironmentState, frozen=True, kw_only=True):
    """An environment after a change that has ended."""

    success: bool = False
    lockfile_changed: bool = False
    imported_count: int = 0
    warnings: list[str] = []
    stale_cell_ids: list[str] = []
    operation_log: OperationLog = OperationLog()


class ImportPreview(Model, frozen=True, kw_only=True):
    """What an import would change."""

    normalized_requirements: list[str] = []
    additions: list[Dependency] = []
    removals: list[Dependency] = []
    unchanged: list[Dependency] = []
    warnings: list[str] = []

"""``deps`` and ``env``: a notebook's packages, and the jobs that change them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from deepnote_kernel.commands.views import Card, Listing, State
from deepnote_kernel.errors import ConfigError, SessionError
from deepnote_kernel.session.waiting import delays
from deepnote_kernel.strata.calls import environment
from deepnote_kernel.strata.failures import job_failure

if TYPE_CHECKING:
    from deepnote_kernel.api.call import Call
    from deepnote_kernel.commands.context import Task
    from deepnote_kernel.strata.commands.context import StrataContext
    from deepnote_kernel.strata.models import (
        Dependency,
        EnvironmentJob,
        EnvironmentState,
        ImportPreview,
    )

__all__ = ["add", "export", "import_", "job", "list_", "remove", "show", "sync"]

_YAML = {".yaml", ".yml"}


def list_(context: StrataContext, *, all_: bool) -> Listing[Dependency]:
    """List the packages that the notebook asks for, or all that it got."""
    found = context.server.send(environment.list_dependencies(context.session_id))
    return _packages(found.resolved_dependencies if all_ else found.dependencies)


def add(context: StrataContext, *, package: str) -> Card[EnvironmentJob]:
    """Add a package, and show how that goes."""
    return _job(context, environment.start_job(context.session_id, "add", package=package))


def remove(context: StrataContext, *, package: str) -> Card[EnvironmentJob]:
    """Remove a package."""
    return _job(context, environment.start_job(context.session_id, "remove", package=package))


def sync(context: StrataContext) -> Card[EnvironmentJob]:
    """Install what the notebook asks for."""
    return _job(context, environment.start_job(context.session_id, "sync"))


def show(context: StrataContext) -> Card[EnvironmentState]:
    """Show the notebook's Python environment."""
    found = context.server.send(environment.get(context.session_id))
    inner = found.environment
    return Card(
        found,
        {
            "Python": inner.python_version,
            "State": State(inner.sync_state),
            "Trouble": inner.sync_error,
            "Notice": inner.sync_notice,
            "Packages": f"{inner.declared_package_count} asked for, "
            f"{inner.resolved_package_count} installed",
            "Last job": f"{found.job.action} {found.job.status}" if found.job else "",
        },
    )


def job(context: StrataContext) -> Card[EnvironmentJob] | None:
    """Show the job that runs, or the last one."""
    found = context.server.send(environment.current_job(context.session_id)).job
    if found is None:
        context.surface.say("The environment has had no job yet.")
        return None
    return _job_card(found)


def export(context: StrataContext, *, to: str | None) -> str:
    """Return what the notebook asks for as the text of a requirements file, or write it."""
    text = context.server.send(environment.export_requirements(context.session_id))
    if to:
        Path(to).write_text(text, encoding="utf-8")
        context.surface.say(f"Wrote {to}.")
    return text


def import_(
    context: StrataContext, *, file: str, preview: bool
) -> Card[EnvironmentJob] | Card[ImportPreview]:
    """Install what a requirements file or ``environment.yaml`` asks for, or show what it would."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.", "Check its path.") from None
    is_yaml = Path(file).suffix in _YAML
    if preview:
        ask = environment.preview_yaml if is_yaml else environment.preview_requirements
        return _preview(context.server.send(ask(context.session_id, text)))
    given = {"environment_yaml" if is_yaml else "requirements": text}
    return _job(context, environment.start_job(context.session_id, "import", **given))


def _job(context: StrataContext, call: Call[EnvironmentState]) -> Card[EnvironmentJob]:
    """Start a job, and show its stages until it has ended."""
    with context.surface.task("packages") as task:
        state = context.server.send(call)
        for delay_s in delays(0.1, 1.0):
            if state.job is None or not state.job.is_running:
                break
            _tell(task, state.job)
            time.sleep(delay_s)
            state = context.server.send(environment.current_job(context.session_id))
        task.settle(is_ready=state.job is not None and state.job.status == "completed")
    if state.job is None:
        raise SessionError("The server does not tell how the job ended.", "See `%strata env show`.")
    if state.job.status != "completed":
        raise SessionError(f"The packages could not be changed: {job_failure(state.job)}.")
    return _job_card(state.job)


def _tell(task: Task, found: EnvironmentJob) -> None:
    task(" ".join(filter(None, [found.action, found.package, found.phase.replace("_", " ")])))


def _job_card(found: EnvironmentJob) -> Card[EnvironmentJob]:
    took = f"{found.duration_ms / 1000:.1f} s" if found.duration_ms else ""
    return Card(
        found,
        {
            "Job": f"{found.action} {found.package}".strip(),
            "State": State(found.status),
            "Stage": found.phase if found.is_running else "",
            "Took": took,
            "Trouble": found.error,
        },
    )


def _preview(found: ImportPreview) -> Card[ImportPreview]:
    return Card(
        found,
        {
            "Adds": ", ".join(item.name for item in found.additions),
            "Removes": ", ".join(item.name for item in found.removals),
            "Keeps": ", ".join(item.name for item in found.unchanged),
            "Warnings": found.warnings,
        },
    )


def _packages(found: list[Dependency]) -> Listing[Dependency]:
    return Listing(
        found,
        ["Package", "Version"],
        lambda item: (item.name, item.specifier or item.version),
        empty="The notebook asks for no packages.",
    )

"""``doctor``: look at everything a remote cell depends on, and say what to do where it fails."""

from __future__ import annotations

import importlib.util
import platform
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.api import me, notebooks, projects
from deepnote_kernel.commands.views import Listing, State, age
from deepnote_kernel.config import SCRATCH
from deepnote_kernel.credentials import stored_token
from deepnote_kernel.errors import (
    ConfigError,
    DeepnoteError,
    PermissionDeniedError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deepnote_kernel.commands.context import Context

__all__ = ["Check", "examine"]

_OLDEST = (3, 10)
_LONG_S = 3600.0
_PACKAGES = ("deepnote-kernel", "ipykernel", "ipython", "httpx")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    state: str
    """``ok``, ``warning`` or ``failed``."""

    finding: str
    remedy: str = ""


class Report(Listing[Check]):
    """All that was looked at; a shell's status is 1 where something failed.

    Args:
        checks: What was looked at, in the order to show it. A remedy stands below its finding.
    """

    def __init__(self, checks: Iterable[Check]) -> None:
        super().__init__(
            checks,
            ["Check", "State", "Finding"],
            lambda check: (check.name, State(check.state), check.finding),
        )
        self.rows = [
            row
            for check, found in zip(self, self.rows, strict=True)
            for row in (found, ("", "", f"→ {check.remedy}"))
            if row is found or check.remedy
        ]

    @property
    def is_failed(self) -> bool:
        """Whether something has to be done before cells can run."""
        return any(check.state == "failed" for check in self)


def examine(context: Context) -> Report:
    """Look at Python, kernelspecs, token, server, rights, notebook and running sessions."""
    return Report([_python(), *_kernelspecs(), *_server(context), *_sessions(context)])


def _python() -> Check:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES)
    finding = f"{platform.python_version()}, with {versions}"
    if sys.version_info < _OLDEST:
        return Check(
            name="Python", state="failed", finding=finding, remedy="Use Python 3.10 or newer."
        )
    return Check(name="Python", state="ok", finding=finding)


def _kernelspecs() -> Iterator[Check]:
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415 - 150 ms

    found = KernelSpecManager().get_all_specs()
    for name in ("deepnote", "deepnote-local"):
        label = f"Kernel {name}"
        if name not in found:
            remedy = "Run jupyter deepnote install."
            yield Check(name=label, state="failed", finding="not installed", remedy=remedy)
            continue
        interpreter = found[name]["spec"]["argv"][0]
        is_there = not Path(interpreter).is_absolute() or Path(interpreter).exists()
        yield Check(
            name=label,
            state="ok" if is_there else "failed",
            finding=found[name]["resource_dir"]
            if is_there
            else f"its Python is gone: {interpreter}",
            remedy="" if is_there else "Run jupyter deepnote install.",
        )


def _server(context: Context) -> Iterator[Check]:
    settings = context.settings
    if settings.is_local:
        yield _local_server()
        return
    yield Check(name="Address", state="ok", finding=settings.base_url)
    if not (settings.token or stored_token(settings.base_url)):
        yield Check(
            name="Token",
            state="failed",
            finding="none",
            remedy=f"Run {context.magic} login, or set DEEPNOTE_TOKEN; without an account, "
            "choose the kernel Deepnote (local).",
        )
        return
    try:
        found = context.client.send(me.get())
    except (ConfigError, UnauthorizedError, PermissionDeniedError) as error:
        yield _failed(context, "Token", error)
        return
    except DeepnoteError as error:
        yield _failed(context, "Server", error)
        return
    workspace = found.workspace.name or found.workspace.id
    access = f", access {found.access_level}" if found.access_level else ""
    yield Check(name="Token", state="ok", finding=f"workspace {workspace}{access}")
    if settings.project_id:
        yield _project(context)
    yield _notebook(context)


def _project(context: Context) -> Check:
    try:
        found = context.client.send(projects.get(context.settings.project_id))
    except DeepnoteError as error:
        return _failed(context, "Project", error)
    return Check(name="Project", state="ok", finding=found.name)


def _notebook(context: Context) -> Check:
    notebook_id = context.settings.notebook_id
    if not notebook_id:
        return Check(
            name="Notebook",
            state="warning",
            finding="not chosen",
            remedy=f"Run {context.magic} start, which offers yours and an empty one.",
        )
    if notebook_id == SCRATCH:
        return Check(name="Notebook", state="ok", finding="an empty one, made when needed")
    try:
        found = context.client.send(notebooks.get(notebook_id))
    except DeepnoteError as error:
        return _failed(context, "Notebook", error)
    count = len(found.blocks)
    finding = f"{found.name}; starting a session runs its {count} block{'' if count == 1 else 's'}"
    return Check(name="Notebook", state="ok", finding=finding)


def _failed(context: Context, name: str, error: DeepnoteError) -> Check:
    remedy = error.remedy.replace("%deepnote", context.magic)
    return Check(name=name, state="failed", finding=error.message, remedy=remedy)


def _local_server() -> Check:
    from deepnote_kernel.session import local  # noqa: PLC0415 - only where it is meant

    missing = [
        name for name in ("starlette", "uvicorn", "greenlet") if not importlib.util.find_spec(name)
    ]
    if missing:
        return Check(
            name="Local server",
            state="failed",
            finding=f"{', '.join(missing)} not installed",
            remedy="pip install 'deepnote-kernel[server]'",
        )
    server = local.find()
    finding = f"running at {server.url}" if server else "starts with the first cell"
    return Check(name="Local server", state="ok", finding=finding)


def _sessions(context: Context) -> Iterator[Check]:
    try:
        records = context.remote.sessions()
    except DeepnoteError as error:
        yield Check(name="Sessions", state="warning", finding=error.message, remedy=error.remedy)
        return
    if not records:
        yield Check(name="Sessions", state="ok", finding="none started here is running")
    for record in records:
        age_s = (datetime.now(timezone.utc) - record.created_at).total_seconds()
        is_suspect = age_s > _LONG_S or record.state == "unknown"
        yield Check(
            name="Session",
            state="warning" if is_suspect else "ok",
            finding=f"{record.id}, {record.state}, for {age(age_s)}",
            remedy=f"If nobody needs it: {context.magic} stop {record.id}" if is_suspect else "",
        )

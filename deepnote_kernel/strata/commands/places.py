"""``workers``, ``mounts`` and ``config``: where cells run, what they see, and how the server is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.commands.views import Card, Listing, State
from deepnote_kernel.strata.calls import mounts, notebooks, workers
from deepnote_kernel.strata.models import Mount, Worker

if TYPE_CHECKING:
    from deepnote_kernel.strata.commands.context import StrataContext
    from deepnote_kernel.strata.models import Config, WorkerCatalog

__all__ = [
    "config",
    "define_worker",
    "list_mounts",
    "list_workers",
    "mount",
    "timeout",
    "unmount",
    "use_worker",
]


def list_workers(context: StrataContext) -> Listing[Worker]:
    """List where the notebook's cells can run."""
    return _workers(context.server.send(workers.list_(context.session_id)))


def use_worker(context: StrataContext, *, name: str) -> Listing[Worker]:
    """Choose where the notebook's cells run; ``local`` for the server's own machine."""
    known = {
        worker.name for worker in context.server.send(workers.list_(context.session_id)).workers
    }
    if name not in known:
        raise UsageError(f"There is no worker {name!r}.", f"There are: {', '.join(sorted(known))}.")
    chosen = None if name == "local" else name
    return _workers(context.server.send(workers.choose(context.session_id, chosen)))


def define_worker(context: StrataContext, *, name: str, url: str) -> Listing[Worker]:
    """Add a worker that runs elsewhere to those of the notebook."""
    catalog = context.server.send(workers.list_(context.session_id))
    kept = [worker for worker in catalog.configured_workers if worker.name != name]
    made = Worker(name=name, backend="executor", config={"url": url})
    return _workers(context.server.send(workers.set_catalog(context.session_id, [*kept, made])))


def list_mounts(context: StrataContext) -> Listing[Mount]:
    """List the folders that the notebook's cells see."""
    return _mounts(context.notebook.mounts)


def mount(context: StrataContext, *, name: str, uri: str, writable: bool) -> Listing[Mount]:
    """Let the notebook's cells see a folder or bucket as a path of that name."""
    kept = [item for item in context.notebook.mounts if item.name != name]
    made = Mount(name=name, uri=uri, mode="rw" if writable else "ro")
    return _mounts(context.server.send(mounts.set_(context.session_id, [*kept, made])))


def unmount(context: StrataContext, *, name: str) -> Listing[Mount]:
    """Take a folder away from the notebook's cells."""
    kept = [item for item in context.notebook.mounts if item.name != name]
    if len(kept) == len(context.notebook.mounts):
        raise UsageError(f"There is no mount {name!r}.", "`%strata mounts list` shows them.")
    return _mounts(context.server.send(mounts.set_(context.session_id, kept)))


def timeout(context: StrataContext, *, seconds: float) -> None:
    """Set how long a cell of the notebook may run, in seconds; 0 for the server's own limit."""
    context.server.send(notebooks.set_timeout(context.session_id, seconds or None))
    limit = f"{seconds:g} s" if seconds else "as long as the server lets it"
    context.surface.say(f"A cell may run {limit}.")


def config(context: StrataContext) -> Card[Config]:
    """Show how the server runs notebooks."""
    found = context.server.send(notebooks.config())
    return Card(
        found,
        {
            "Server": context.strata.base_url,
            "Strata": context.server.features().version,
            "Mode": found.deployment_mode,
            "Notebooks": found.default_parent_path,
            "Pythons": ", ".join(found.available_python_versions),
            "Default Python": found.default_python_version,
        },
    )


def _workers(catalog: WorkerCatalog) -> Listing[Worker]:
    chosen = catalog.worker or "local"
    return Listing(
        catalog.workers,
        ["Worker", "Runs", "Health", "Used"],
        lambda item: (
            item.name,
            item.config.get("url") or item.backend,
            State(item.health),
            "yes" if item.name == chosen else "",
        ),
        empty="The notebook has no workers.",
    )


def _mounts(found: list[Mount]) -> Listing[Mount]:
    return Listing(
        found,
        ["Mount", "Source", "Access"],
        lambda item: (item.name, item.uri, "read and write" if item.mode == "rw" else "read"),
        empty="The notebook has no mounts.",
    )

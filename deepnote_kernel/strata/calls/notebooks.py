"""Notebooks: create, open, close, delete, rename and export them, and what holds for all cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, present
from deepnote_kernel.errors import ConfigError
from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.calls._parts import notebook_path
from deepnote_kernel.strata.models import Config, Dag, Notebook, NotebookEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ExportFormat",
    "close",
    "config",
    "create",
    "dag",
    "delete",
    "delete_by_path",
    "discover",
    "export",
    "open_",
    "rename",
    "set_env",
    "set_timeout",
]

ExportFormat: TypeAlias = Literal["zip", "markdown", "html"]


def config() -> Call[Config]:
    """Get how the server runs notebooks: its folder and its Pythons ("Runtime Config")."""
    return _parts.get("/v1/notebooks/config", _parts.model(Config))


def create(
    name: str,
    *,
    parent_path: str,
    python_version: str | None = None,
    starter_cell: bool = False,
) -> Call[Notebook]:
    """Create a notebook and open it. Its environment is then made, as a job, in the background.

    Args:
        name: Its name, from which the server makes the name of its folder.
        parent_path: Folder on the server's machine, below the one its config names.
        python_version: One of those its config lists; ``None`` for the server's default.
        starter_cell: Whether it begins with an empty cell.

    Raises:
        ConfigError: The name is empty: some servers would turn their whole folder into a notebook.
    """
    if not name.strip():
        raise ConfigError("The notebook's name is empty.", "Give it a name.")
    return Call(
        method="POST",
        path="/v1/notebooks/create",
        body=present(
            name=name,
            parent_path=parent_path,
            python_version=python_version,
            starter_cell=starter_cell,
        ),
        read=_parts.model(Notebook),
    )


def open_(path: str) -> Call[Notebook]:
    """Open a notebook; one that is open already keeps its session.

    Args:
        path: Its folder on the server's machine, absolute.
    """
    return Call(
        method="POST",
        path="/v1/notebooks/open",
        body={"path": path},
        read=_parts.model(Notebook),
        replay_safe=True,
        remedies={404: "There is no notebook in that folder of the server: look at its listing."},
    )


def discover() -> Call[list[NotebookEntry]]:
    """List the notebooks in the server's folder, the newest first, open or not."""
    return _parts.get("/v1/notebooks/discover", _parts.listed("notebooks", NotebookEntry))


def close(session_id: str) -> Call[None]:
    """Close a notebook's session. Its cells and results stay on disk. Since Strata 0.9.0."""
    return Call(
        method="POST",
        path=notebook_path(session_id, "close"),
        read=reading.nothing,
        remedies={404: "The session had ended already."},
    )


def delete(session_id: str) -> Call[None]:
    """Close a notebook and delete its folder."""
    return Call(
        method="DELETE",
        path=notebook_path(session_id),
        read=reading.nothing,
    )


def delete_by_path(path: str) -> Call[None]:
    """Delete a notebook's folder, open or not.

    Args:
        path: The folder on the server's machine, absolute.
    """
    return Call(
        method="POST",
        path="/v1/notebooks/delete-by-path",
        body={"path": path},
        read=reading.nothing,
        remedies={404: "There is no notebook in that folder of the server."},
    )


def rename(session_id: str, name: str) -> Call[None]:
    """Give a notebook another name, of 1 to 255 characters. Its folder keeps its own."""
    return _parts.put(notebook_path(session_id, "name"), {"name": name}, reading.nothing)


def dag(session_id: str) -> Call[Dag]:
    """Get the graph of a notebook's cells: edges, roots, leaves and an order to run them in."""
    return _parts.get(notebook_path(session_id, "dag"), _parts.model(Dag))


def set_timeout(session_id: str, timeout_s: float | None) -> Call[None]:
    """Set the seconds a cell may run, up to a day; ``None`` for the server's default of 300."""
    return _parts.put(notebook_path(session_id, "timeout"), {"timeout": timeout_s}, reading.nothing)


def set_env(session_id: str, env: Mapping[str, str]) -> Call[None]:
    """Set the environment variables of a notebook's cells, in place of those it has."""
    return _parts.put(notebook_path(session_id, "env"), {"env": dict(env)}, reading.nothing)


def export(session_id: str, *, form: ExportFormat = "zip") -> Call[bytes]:
    """Download a notebook as a bundle of its files, or as one document to read.

    Args:
        session_id: The notebook's session.
        form: ``zip``: ``notebook.toml``, cells and environment files.
    """
    return Call(
        method="GET",
        path=notebook_path(session_id, "export"),
        query={"fmt": form},
        read=_parts.raw,
        timeout_s=_parts.SLOW_S,
        replay_safe=True,
    )

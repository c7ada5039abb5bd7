"""What a Strata server refuses, where a program can do something about it.

::

    NotFoundError
    └── SessionClosedError      open the notebook by its path again
    ConflictError
    ├── NotebookBusyError       another cell of the notebook runs
    ├── EnvironmentBusyError    packages are being installed
    ├── CellLockedError         somebody has just edited the cell
    └── NameTakenError          there is a notebook in that folder

Source: answers of the servers 0.5.0 to 0.11.0, November 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from deepnote_kernel.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from deepnote_kernel.errors import APIStatusError

__all__ = [
    "CellLockedError",
    "EnvironmentBusyError",
    "NameTakenError",
    "NotebookBusyError",
    "SessionClosedError",
    "refusal",
]

_NOT_FOUND = 404
_CONFLICT = 409

_TAKEN = re.compile(r"already exists at (.+?)\.(?: Use Open|$)")
_EXECUTING = re.compile(r"executing cell (\w+)")


class SessionClosedError(NotFoundError):
    """404, and 403 from a socket: the server has no such session, or no longer."""


class NotebookBusyError(ConflictError):
    """409: the notebook runs a cell."""

    @property
    def cell_id(self) -> str:
        """The cell that runs; empty where the server does not say."""
        found = _EXECUTING.search(self.server_message)
        return found[1] if found else ""


class EnvironmentBusyError(ConflictError):
    """409: packages are being installed."""


class CellLockedError(ConflictError):
    """409: somebody else has edited the cell within the last five seconds."""


class NameTakenError(ConflictError):
    """409: a notebook of that name, or of one that makes the same folder, exists."""

    @property
    def path(self) -> str:
        """The notebook's folder on the server's machine."""
        found = _TAKEN.search(said(self.body))
        return found[1] if found else ""


_REMEDIES: dict[type[Exception], str] = {
    SessionClosedError: (
        "The session has ended, as all do with their server: open the notebook by its path again."
    ),
    NotebookBusyError: "Wait until the running cell has ended, or cancel it.",
    EnvironmentBusyError: "Wait until the packages are installed, and try again.",
    CellLockedError: "Try again in five seconds, or overrule the other edit.",
    NameTakenError: "Open that notebook, or choose another name.",
}


def refusal(status: int, body: Any) -> tuple[type[APIStatusError], str] | None:
    """Return the error that an answer is and what to do about it; ``None`` for any other."""
    kind = _kind(status, said(body), detail(body).get("code"))
    return (kind, _REMEDIES[kind]) if kind else None


def _kind(status: int, words: str, code: object) -> type[APIStatusError] | None:
    if status == _NOT_FOUND and words in {"Notebook not found", "Session not found"}:
        return SessionClosedError
    if status != _CONFLICT:
        return None
    if "execution is" in words or _EXECUTING.search(words):
        return NotebookBusyError
    if code == "ENVIRONMENT_BUSY":
        return EnvironmentBusyError
    if code == "cell_locked":
        return CellLockedError
    return NameTakenError if _TAKEN.search(words) else None


def detail(body: Any) -> dict[str, Any]:
    """Return the object that an error's body holds; empty where it holds none."""
    found = body.get("detail") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def said(body: Any) -> str:
    """Return what a server says in a parsed body; empty where it says nothing readable.

    It says it as a text, as an object with a message, as a list of what was wrong with each field,
    or without any JSON.
    """
    given = body.get("detail") if isinstance(body, dict) else body
    match given:
        case str():
            return given
        case {"message": str(message)}:
            return message
        case [{"loc": [*_], "msg": str()}, *_]:
            return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in given)
    return ""

"""An API call as a value: what to send, and how to read the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from deepnote_kernel.api.transfer import Content, Download, Form
from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from deepnote_kernel.api.models import Page

__all__ = [
    "ARCHIVE_TIMEOUT_S",
    "FILE_TIMEOUT_S",
    "JSON_TIMEOUT_S",
    "Call",
    "next_page",
    "present",
    "segment",
]

JSON_TIMEOUT_S = 30.0
"""Seconds to wait for the answer to an ordinary call, as Deepnote's own clients do."""

ARCHIVE_TIMEOUT_S = 120.0
"""Seconds to wait for an archive or a document, as Deepnote's own clients do."""

FILE_TIMEOUT_S = 600.0
"""Seconds to wait for a file, as Deepnote's own clients do."""

T = TypeVar("T")
M = TypeVar("M")


class Call(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One request to the API and the reader of its answer; a client sends it."""

    method: str
    path: str
    """Path with its version, ids percent-encoded; or a whole address, for a download."""

    read: Callable[[bytes], T]
    """Turns the body of a successful answer into the result; raises ``ValueError`` if it cannot."""

    query: Mapping[str, str | int] = {}
    body: Mapping[str, Any] | Content | Form | None = None
    """The JSON object to send, or what is to be sent as it is; ``None`` sends no body."""

    download: Download | None = None
    """Where the body of a successful answer goes; a file's content never reaches ``read``."""

    timeout_s: float = JSON_TIMEOUT_S
    """Seconds to wait for the answer, and then for each next piece of it."""

    replay_safe: bool = False
    """Whether sending it twice does no more than sending it once, so that it may be retried."""

    remedies: Mapping[int, str] = {}
    """What a person can do about a status, where that depends on the call.

    That of 500 is also for answers that did not come: the call may have been carried out.
    """

    @property
    def label(self) -> str:
        """Method and path, to name the call in messages; a query may hold a signature."""
        return f"{self.method} {self.path.partition('?')[0]}"

    def replace(self, **changes: Any) -> Call[T]:
        """Return this call with some fields changed, such as ``timeout_s``."""
        return msgspec.structs.replace(self, **changes)


def segment(kind: str, value: str) -> str:
    """Percent-encode an id for use in a path.

    Args:
        kind: What the id names, for the message: ``notebook``.
        value: The id.

    Raises:
        ConfigError: The id is empty or would change which path is meant.
    """
    if value in {"", ".", ".."}:
        raise ConfigError(f"The {kind} id is {value!r}.", f"Give the id of a {kind}.")
    return quote(value, safe="")


def present(**fields: M | None) -> dict[str, M]:
    """Return the fields that were given, leaving out those that are ``None``."""
    return {name: value for name, value in fields.items() if value is not None}


def next_page(call: Call[Page[M]], page: Page[M]) -> Call[Page[M]] | None:
    """Return the call that fetches the page after this one, or ``None`` after the last.

    A server that names the page just read as the next one ends it too, lest it be asked for ever.
    """
    token = page.next_page_token
    if not token or token == call.query.get("pageToken"):
        return None
    return call.replace(query={**call.query, "pageToken": token})

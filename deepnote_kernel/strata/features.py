"""What a server's version has, and what it lacks: read from its OpenAPI document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call
from deepnote_kernel.errors import UnsupportedError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Features", "openapi", "version"]

_HISTORY = (
    ("/ai/", "no AI assistant", "Strata had one up to 0.7.0."),
    ("/close", "no call to close a session", "Strata has one since 0.9.0."),
    ("/cancel", "no call to cancel a cell", "Strata has one since 0.10.0."),
    ("/blob", "no call for what a cell has shown", "Strata has one since 0.8.0."),
)


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of a server."""

    version: str
    """Such as ``0.11.0``; empty where the server does not say."""

    routes: tuple[tuple[str, re.Pattern[str]], ...]
    """Method and path of each; a parameter of the path stands for any segment."""

    @classmethod
    def read(cls, document: dict[str, Any], *, version: str = "") -> Self:
        """Read a server's OpenAPI document.

        Args:
            document: The document.
            version: The server's version, which old servers' documents get wrong.
        """
        routes = (
            (method.upper(), re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))))
            for path, methods in document.get("paths", {}).items()
            for method in methods
        )
        return cls(version=version, routes=tuple(routes))

    def has(self, call: Call[Any]) -> bool:
        """Return whether the server knows a call."""
        return any(
            method == call.method and path.fullmatch(call.path) for method, path in self.routes
        )

    def missing(self, call: Call[Any]) -> UnsupportedError:
        """Return the error for a call that the server does not know."""
        server = f"Strata {self.version}".strip()
        for part, lack, since in _HISTORY:
            if part in f"{call.path}/" or call.path.endswith(part):
                return UnsupportedError(f"{server} has {lack}.", since)
        return UnsupportedError(f"{server} does not know {call.label}.", "Use another version.")


def openapi() -> Call[dict[str, Any]]:
    """Get the server's OpenAPI document."""
    return Call(method="GET", path="/openapi.json", read=reading.parse_object, replay_safe=True)


def version() -> Call[str]:
    """Get the server's version; empty where it does not say."""

    def read(body: bytes) -> str:
        return str(reading.parse_object(body).get("version", ""))

    return Call(method="GET", path="/health/dependencies", read=read, replay_safe=True)

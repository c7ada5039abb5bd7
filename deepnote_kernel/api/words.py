"""The server's own words, made fit to be shown: one line, not long, and no token in it. Pure."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import msgspec

from deepnote_kernel.api.reading import decode

if TYPE_CHECKING:
    from deepnote_kernel.config import Secret

__all__ = ["is_page", "one_line", "parsed", "scrubbed", "spoken"]

_MAX_CHARS = 300

# A shorter token is a word made up for trying things out: hiding it would garble sentences.
_MIN_SECRET_CHARS = 8

_PAGE = re.compile(rb"\s*<(!doctype html|html|head|body)", re.IGNORECASE)
_MARKUP = re.compile(r"\s*<[!?a-z]", re.IGNORECASE)
_TITLE = re.compile(r"<(title|message)\b[^>]*>(.*?)</\1", re.IGNORECASE | re.DOTALL)


def is_page(body: bytes) -> bool:
    """Return whether a body is a web page: a proxy's or a login's, never the API's own."""
    return _PAGE.match(body) is not None


def parsed(body: bytes) -> Any:
    """Return the JSON value of an error's body, or its text where it is not JSON."""
    try:
        return decode(body, object)
    except ValueError:
        return body.decode(errors="replace")


def spoken(body: Any) -> str:
    """Return what a server says in a parsed body; empty where it says nothing readable.

    Source: ``message`` in v2, ``error`` in v1; the title of a web page; the message of the XML that
    storage services send.
    """
    if isinstance(body, dict):
        body = body.get("message") or body.get("error")
    if isinstance(body, dict):
        body = body.get("message")
    if not isinstance(body, str):
        return ""
    if _MARKUP.match(body):
        title = _TITLE.search(body)
        return one_line(html.unescape(title[2])) if title else ""
    return one_line(body)


def one_line(text: str) -> str:
    """Return text on one line of at most 300 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_CHARS else line[: _MAX_CHARS - 1] + "…"


def scrubbed(value: Any, token: Secret) -> Any:
    """Return text or parsed JSON with a token, wherever a server echoes it, replaced by stars."""
    secret = token.reveal()
    if len(secret) < _MIN_SECRET_CHARS:
        return value
    if isinstance(value, str):
        return value.replace(secret, "***")
    # Written by one writer, a text has one spelling, whatever escapes the server used.
    spelling = msgspec.json.encode(secret)[1:-1]
    return msgspec.json.decode(msgspec.json.encode(value).replace(spelling, b"***"))

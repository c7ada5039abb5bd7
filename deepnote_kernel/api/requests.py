"""From a call to the request that goes over the wire. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlencode, urlsplit

import msgspec

from deepnote_kernel.api.transfer import Content, Download, Form
from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deepnote_kernel.api.call import Call
    from deepnote_kernel.config import Secret

__all__ = ["Request", "build", "check_token", "check_url", "is_loopback", "origin"]

_PORTS = {"http": 80, "https": 443}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What goes over the wire."""

    method: str
    url: str
    headers: dict[str, str]
    timeout_s: float
    content: bytes | None = None
    form: Form | None = None
    download: Download | None = None

    def __repr__(self) -> str:
        # The headers hold the token, and the query of a download its signature.
        return f"Request({self.method} {self.url.partition('?')[0]})"


def build(
    call: Call[Any], *, base_url: str, credentials: Mapping[str, str], allow_http: bool
) -> Request:
    """Build the request of a call. Credentials go to the API's own origin and nowhere else.

    Args:
        call: The call.
        base_url: The API's address without a version suffix.
        credentials: Headers that say who asks.
        allow_http: Whether an address elsewhere may be without encryption.

    Raises:
        ConfigError: The call holds what JSON cannot carry, or an address to stay away from.
    """
    headers = {"Accept": "application/json" if call.download is None else "*/*"}
    if call.path.startswith("/"):
        url = base_url + call.path
    else:
        url = check_url(call.path, allow_http=allow_http)
    if origin(url) == origin(base_url):
        headers |= credentials
    content, form = None, None
    try:
        if call.query:
            url = f"{url}?{urlencode(call.query)}"
        if isinstance(call.body, Form):
            form = call.body
            urlencode(form.fields)
        elif isinstance(call.body, Content):
            headers["Content-Type"] = call.body.media_type
            content = call.body.data
        elif call.body is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(call.body)
    except (TypeError, ValueError, RecursionError) as error:
        raise _unsendable(call, error) from None
    return Request(
        method=call.method,
        url=url,
        headers=headers,
        timeout_s=call.timeout_s,
        content=content,
        form=form,
        download=call.download,
    )


def _unsendable(call: Call[Any], error: Exception) -> ConfigError:
    # The error of an encoder may quote what it was given, a whole cell: name its reason alone.
    reason = error.reason if isinstance(error, UnicodeEncodeError) else str(error)
    return ConfigError(
        f"{call.label} was not sent: {reason}.",
        "Give text that is valid Unicode, and values that JSON knows.",
    )


def check_url(url: str, *, allow_http: bool) -> str:
    """Return an address that may be asked, or raise.

    Raises:
        ConfigError: It is not a web address, or would carry data unencrypted over a network.
    """
    parts = _split(url)
    shown = url.partition("?")[0]
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigError(f"{shown!r} is not a web address.", "Give one that starts with https://.")
    if parts.scheme == "http" and not (allow_http or is_loopback(url)):
        raise ConfigError(
            f"{shown!r} is not encrypted: token and data could be read on the way.",
            "Use https, or set DEEPNOTE_ALLOW_HTTP=1 if the network is your own.",
        )
    return url


def check_token(token: Secret) -> Secret:
    """Return a token that fits into a header, or raise.

    Raises:
        ConfigError: There is none, or it holds what no token does, such as a line break.
    """
    text = token.reveal()
    if not text:
        raise ConfigError(
            "No Deepnote token is set.",
            "Set DEEPNOTE_TOKEN to an API key: Deepnote, Settings & members, Security, API keys.",
        )
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ConfigError(
            "The Deepnote token holds a character that no API key has.",
            "Copy it once more, without quotes, spaces and line breaks.",
        )
    return token


def is_loopback(url: str) -> bool:
    """Return whether an address is on this computer."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an address that :func:`check_url` let through."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts

"""Links that work for a while."""

from __future__ import annotations

import time

import pytest

from deepnote_kernel.server.errors import UnauthorizedError
from deepnote_kernel.server.signing import Signer


def parts(query: str) -> dict[str, str]:
    """Split a query string."""
    return dict(part.split("=") for part in query.split("&"))


def test_a_link_opens_its_own_run() -> None:
    """And no other."""
    signer = Signer()
    link = parts(signer.query("run"))
    signer.check("run", **link)
    with pytest.raises(UnauthorizedError):
        signer.check("other", **link)


def test_a_link_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes later it opens nothing any more."""
    signer = Signer()
    link = parts(signer.query("run"))
    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(UnauthorizedError):
        signer.check("run", **link)


def test_a_link_is_for_one_server() -> None:
    """Another server has another key."""
    with pytest.raises(UnauthorizedError):
        Signer().check("run", **parts(Signer().query("run")))

"""Which host names a server answers to."""

from __future__ import annotations

import pytest

from deepnote_kernel.server.app import host_names


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_a_loopback_address_has_known_names(host: str) -> None:
    """Its own, and those of this computer."""
    names = host_names(host)
    assert {"localhost", "127.0.0.1", "[::1]"} <= names
    assert (f"[{host}]" if ":" in host else host) in names


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "desk.example"])
def test_other_addresses_may_have_any_name(host: str) -> None:
    """Only their owner knows under which names they are reached."""
    assert host_names(host) == set()

"""Tokens in a keyring, here one that is a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backends import fail, null
from keyrings.alt.file import PlaintextKeyring

from deepnote_kernel.config import Secret
from deepnote_kernel.credentials import forget_token, store_token, stored_token
from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from keyring.backend import KeyringBackend

HERE, THERE = "https://api.deepnote.com", "https://elsewhere.example"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A keyring of this test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    usual = keyring.get_keyring()
    keyring.set_keyring(PlaintextKeyring())
    yield
    keyring.set_keyring(usual)


@pytest.mark.usefixtures("kept")
def test_a_token_is_kept_for_its_server_alone() -> None:
    """No other server can ever be sent it."""
    store_token(HERE, Secret("t0ken"))
    assert stored_token(HERE) == Secret("t0ken")
    assert not stored_token(THERE)


@pytest.mark.usefixtures("kept")
def test_a_token_can_be_forgotten() -> None:
    """Once; the second time there is nothing to forget."""
    store_token(HERE, Secret("t0ken"))
    assert forget_token(HERE)
    assert not stored_token(HERE)
    assert not forget_token(HERE)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("backend", [null.Keyring, fail.Keyring])
def test_a_computer_without_a_keyring(backend: type[KeyringBackend]) -> None:
    """Nothing seems to be kept that is not, and the remedy is another place."""
    keyring.set_keyring(backend())
    assert not stored_token(HERE)
    with pytest.raises(ConfigError, match=r"This computer has no keyring .* Set DEEPNOTE_TOKEN"):
        store_token(HERE, Secret("t0ken"))

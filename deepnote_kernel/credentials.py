"""The token in the system's keyring: macOS Keychain, Windows Credential Locker, Secret Service.

One entry a server, so that a token never goes to another one. The environment's ``DEEPNOTE_TOKEN``
comes first; the keyring is asked only where that is empty.
"""

from __future__ import annotations

from deepnote_kernel.config import Secret
from deepnote_kernel.errors import ConfigError

__all__ = ["forget_token", "store_token", "stored_token"]

_SERVICE = "deepnote-kernel"
_INSTEAD = "Set DEEPNOTE_TOKEN in the environment instead."


def stored_token(base_url: str) -> Secret:
    """Return the token kept for a server; empty where there is none, or no keyring.

    Args:
        base_url: The server's address.
    """
    import keyring  # noqa: PLC0415 - 80 ms that a token from the environment need not wait for
    from keyring.errors import KeyringError  # noqa: PLC0415 - as above

    try:
        return Secret(keyring.get_password(_SERVICE, base_url) or "")
    except KeyringError:
        return Secret("")


def store_token(base_url: str, token: Secret) -> str:
    """Keep a token for a server and return the name of the keyring.

    Args:
        base_url: The server's address.
        token: An API key for it.

    Raises:
        ConfigError: This computer has no keyring, or it refused.
    """
    import keyring  # noqa: PLC0415 - see stored_token
    from keyring.errors import KeyringError, NoKeyringError  # noqa: PLC0415 - as above

    try:
        keyring.set_password(_SERVICE, base_url, token.reveal())
    except NoKeyringError:
        raise _no_keyring() from None
    except KeyringError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(
            f"The keyring does not keep the API key: {reason.rstrip('.')}.", _INSTEAD
        ) from None
    if stored_token(base_url) != token:
        raise _no_keyring()
    return str(keyring.get_keyring().name)


def _no_keyring() -> ConfigError:
    return ConfigError("This computer has no keyring that keeps API keys.", _INSTEAD)


def forget_token(base_url: str) -> bool:
    """Remove the token kept for a server; tell whether there was one.

    Args:
        base_url: The server's address.

    Raises:
        ConfigError: The keyring refused.
    """
    if not stored_token(base_url):
        return False
    import keyring  # noqa: PLC0415 - see stored_token
    from keyring.errors import KeyringError  # noqa: PLC0415 - as above

    try:
        keyring.delete_password(_SERVICE, base_url)
    except KeyringError as error:
        raise ConfigError(
            f"The keyring did not remove the API key: {error}.",
            "Remove it with the system's tools.",
        ) from None
    return True

"""A file that tells other processes of the same user where the server listens."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["runtime_file"]


@contextlib.contextmanager
def runtime_file(path: Path, *, url: str, token: str) -> Iterator[None]:
    """Keep the file there for a while: complete from its first moment, for this user's eyes only.

    Args:
        path: Where; a file of an earlier server is replaced.
        url: The server's address, without a version suffix.
        token: Its bearer token.

    Raises:
        ConfigError: It cannot be written.
    """
    content = msgspec.json.encode({"url": url, "token": token, "pid": os.getpid()})
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise ConfigError(
            f"The runtime file {path} cannot be written: {error.strerror}.",
            "Choose another --runtime-file.",
        ) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            # Another server may have taken the place meanwhile.
            if path.read_bytes() == content:
                path.unlink()

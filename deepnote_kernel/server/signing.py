"""Links to snapshots that work for a while without a token."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

from deepnote_kernel.server.errors import UnauthorizedError

__all__ = ["Signer"]

LIFETIME_S = 300


class Signer:
    """Signs run ids with a key that lives and dies with the server."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def query(self, run_id: str) -> str:
        """Return the query string that opens a run's snapshot for the next minutes."""
        expires = str(int(time.time()) + LIFETIME_S)
        return f"expires={expires}&signature={self._sign(run_id, expires)}"

    def check(self, run_id: str, expires: str, signature: str) -> None:
        """Refuse a link that was changed or is too old.

        Raises:
            UnauthorizedError: It was.
        """
        is_ours = hmac.compare_digest(
            self._sign(run_id, expires).encode(), signature.encode(errors="replace")
        )
        if not is_ours or int(expires) < time.time():
            raise UnauthorizedError("The link is not valid any more")

    def _sign(self, run_id: str, expires: str) -> str:
        return hmac.new(self._key, f"{run_id}:{expires}".encode(), hashlib.sha256).hexdigest()

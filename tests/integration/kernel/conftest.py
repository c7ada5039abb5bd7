"""Kernels for tests: real processes, spoken to as a front end does."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.session import local

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def _local_server() -> Iterator[None]:
    """End the server that kernels named ``deepnote-local`` have started; it would wait a minute."""
    yield
    server = local.find()
    if server is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, signal.SIGTERM)

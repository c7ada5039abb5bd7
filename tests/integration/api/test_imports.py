"""What importing the clients costs."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    ["deepnote_kernel.api", "deepnote_kernel.strata.calls", "deepnote_kernel.strata.socket"],
)
def test_importing_a_client_does_not_import_its_network(module: str) -> None:
    """A kernel's start does not pay for what its first reply does not need."""
    code = f"import sys, {module}; sys.exit(bool({{'httpx', 'websockets'}} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", code], check=True)

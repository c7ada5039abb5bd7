"""What importing the client costs."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_package_does_not_import_httpx() -> None:
    """A kernel's start does not pay for what its first reply does not need."""
    code = "import sys, deepnote_kernel.api; sys.exit('httpx' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

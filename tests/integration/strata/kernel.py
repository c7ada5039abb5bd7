"""The Strata kernel in a process of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.integration.notebook import open_notebook

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.integration.notebook import Notebook

ARGV = [
    sys.executable,
    "-m",
    "deepnote_kernel",
    "--DeepnoteKernelApp.kernel_class=deepnote_kernel.kernel.strata.StrataKernel",
]
"""As in the kernelspec."""


def open_strata_kernel(url: str, **environ: str) -> AbstractContextManager[Notebook]:
    """Start a kernel whose cells run on a server; stop it at the end of the block.

    Args:
        url: The server's address.
        **environ: More environment variables.
    """
    return open_notebook(ARGV, {"STRATA_URL": url, **environ}, interrupt_mode="message")

"""The Strata kernel in a process of its own."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jupyter_core.paths import jupyter_data_dir

from tests.integration.notebook import open_notebook

if TYPE_CHECKING:
    from collections.abc import Iterator
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


@contextlib.contextmanager
def known_kernel(url: str) -> Iterator[None]:
    """Make the kernel known by its name, and point it at a server, until the end of the block."""
    folder = Path(jupyter_data_dir(), "kernels", "strata")
    shutil.copytree(Path(__file__).parents[3] / "kernelspec" / "strata", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRATA_URL", url)
        yield
    shutil.rmtree(folder)

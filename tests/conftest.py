"""What every test stands on: an environment of its own, and the marker of its tier."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TIERS = ("unit", "integration", "browser")


def pytest_configure() -> None:
    """Let SIGINT through: what a script's shell starts in the background ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the tier its folder names, so that nobody forgets to."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            tier = item.path.relative_to(here).parts[0]
            if tier in TIERS:
                item.add_marker(tier)


# Session scope, so that it stands before fixtures of wider scope than a test start kernels.
@pytest.fixture(scope="session", autouse=True)
def _isolated_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the developer's settings, kernels and history away from the tests, and vice versa."""
    home = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("DEEPNOTE_", "JUPYTER_")):
                patch.delenv(name)
        patch.setenv("JUPYTER_DATA_DIR", str(home / "data"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(home / "runtime"))
        patch.setenv("JUPYTER_CONFIG_DIR", str(home / "config"))
        patch.setenv(
            "JUPYTER_PLATFORM_DIRS", "1"
        )  # else jupyter_core warns, and warnings are errors
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        yield

"""Make the environment of a real Strata server, for the tests that talk to one.

    python tests/make_strata_server.py .venv-strata tests/strata-server.txt

Strata runs on CPython 3.12 or newer, in an environment that uv has made. Where there is no such
interpreter, this says so and makes nothing; the tests then have recorded answers alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from itertools import chain
from pathlib import Path

from uv import find_uv_bin

# Besides PATH: where pyenv and CI runners keep the Pythons that are not on it.
_ELSEWHERE = (
    (Path.home(), ".pyenv/versions/3.1[2-9]*/bin/python3"),
    (Path("/opt"), "hostedtoolcache/Python/3.1[2-9]*/*/bin/python3"),
)
_PRINT_IF_NEW_ENOUGH = "import sys; sys.version_info >= (3, 12) and print(sys.executable)"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where to make the environment")
    parser.add_argument("requirements", type=Path, help="what to install there")
    given = parser.parse_args()
    python = find_python()
    if python is None:
        print(
            f"{given.folder} is not made: no CPython 3.12 or newer. Set STRATA_TEST_PYTHON to one."
        )
        return
    environ = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    uv = (find_uv_bin(), "--quiet")
    subprocess.run(
        [*uv, "venv", "--clear", "--python", python, given.folder], env=environ, check=True
    )
    install = ("pip", "install", "--python", given.folder, "--requirement", given.requirements)
    subprocess.run([*uv, *install], env=environ, check=True)
    (given.folder / ".ready").touch()


def find_python() -> str | None:
    """Return a CPython that Strata runs on, having run it: a pyenv shim may lead nowhere."""
    named = os.environ.get("STRATA_TEST_PYTHON")
    on_path = (shutil.which(f"python3.{minor}") for minor in range(12, 20))
    elsewhere = (sorted(folder.glob(pattern)) for folder, pattern in _ELSEWHERE)
    for candidate in filter(None, chain([named], on_path, *elsewhere)):
        command = [str(candidate), "-c", _PRINT_IF_NEW_ENOUGH]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        if found:
            return found
    return None


if __name__ == "__main__":
    main()

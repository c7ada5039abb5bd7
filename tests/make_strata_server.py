"""Make the environment of a real Strata server, for the tests that talk to one.

    python tests/make_strata_server.py .venv-strata tests/strata-server.txt

Strata runs on CPython 3.12 or newer, in an environment that uv has made. Where there is no such
interpreter, this says so and makes nothing; the tests then replay recorded answers.
"""

from __future__ import annotations

import argparse
import glob
import os
import shutil
import subprocess
from pathlib import Path

from uv import find_uv_bin

# Besides PATH: where pyenv and GitHub's runners keep the Pythons that they do not put there.
_ELSEWHERE = (
    "~/.pyenv/versions/3.1[2-9]*/bin/python3",
    "/opt/hostedtoolcache/Python/3.1[2-9]*/*/bin/python3",
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
            f"No CPython 3.12 or newer: {given.folder} is not made. Name one in STRATA_TEST_PYTHON."
        )  # noqa: T201
        return
    uv, environ = find_uv_bin(), {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run(
        [uv, "venv", "--quiet", "--clear", "--python", python, given.folder],
        env=environ,
        check=True,
    )
    install = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        given.folder,
        "--requirement",
        given.requirements,
    ]
    subprocess.run(install, env=environ, check=True)
    given.folder.joinpath(".ready").touch()


def find_python() -> str | None:
    """Return a CPython that Strata runs on, having run it: a pyenv shim may lead nowhere."""
    candidates = [os.environ.get("STRATA_TEST_PYTHON", "")]
    candidates += [shutil.which(f"python3.{minor}") or "" for minor in (12, 13, 14)]
    candidates += [
        path for pattern in _ELSEWHERE for path in sorted(glob.glob(os.path.expanduser(pattern)))
    ]
    for candidate in filter(None, candidates):
        ran = subprocess.run(
            [candidate, "-c", _PRINT_IF_NEW_ENOUGH], capture_output=True, text=True, check=False
        )
        if ran.returncode == 0 and ran.stdout.strip():
            return ran.stdout.strip()
    return None


if __name__ == "__main__":
    main()

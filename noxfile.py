"""Every check of this repository, once; ``.ci/run`` calls these sessions and ``make test``."""

from __future__ import annotations

from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.sessions = ["lint", "typing", "tests", "wheel"]

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
PARALLEL = ("--numprocesses=2", "--dist=loadfile")
EDITABLE = ("--editable", ".[server]")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, layering, docstrings, spelling: what reads the source and runs nothing."""
    session.install("--editable", ".", "--group", "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")
    session.run("interrogate", "--quiet", "deepnote_kernel", "magics")
    session.run("codespell")
    session.run("validate-pyproject", "pyproject.toml")


@nox.session
def typing(session: nox.Session) -> None:
    """Types, by two checkers that find different mistakes."""
    session.install(*EDITABLE, "--group", "browser", "--group", "typing")
    session.run("mypy")
    session.run("pyright")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests, on each Python we support that this machine has."""
    session.install(*EDITABLE, "--group", "test", "uv")
    far = Path(session.create_tmp(), "deepnote").absolute()
    session.run("python", "-m", "venv", str(far))
    session.run(
        *("uv", "pip", "install", "--quiet", "--python", str(far)),
        *("--requirement", "tests/deepnote-machine.txt"),
    )
    environ = {
        "FAR_SIDE_PYTHON": str(far / "bin/python"),
        # These run apart from the tests: those of `make test` will do.
        "OFFICIAL_CLIENTS_PYTHON": str(Path(".venv-clients/bin/python").absolute()),
        "STRATA_PYTHON": str(Path(".venv-strata/bin/python").absolute()),
        "STRATA_0_7_PYTHON": str(Path(".venv-strata-0.7/bin/python").absolute()),
    }
    session.run("pytest", *(session.posargs or PARALLEL), env=environ)


@nox.session
def coverage(session: nox.Session) -> None:
    """All tests once more, counting which lines and branches this process ran."""
    session.install(*EDITABLE, "--group", "test")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "report", "--skip-covered")


@nox.session(python=PYTHONS[0])
def min_versions(session: nox.Session) -> None:
    """All tests with the oldest release of each dependency that pyproject.toml allows."""
    oldest = Path(session.create_tmp(), "oldest.txt")
    session.install("uv")
    session.run(
        *("uv", "pip", "compile", "--quiet", "--resolution=lowest-direct", "--extra=server"),
        *(f"--python-version={session.python}", "--output-file", str(oldest), "pyproject.toml"),
        silent=True,
    )
    session.install(*EDITABLE, "--group", "test", "--constraint", str(oldest))
    # The oldest jupyter_core warns at import of what this variable settles.
    session.run("pytest", *session.posargs, env={"JUPYTER_PLATFORM_DIRS": "1"})


@nox.session(venv_backend="none")
def labextension(session: nox.Session) -> None:
    """Check and build the JupyterLab extension, which goes into the wheel. Needs Node."""
    _build_labextension(session)


def _build_labextension(session: nox.Session) -> None:
    with session.chdir("labextension"):
        session.run("npm", "ci", external=True)
        session.run("npm", "run", "lint", external=True)
        session.run("npm", "run", "build", external=True)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build both distributions; look into the wheel; install it elsewhere and run a cell."""
    _build_labextension(session)
    dist = Path(session.create_tmp(), "dist")
    session.install(*EDITABLE, "--group", "test", "build", "check-wheel-contents", "twine")
    session.run("python", "-m", "build", "--outdir", str(dist))
    session.run("check-wheel-contents", str(dist))
    session.run("twine", "check", "--strict", *map(str, dist.iterdir()))
    session.run("pytest", "tests/integration/test_wheel.py")


@nox.session
def browser(session: nox.Session) -> None:
    """JupyterLab in a real Chromium; pictures of each step go to build/screenshots."""
    _test_in_browser(session, "tests/browser", *session.posargs)


@nox.session
def screenshots(session: nox.Session) -> None:
    """Make the pictures in docs/images anew."""
    _test_in_browser(session, "tests/browser/test_readme.py", "--screenshots=docs/images")


def _test_in_browser(session: nox.Session, *arguments: str) -> None:
    _build_labextension(session)
    session.install(*EDITABLE, "--group", "browser")
    session.run("pytest", *arguments)

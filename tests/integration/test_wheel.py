"""The wheel as users get it: what is in it, and that it works far from the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LABEXTENSION = ROOT / "labextension/dist"
KERNELSPECS = sorted(path.name for path in (ROOT / "kernelspec").iterdir())

# Building and installing go through a package index, which may take its time.
pytestmark = pytest.mark.timeout(600)

RUN_A_CELL = """
from jupyter_client.manager import run_kernel

with run_kernel(kernel_name="deepnote-local", startup_timeout=60) as client:
    client.execute_interactive("print(6 * 7)", timeout=120)
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command in a folder and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist, so that a file missing from either is missed here."""
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", str(dist), cwd=ROOT)
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of a new virtual environment that the wheel was installed into."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    run(folder / "bin/python", "-m", "pip", "install", "--quiet", f"{wheel}[server]", cwd=folder)
    return folder / "bin"


def test_the_wheel_holds_both_packages_and_nothing_else(wheel: Path) -> None:
    """Tests, examples and tools stay out; both packages are marked as typed."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert {top for top in tops if not top.endswith(".data")} == {
        "deepnote_kernel",
        "deepnote_magics",
    }
    assert {"deepnote_kernel/py.typed", "deepnote_magics/py.typed"} <= set(names)


@pytest.mark.parametrize("name", KERNELSPECS)
def test_the_wheel_holds_the_kernelspec(wheel: Path, name: str) -> None:
    """Each kernelspec is in the wheel with its logos, and names no interpreter of the builder."""
    with zipfile.ZipFile(wheel) as archive:
        folder = f".data/data/share/jupyter/kernels/{name}/"
        files = {path.split("/")[-1]: path for path in archive.namelist() if folder in path}
        assert sorted(files) == ["kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"]
        assert json.loads(archive.read(files["kernel.json"]))["argv"][0] == "python"


@pytest.mark.skipif(not LABEXTENSION.exists(), reason="not built: nox -s labextension")
def test_the_wheel_holds_the_jupyterlab_extension(wheel: Path) -> None:
    """As it was built, with what switches its server's side on; installing it needs no Node."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [package] = [name for name in names if name.endswith("deepnote-kernel/package.json")]
        built = json.loads(archive.read(package))["jupyterlab"]["_build"]
    folder, _, _ = package.rpartition("/")
    assert folder.endswith(".data/data/share/jupyter/labextensions/deepnote-kernel")
    assert f"{folder}/{built['load']}" in names
    config = ".data/data/etc/jupyter/jupyter_server_config.d/deepnote_kernel.json"
    assert any(name.endswith(config) for name in names)


def test_jupyter_finds_the_kernels_after_pip_install(environment: Path, tmp_path: Path) -> None:
    """Installing the wheel is enough for Jupyter of the same environment."""
    listing = json.loads(run(environment / "jupyter", "kernelspec", "list", "--json", cwd=tmp_path))
    found = {
        name
        for name, entry in listing["kernelspecs"].items()
        if Path(entry["resource_dir"]).is_relative_to(environment.parent.resolve())
    }
    assert set(KERNELSPECS) <= found


def test_the_install_command_finds_its_sources(environment: Path, tmp_path: Path) -> None:
    """``jupyter deepnote install`` works where no checkout lies beside the package."""
    run(environment / "jupyter", "deepnote", "install", "--prefix", str(tmp_path), cwd=tmp_path)
    spec = tmp_path / "share/jupyter/kernels/deepnote/kernel.json"
    assert Path(json.loads(spec.read_text())["argv"][0]).parent == environment


def test_a_cell_runs_with_nothing_but_the_wheel(environment: Path, tmp_path: Path) -> None:
    """``pip install deepnote-kernel[server]`` brings all that the local kernel needs."""
    # What the session says while it starts comes first.
    assert run(environment / "python", "-c", RUN_A_CELL, cwd=tmp_path).endswith("42\n")

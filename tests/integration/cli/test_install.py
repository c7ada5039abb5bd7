"""``jupyter deepnote install``, run as people run it, and what Jupyter makes of the result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

KERNELSPECS = Path(__file__).parents[3] / "kernelspec"
NAMES = sorted(path.parent.name for path in KERNELSPECS.glob("*/kernel.json"))


def install(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "jupyter", "deepnote", "install", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's folder with the kernelspecs in it."""
    folder = tmp_path_factory.mktemp("prefix")
    done = install("--prefix", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def manager(prefix: Path) -> KernelSpecManager:
    """A kernelspec manager that looks into that folder alone."""
    return KernelSpecManager(
        kernel_dirs=[str(prefix / "share/jupyter/kernels")], ensure_native_kernel=False
    )


def test_jupyter_lists_every_kernelspec(manager: KernelSpecManager) -> None:
    """Each kernelspec of the repository is found under its name, and no other."""
    assert sorted(manager.find_kernel_specs()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_interpreter_is_absolute(manager: KernelSpecManager, name: str) -> None:
    """An installed kernelspec starts this environment's own Python, and tells VS Code so."""
    spec = manager.get_kernel_spec(name)
    interpreter = Path(spec.argv[0])
    assert interpreter.is_absolute()
    assert interpreter.parent == Path(sys.executable).parent
    assert spec.metadata["interpreter"]["path"] == spec.argv[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_rest_of_the_kernelspec_is_kept(manager: KernelSpecManager, name: str) -> None:
    """Arguments, names and the interrupt mode are those of the static kernelspec."""
    static = json.loads((KERNELSPECS / name / "kernel.json").read_text())
    installed = manager.get_kernel_spec(name).to_dict()
    assert installed["argv"][1:] == static["argv"][1:]
    assert {key: installed[key] for key in static if key != "argv"} == {
        key: value for key, value in static.items() if key != "argv"
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_logos_come_along(manager: KernelSpecManager, name: str) -> None:
    """The launcher finds all three logos."""
    folder = Path(manager.get_kernel_spec(name).resource_dir)
    assert sorted(path.name for path in folder.glob("logo-*")) == [
        "logo-32x32.png",
        "logo-64x64.png",
        "logo-svg.svg",
    ]


def test_installing_twice_replaces(tmp_path: Path) -> None:
    """A second installation succeeds and leaves one copy."""
    first, second = (install("--prefix", str(tmp_path)) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert second.stdout == first.stdout
    assert sorted(path.name for path in (tmp_path / "share/jupyter/kernels").iterdir()) == NAMES


def test_without_options_the_user_gets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default place is the user's own Jupyter folder."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    assert install().returncode == 0
    assert sorted(path.name for path in (tmp_path / "kernels").iterdir()) == NAMES


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A failed installation says what to try instead, without a traceback."""
    blocker = tmp_path / "file"
    blocker.touch()
    done = install("--prefix", str(blocker))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("Choose another place with --user, --sys-prefix or --prefix.\n")

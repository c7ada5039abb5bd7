"""``jupyter deepnote install``: write the kernelspecs where a front end finds them.

The kernelspecs that come with the package name the interpreter as the bare word ``python``, which
Jupyter takes for its own. That is right while both live in one environment. An installed copy names
this environment's interpreter in full, so that a Jupyter or a VS Code from elsewhere can start the
kernel too.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["find_kernelspecs", "install_kernelspecs", "main"]


def main(argv: Sequence[str]) -> int:
    """Install the kernelspecs where the options say and print each folder written."""
    options = _parser().parse_args(argv)
    prefix = sys.prefix if options.sys_prefix else options.prefix
    for folder in install_kernelspecs(prefix=prefix):
        sys.stdout.write(f"Installed {folder}\n")
    return 0


def install_kernelspecs(*, prefix: str | None = None) -> list[Path]:
    """Copy each kernelspec with this interpreter's path written into it.

    Args:
        prefix: The environment to install into, below ``share/jupyter/kernels``; ``None`` is the
            user's own Jupyter folder.

    Returns:
        The folders written.

    Raises:
        ConfigError: This installation holds no kernelspecs, or the destination cannot be written.
    """
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415 - 150 ms that --help need not wait

    manager = KernelSpecManager()
    written = []
    with tempfile.TemporaryDirectory() as staging:
        for source in find_kernelspecs():
            staged = Path(staging, source.name)
            shutil.copytree(source, staged)
            _name_interpreter(staged / "kernel.json", sys.executable)
            try:
                folder = manager.install_kernel_spec(
                    str(staged), source.name, user=prefix is None, prefix=prefix
                )
            except OSError as error:
                raise ConfigError(
                    f"The kernelspec {source.name} cannot be written: {error}.",
                    "Choose another place with --user, --sys-prefix or --prefix.",
                ) from error
            written.append(Path(folder))
    return written


def find_kernelspecs() -> list[Path]:
    """Return the folders of the kernelspecs that came with this package, sorted by name.

    Raises:
        ConfigError: The package was installed without them.
    """
    checkout = Path(__file__).parents[2] / "kernelspec"
    if checkout.is_dir():
        folders = [path.parent for path in checkout.glob("*/kernel.json")]
    else:
        # Where installers put shared data differs (environment, --user, --target): ask the record.
        files = metadata.files("deepnote-kernel") or []
        folders = [
            Path(file.locate()).resolve().parent for file in files if file.name == "kernel.json"
        ]
    if not folders:
        raise ConfigError(
            "This installation of deepnote-kernel holds no kernelspecs.",
            "Reinstall it: pip install --force-reinstall deepnote-kernel.",
        )
    return sorted(folders)


def _name_interpreter(kernel_json: Path, interpreter: str) -> None:
    spec = msgspec.json.decode(kernel_json.read_bytes(), type=dict)
    spec["argv"][0] = interpreter
    # VS Code looks here first for the interpreter of a kernelspec.
    spec["metadata"] = {"interpreter": {"path": interpreter}}
    kernel_json.write_bytes(msgspec.json.format(msgspec.json.encode(spec), indent=2) + b"\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter deepnote install",
        description="Write the Deepnote kernelspecs, with this environment's Python in them, to a "
        "place where Jupyter and VS Code look for kernels. `jupyter kernelspec uninstall <name>` "
        "removes one.",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--user", action="store_true", help="for you, in every environment (the default)"
    )
    place.add_argument(
        "--sys-prefix", action="store_true", help="for whoever uses this Python environment"
    )
    place.add_argument(
        "--prefix", metavar="P", help="for the environment at P (in P/share/jupyter/kernels)"
    )
    return parser

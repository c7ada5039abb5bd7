"""What the browser's side of the JupyterLab extension has in common with the package."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from deepnote_kernel import __version__
from deepnote_kernel.jupyter_server import models

FOLDER = Path(__file__).parents[3] / "labextension"

INTERFACES: dict[str, type[msgspec.Struct]] = {
    "INotebook": models.NotebookView,
    "ISession": models.SessionView,
    "IStart": models.StartView,
    "IOverview": models.Overview,
    "IProject": models.ProjectView,
    "IRun": models.RunView,
    "IWorkspace": models.WorkspaceView,
}


def test_it_has_the_packages_version() -> None:
    """JupyterLab shows it, and pip installs both together."""
    assert json.loads((FOLDER / "package.json").read_text())["version"] == __version__


def test_its_lock_names_no_registry() -> None:
    """Packages come from whichever registry npm is told to use."""
    assert "resolved" not in (FOLDER / "package-lock.json").read_text()


@pytest.mark.parametrize("name", INTERFACES)
def test_it_expects_what_it_is_told(name: str) -> None:
    """An interface in TypeScript has the fields of the model it is made from, and no others."""
    source = (FOLDER / "src/api.ts").read_text()
    match = re.search(rf"^export interface {name} {{\n(.*?)^}}", source, re.DOTALL | re.MULTILINE)
    assert match
    fields = re.findall(r"^  (\w+): ", match[1], re.MULTILINE)
    assert fields == [field.name for field in msgspec.structs.fields(INTERFACES[name])]

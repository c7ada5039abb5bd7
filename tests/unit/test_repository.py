"""What the documents say, held against the repository."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest

from deepnote_kernel import __version__, config

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def text(name: str) -> str:
    """Return a document of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_commands_exist(document: Path) -> None:
    """Every ``make`` command a document names is a target of the Makefile."""
    named = set(re.findall(r"(?:^|`|\$ )make ([a-z-]+)", document.read_text(), re.MULTILINE))
    assert named - MAKE_TARGETS == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_nox_sessions_exist(document: Path) -> None:
    """Every nox session a document names is in the noxfile."""
    sessions = set(re.findall(r"^def (\w+)\(session", text("noxfile.py"), re.MULTILINE))
    named = set(re.findall(r"nox -s (\w+)", document.read_text()))
    assert named - sessions == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link or picture in a document is a file of the repository."""
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text())
    links += re.findall(r'(?:src|href)="([^"#]+)"', document.read_text())
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_readme_opens_with_the_two_commands() -> None:
    """The first two commands of the README are the demo and the tests."""
    assert re.findall(r"^make [a-z]+", text("README.md"), re.MULTILINE)[:2] == [
        "make demo",
        "make test",
    ]


def test_readme_lists_every_setting() -> None:
    """The README's table has each environment variable of ours that is read, and no other."""
    rows = re.findall(r"^\| `(DEEPNOTE_\w+)` \|", text("README.md"), re.MULTILINE)
    ours = [name for name in config.VARIABLES.values() if name.startswith("DEEPNOTE_")]
    assert sorted(rows) == sorted(ours)


def test_changelog_head_is_the_version() -> None:
    """The newest released entry of the changelog is the package's version."""
    heads = re.findall(r"^## \[([^\]]+)\]", text("CHANGELOG.md"), re.MULTILINE)
    assert heads[:2] == ["Unreleased", __version__]


def test_ci_runs_the_readme_test_command() -> None:
    """What CI calls the tests is what the README calls them."""
    assert re.search(r"^make test\b", text(".ci/run"), re.MULTILINE)


@pytest.mark.parametrize("name", [path.name for path in ROOT.glob("examples/*.ipynb")])
def test_examples_hold_nothing_of_a_machine(name: str) -> None:
    """Outputs of an earlier run name no folder, and an example runs without an account."""
    example = text(f"examples/{name}")
    assert re.findall(r"(?:/home|/root|/tmp|/usr|/work|/Users|site-packages)\b", example) == []
    metadata = json.loads(example)["metadata"]
    assert metadata["kernelspec"]["name"] in {"deepnote-local", "python3", "strata"}
    assert metadata["language_info"] == {"name": "python"}


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("name", [path.name for path in (ROOT / "kernelspec").iterdir()])
def test_logos_have_the_size_they_say(name: str, size: int) -> None:
    """A logo is as wide and as high as Jupyter expects from its file name."""
    png = (ROOT / "kernelspec" / name / f"logo-{size}x{size}.png").read_bytes()
    assert struct.unpack(">II", png[16:24]) == (size, size)


def test_kernelspecs_can_be_told_apart() -> None:
    """No two kernels share a display name or a logo."""
    folders = sorted((ROOT / "kernelspec").iterdir())
    names = {json.loads((folder / "kernel.json").read_text())["display_name"] for folder in folders}
    logos = {(folder / "logo-32x32.png").read_bytes() for folder in folders}
    assert (len(names), len(logos)) == (len(folders), len(folders))

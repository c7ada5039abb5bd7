"""The pages about the commands tell the truth: what they show is run."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.commands.grammar import Noun
from deepnote_kernel.commands.table import TABLE
from tests.integration.conftest import run_kernel, run_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.commands.conftest import Shell
    from tests.integration.conftest import Notebook, Server

DOCS = Path(__file__).parents[3] / "docs" / "commands"
PAGES = sorted(path.stem for path in DOCS.glob("*.md") if path.stem != "README")

_BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRAM = "jupyter deepnote "

# What is another each time. Its width stays, so that the columns of a table stand where they were.
_VARYING = [
    (re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"[0-9a-f]{32}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z)?"), "<time>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r"\b\d+ s\b"), "<n> s"),
    (re.compile(r"(CPUs +)\d+"), r"\1<n>"),
    (re.compile(r"(Memory +)[\d.]+ GiB"), r"\1<n> GiB"),
]


def _normal(text: str) -> str:
    for pattern, stand_in in _VARYING:
        text = pattern.sub(stand_in, text)
    return "\n".join(re.sub(r" {3,}", "   ", line).rstrip() for line in text.splitlines())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which there is nothing but what a page makes."""
    with run_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def kernel(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """A notebook on ipykernel with the extension loaded."""
    environ = {"DEEPNOTE_BASE_URL": server.url, "DEEPNOTE_TOKEN": server.token}
    with run_kernel("python3", environ, cwd=str(tmp_path_factory.mktemp("cwd"))) as running:
        assert running.run("%load_ext deepnote_magics").status == "ok"
        yield running


@pytest.fixture
def _clean(server: Server) -> Iterator[None]:
    """Leave no project to the next page."""
    yield
    with server.client() as client:
        for project in client.get("/v2/projects").json()["projects"]:
            client.delete(f"/v2/projects/{project['id']}")


def _played(console: str, shell: Shell) -> str:
    """Run the commands of a block; return it with what they print now."""
    lines = []
    for line in console.splitlines():
        if not line.startswith("$ "):
            continue
        command = line.removeprefix("$ ")
        if command.startswith(_PROGRAM):
            done = shell(*shlex.split(command.removeprefix(_PROGRAM)))
            printed = done.out + done.err
        else:
            printed = subprocess.run(
                ["sh", "-c", command], check=True, capture_output=True, text=True
            ).stdout
        lines += [line, *printed.splitlines()]
    return "\n".join(lines)


@pytest.mark.usefixtures("_clean")
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_is_so(
    page: str, shell: Shell, kernel: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands print what stands below them, and its cells run, in the order of the page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))  # where sessions are recorded
    blocks = _BLOCK.findall((DOCS / f"{page}.md").read_text())
    assert blocks
    for kind, text in blocks:
        if kind == "python":
            ran = kernel.run(text)
            assert ran.status == "ok", ran.reply
        else:
            assert _normal(_played(text, shell)) == _normal(text)


def test_every_noun_has_a_page() -> None:
    """And the list of pages links all of them."""
    nouns = [name for name, entry in TABLE.items() if isinstance(entry, Noun)]
    assert [name for name in nouns if name not in PAGES] == []
    linked = re.findall(r"\]\((\w+)\.md\)", (DOCS / "README.md").read_text())
    assert sorted(linked) == PAGES

"""Completing words and names after ``%deepnote``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.config import LOCAL, Settings
from deepnote_magics._completion import Names, complete, workspace_names
from deepnote_magics.deepnote import GRAMMAR

if TYPE_CHECKING:
    from pathlib import Path


class Known(Names):
    """Names that are there without a server."""

    def __init__(self) -> None:
        super().__init__(Settings, workspace_names)

    def of(self, kind: str) -> list[str]:
        """Return some that need quotes and some that do not."""
        return {"project": ["Sales", "My Sales", 'say "hi"', "it's"]}.get(kind, [])


@pytest.mark.parametrize(
    ("text", "typed", "offered"),
    [
        ("projects show Sa", "Sa", ["Sales"]),
        ("projects show My", "My", ["'My Sales'"]),
        ("projects show 'My S", "'My S", ["'My Sales'"]),
        ('projects show "My S', '"My S', ['"My Sales"']),
        ("projects show My\\ S", "My\\ S", ["'My Sales'"]),
        ('projects show "say', '"say', ['"say \\"hi\\""']),
        ("projects show it", "it", ["'it'\"'\"'s'"]),
        ("projects show 'My Sales' --y", "--y", []),
        ("projects delete 'My Sales' --y", "--y", ["--yes"]),
        ("notebooks --project 'My", "'My", []),
        ("notebooks list --project 'My", "'My", ["'My Sales'"]),
        ("proj", "proj", ["projects"]),
        ("projects cr", "cr", ["create"]),
    ],
)
def test_names_are_quoted_as_the_line_needs(text: str, typed: str, offered: list[str]) -> None:
    """Quotation marks that were begun are kept, others set where a name has blanks."""
    assert complete(GRAMMAR, Known(), text) == (typed, offered)


def test_what_is_offered_can_be_read() -> None:
    """The line's own rules give the name back."""
    names = Known().of("project")
    for opening in ("", "'", '"'):
        _, offered = complete(GRAMMAR, Known(), f"projects show {opening}")
        assert [shlex.split(word)[0] for word in offered][: len(names)] == names


def test_no_server_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the local server does not run, there are no names."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    names = Names(lambda: Settings(base_url=LOCAL), workspace_names, wait_s=10)
    assert names.of("project") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["", "project", "session"])
def test_errors_are_silent(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who presses the tab key wants no lecture about tokens."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))  # where sessions are recorded
    assert Names(Settings, workspace_names, wait_s=10).of(kind) == []

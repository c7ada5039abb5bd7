"""Completion and inspection know remote names, also while a cell runs."""

# ruff: noqa: E501 - a cell is one line of its table

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.notebook import JSON, Notebook


def matches(notebook: Notebook, code: str) -> list[str]:
    """Complete at the end of some code, as often as a person would press Tab.

    The first completion may come to nothing: the far side loads its library for it then.
    """
    content = {"code": code, "cursor_pos": len(code)}
    found: list[str] = []
    for _ in range(10):
        found = found or notebook.ask("complete_request", content)["matches"]
    return found


def described(notebook: Notebook, code: str) -> str:
    """Inspect at the end of some code."""
    content = {"code": code, "cursor_pos": len(code), "detail_level": 0}
    return str(notebook.ask("inspect_request", content)["data"].get("text/plain", ""))


def test_remote_names_are_completed(live: Notebook) -> None:
    """Variables and attributes of remote objects."""
    live.run("quite_unusual_name = {'key': 1}\nclass Thing:\n    attribute = 1\nthing = Thing()")
    assert "quite_unusual_name" in matches(live, "quite_unu")
    assert any("attribute" in match for match in matches(live, "thing.attr"))


def test_remote_objects_are_described(live: Notebook) -> None:
    """Signature and docstring come from the far side."""
    live.run("def remote_function(a, b=2):\n    'Does something remote.'")
    assert "Does something remote." in described(live, "remote_function")


CHILDREN = {
    "subprocess": "import subprocess\nprint('ready')\nsubprocess.run(['sh', '-c', {wait!r}])",
    "forked": "import os\nif not os.fork():\n    print('ready', flush=True)\n    os.system({wait!r})\n    os._exit(0)\nos.wait()",
    "awaited": "%%bash\necho ready\n{wait}",
}  # fmt: skip


@pytest.mark.parametrize("code", CHILDREN.values(), ids=CHILDREN.keys())
def test_child_processes_are_spared(code: str, live: Notebook, tmp_path: Path) -> None:
    """A question asked while the cell waits for a child does not end the child."""
    asked, end = tmp_path / "asked", tmp_path / "end"

    def ask(_kind: str, content: JSON) -> None:
        if "ready" in str(content) and not asked.exists():
            matches(live, "pri")
            asked.touch()

    wait = f"until [ -e '{asked}' ]; do sleep 0.05; done; touch '{end}'"
    assert live.run(code.format(wait=wait), on_message=ask).reply["status"] == "ok"
    assert end.exists()


def test_both_work_while_a_cell_runs(live: Notebook) -> None:
    """Neither waits for the cell, be it asleep or busy."""
    live.run("import time\ndef remote_function():\n    'Described.'\nquite_unusual_name = 1")
    found: list[object] = []

    def ask(kind: str, content: JSON) -> None:
        if kind == "stream" and "ready" in content["text"]:
            found.append(matches(live, "quite_unu"))
            found.append("Described." in described(live, "remote_function"))
            live.interrupt()

    for wait in ("time.sleep(600)", "while True:\n    pass"):
        found.clear()
        result = live.run(f"print('ready')\n{wait}", on_message=ask)
        assert found == [["quite_unusual_name"], True]
        assert result.reply["ename"] == "KeyboardInterrupt"

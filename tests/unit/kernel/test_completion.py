"""What is completed without a session, and how it joins what a session says."""

from __future__ import annotations

from typing import Any

import pytest

from deepnote_kernel.kernel.completion import is_known, is_local, merge, offline

MAGICS = ["%deepnote", "%%deepnote", "%time", "%%time"]


@pytest.mark.parametrize(
    ("code", "matches", "start"),
    [
        ("prin", ["print"], 0),
        ("x = impor", ["import"], 4),
        ("a\nwhil", ["while"], 2),
        ("obj.prin", [], 8),
        ("", [], 0),
        ("x ", [], 2),
        ("%dee", ["%deepnote"], 0),
        ("%%ti", ["%%time"], 0),
        ("5 %ti", ["%time"], 2),
    ],
)
def test_offline(code: str, matches: list[str], start: int) -> None:
    """Keywords, builtins and magics are completed; attributes and variables are not guessed."""
    reply = offline(code, len(code), MAGICS)
    assert reply["matches"] == matches
    assert (reply["cursor_start"], reply["cursor_end"]) == (start, len(code))


def test_offline_looks_before_the_cursor_only() -> None:
    """The rest of the cell does not matter."""
    assert offline("prin(x)", 4, MAGICS)["matches"] == ["print"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("%deepnote st", True),
        ("s = %deepnote st", True),
        ("x = 1\n%deepnote ", True),
        ("%%local\nimport o", True),
        ("%deep", False),
        ("import o", False),
    ],
)
def test_is_local(code: str, *, expected: bool) -> None:
    """Lines that run here are completed with what is known here."""
    assert is_local(code, len(code)) is expected


def _reply(*matches: str, start: int = 0, end: int = 3, **metadata: Any) -> dict[str, Any]:
    return {
        "status": "ok",
        "matches": [*matches],
        "cursor_start": start,
        "cursor_end": end,
        "metadata": metadata,
    }


def test_merge_adds_ours_once() -> None:
    """A name that both sides know is listed once."""
    merged = merge(_reply("%time", "%timeit"), _reply("%time", "%deepnote"))
    assert merged["matches"] == ["%time", "%timeit", "%deepnote"]


def test_merge_keeps_to_one_span() -> None:
    """Matches for another piece of text would be put in the wrong place."""
    theirs = _reply("os.path", start=2)
    assert merge(theirs, _reply("print")) == theirs


def test_merge_without_remote_matches() -> None:
    """A session that is busy leaves what is sure."""
    assert merge(_reply(), _reply("print"))["matches"] == ["print"]


def test_merge_types_ours_for_jupyterlab() -> None:
    """JupyterLab shows the typed list alone where there is one."""
    typed = [{"start": 0, "end": 3, "text": "%time", "type": "magic"}]
    merged = merge(_reply("%time", _jupyter_types_experimental=typed), _reply("%time", "%deepnote"))
    texts = [item["text"] for item in merged["metadata"]["_jupyter_types_experimental"]]
    assert texts == ["%time", "%deepnote"]


@pytest.mark.parametrize(
    ("code", "cursor_pos", "expected"),
    [
        ("print", 5, True),
        ("print", 2, True),
        ("str.join", 8, True),
        ("df", 2, False),
        ("", 0, False),
    ],
)
def test_is_known(code: str, cursor_pos: int, *, expected: bool) -> None:
    """Only builtins mean the same on both sides."""
    assert is_known(code, cursor_pos) is expected

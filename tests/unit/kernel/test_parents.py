"""Which message output belongs to."""

from __future__ import annotations

from typing import Any

from deepnote_kernel.kernel.parents import Parents


def _message(msg_id: str) -> dict[str, Any]:
    return {"header": {"msg_id": msg_id}, "content": {"code": "x"}}


def test_a_remembered_header_is_found() -> None:
    """Output of an earlier cell goes to that cell."""
    parents = Parents()
    parents.remember(_message("a"))
    parents.remember(_message("b"))
    assert parents.header("a") == {"msg_id": "a"}


def test_an_unknown_id_means_the_latest() -> None:
    """Output of nobody knows which cell goes to the latest one."""
    parents = Parents()
    parents.remember(_message("a"))
    parents.remember(_message("b"))
    assert parents.header("") == {"msg_id": "b"}


def test_before_the_first_request_there_is_no_parent() -> None:
    """A message may come before any cell has run."""
    assert Parents().header("") == {}


def test_the_oldest_are_forgotten() -> None:
    """A kernel that runs for weeks does not remember every cell."""
    parents = Parents(limit=2)
    for msg_id in "abc":
        parents.remember(_message(msg_id))
    assert parents.header("a") == {"msg_id": "c"}
    assert parents.header("b") == {"msg_id": "b"}

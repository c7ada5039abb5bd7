"""What the anchor names, and what it remembers."""

from __future__ import annotations

import ast

import pytest

from deepnote_kernel.strata.anchor import (
    Ledger,
    anchor_source,
    exportable,
    is_anchor,
    read_ledger,
)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("x = 1", {"x"}),
        ("a, (b, *c) = f()", {"a", "b", "c"}),
        ("x = y = 1", {"x", "y"}),
        ("x: int = 1", {"x"}),
        ("x: int", set()),
        ("x += 1", {"x"}),
        ("a.b = 1; a[0] = 2", set()),
        ("import os.path, json as j", {"os", "j"}),
        ("from os import path as p", {"p"}),
        ("from os import *", set()),
        ("def f(): pass", {"f"}),
        ("async def f(): pass", {"f"}),
        ("class C: pass", {"C"}),
        ("for i in r:\n    last = i", {"i", "last"}),
        ("while c:\n    n = 1", {"n"}),
        ("with open(p) as fh:\n    text = fh.read()", {"text"}),
        ("if c:\n    x = 1", set()),
        ("if c:\n    x = 1\nelse:\n    x = 2", {"x"}),
        ("if c:\n    x = 1\nelse:\n    raise E", {"x"}),
        ("try:\n    import a\nexcept ImportError:\n    a = None", {"a"}),
        ("try:\n    x = 1\nexcept E as e:\n    pass", set()),
        ("try:\n    x = 1\nfinally:\n    y = 2", {"x", "y"}),
        ("f = lambda: 1", set()),
        ("g = (i for i in r)", set()),
        ("fh = open('a')", set()),
        ("_private = 1", set()),
        ("x = 1\ndel x", set()),
        ("def f(:", set()),
    ],
)
def test_names_that_are_sure_to_be_there(code: str, names: set[str]) -> None:
    """Only what a cell binds whichever way it goes, and what Strata can store."""
    assert exportable(code) == names


def test_the_anchor_uses_every_name() -> None:
    """It is Python, defines nothing that others see, and reads the names in a function."""
    tree = ast.parse(anchor_source({"b", "a"}, Ledger()))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert used == {"a", "b"}
    assert [type(statement) for statement in tree.body] == [ast.FunctionDef]


def test_the_anchor_remembers() -> None:
    """Which cell is whose is read back from its text."""
    ledger = Ledger(cells={"k": "c1"}, left=["c2"])
    assert read_ledger(anchor_source({"a"}, ledger)) == ledger


@pytest.mark.parametrize("source", ["", "# one line", "# a\n# {no json\ndef f(): pass"])
def test_an_anchor_that_was_edited_remembers_nothing(source: str) -> None:
    """A person may have written into it."""
    assert read_ledger(source) == Ledger()


def test_an_anchor_is_known_by_its_function() -> None:
    """Also where somebody has added to it; no other cell is one."""
    assert is_anchor("# mine\n" + anchor_source(set(), Ledger()))
    assert not is_anchor("def f():\n    return (a, b)")

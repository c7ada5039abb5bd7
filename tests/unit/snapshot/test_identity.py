"""Hashes, keys and file names."""

from __future__ import annotations

import re

import pytest

from deepnote_kernel.snapshot import (
    Document,
    Metadata,
    Notebook,
    Project,
    block_group,
    content_hash,
    executed_notebook,
    slug,
    snapshot_file_name,
    sorting_key,
)


def document(*ids: str, init: str | None = None) -> Document:
    """Return a document with these notebooks."""
    notebooks = [Notebook(id=one, name=one, blocks=[]) for one in ids]
    project = Project(id="p-1", name="Été à Paris!", notebooks=notebooks, init_notebook_id=init)
    return Document(metadata=Metadata(created_at=""), project=project)


def test_a_content_hash_is_that_of_its_utf8() -> None:
    """Known value: SHA-256 of the letter a."""
    assert content_hash("a") == (
        "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    )


def test_sorting_keys_sort_as_numbers() -> None:
    """Under any reader's rules: they have one length."""
    keys = [sorting_key(number) for number in range(120)]
    assert keys == sorted(keys)
    assert keys[7] == "000007"


def test_a_group_belongs_to_one_block() -> None:
    """The same each time, in the shape of an id."""
    assert block_group("a") == block_group("a") != block_group("b")
    assert re.fullmatch("[0-9a-f]{32}", block_group("a"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Hello world", "hello-world"),
        ("1. Été -- à Paris! ", "1-ete-a-paris"),
        ("日本", ""),
        ("a/b\\c", "a-b-c"),
    ],
)
def test_a_slug_is_plain(name: str, expected: str) -> None:
    """Lower case letters, digits and single hyphens."""
    assert slug(name) == expected


@pytest.mark.parametrize(
    ("given", "timestamp", "expected"),
    [
        (document("n"), "latest", "ete-a-paris_p-1_n_latest.snapshot.deepnote"),
        (
            document("n"),
            "2026-01-14T13:54:10.245Z",
            "ete-a-paris_p-1_n_2026-01-14T13-54-10.snapshot.deepnote",
        ),
        (document("n", "i", init="i"), "latest", "ete-a-paris_p-1_n_latest.snapshot.deepnote"),
        (document("n", "m"), "latest", "ete-a-paris_p-1_latest.snapshot.deepnote"),
        (document("../é"), "latest", "ete-a-paris_p-1_%2E%2E%2F%C3%A9_latest.snapshot.deepnote"),
    ],
)
def test_a_snapshot_is_named_after_its_notebook(
    given: Document, timestamp: str, expected: str
) -> None:
    """Where there is one it can be named after; nothing in the name leaves the folder."""
    assert snapshot_file_name(given, timestamp=timestamp) == expected


@pytest.mark.parametrize(
    ("ids", "asked", "expected"),
    [("ab", "b", "b"), ("a", "x", "a"), ("ab", "x", None), ("", "x", None)],
)
def test_the_executed_notebook_is_found(ids: str, asked: str, expected: str | None) -> None:
    """By its id, else because there is only one."""
    found = executed_notebook(document(*ids), asked)
    assert (found.id if found else None) == expected

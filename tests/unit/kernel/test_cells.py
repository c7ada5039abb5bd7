"""Which lines of a cell run here."""

from __future__ import annotations

import pytest

from deepnote_kernel.kernel.cells import split


@pytest.mark.parametrize(
    ("code", "local", "remote"),
    [
        ("print(1)", "", "print(1)"),
        ("!ls", "", "!ls"),
        ("%timeit 1", "", "%timeit 1"),
        ("%%bash\nls", "", "%%bash\nls"),
        ("# only a comment", "", "# only a comment"),
        ("%deepnote status", "%deepnote status", ""),
        ("  %deepnote status", "  %deepnote status", ""),
        ("s = %deepnote status", "s = %deepnote status", ""),
        ("%deepnote?", "%deepnote?", ""),
        ("?%deepnote", "?%deepnote", ""),
        ("%deepnote_sql x", "", "%deepnote_sql x"),
        ("%load_ext deepnote_magics", "%load_ext deepnote_magics", ""),
        ("%reload_ext deepnote_magics", "%reload_ext deepnote_magics", ""),
        ("%load_ext autoreload", "", "%load_ext autoreload"),
        ("%deepnote start\nx = 1\nx", "%deepnote start\n", "#\nx = 1\nx"),
        ("# go\n\n%deepnote start\n\nx", "# go\n\n%deepnote start\n", "#\n#\n#\n\nx"),
        ("%deepnote start\n# done", "%deepnote start\n# done", ""),
        ("%deepnote start \\\n  abc\nx", "%deepnote start \\\n  abc\n", "#\n#\nx"),
        ("%deepnote start\n%%bash\nls", "%deepnote start\n", "%%bash\nls"),
        ("x = 1\n%deepnote status", "", "x = 1\n%deepnote status"),
        ("%%local\nx = 1", "#\nx = 1", ""),
        ("\n%%local  \nx = 1", "#\n#\nx = 1", ""),
        ("%%local\n%%time\nx = 1", "%%time\nx = 1", ""),
        ("%%local nonsense\nx", "%%local nonsense\nx", ""),
        ("%%local?", "%%local?", ""),
        ("%%deepnote\nx = 1", "", "#\nx = 1"),
        ("%%deepnote\n%%bash\nls", "", "%%bash\nls"),
        ("%%deepnote nonsense\nx", "%%deepnote nonsense\nx", ""),
        ("%%deepnote?", "%%deepnote?", ""),
    ],
)
def test_split(code: str, local: str, remote: str) -> None:
    """Leading ``%deepnote`` lines and ``%%local`` cells run here, and lines keep their numbers."""
    assert split(code) == (local, remote)

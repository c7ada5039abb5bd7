"""``%deepnote push`` and ``pull``, and variables that go along with a ``%%deepnote`` cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import run_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Notebook, Server


@pytest.fixture(scope="module")
def ordinary(server: Server) -> Iterator[Notebook]:
    """A notebook on ipykernel with the extension loaded and a session."""
    environ = {
        "DEEPNOTE_BASE_URL": server.url,
        "DEEPNOTE_TOKEN": server.token,
        "DEEPNOTE_NOTEBOOK_ID": server.new_notebook(),
    }
    with run_kernel("python3", environ) as notebook:
        ran = notebook.run("%load_ext deepnote_magics\n%deepnote start")
        assert ran.status == "ok"
        yield notebook


def test_variables_go_there_and_back(ordinary: Notebook) -> None:
    """A frame and an array are the same on both sides; sizes are shown."""
    ran = ordinary.run(
        "import pandas as pd, numpy as np\n"
        "df, arr = pd.DataFrame({'a': [1, 2]}), np.arange(3)\n"
        "%deepnote push df arr"
    )
    assert "pandas.DataFrame" in ran.result
    assert "bytes" in ran.result
    assert ordinary.run("%%deepnote\nresult = df.a.sum() + arr.sum()\nprint(result)").text() == (
        "6\n"
    )
    ordinary.run("%%deepnote\ndoubled = df * 2")
    ordinary.run("%deepnote pull doubled")
    assert ordinary.run("doubled.a.tolist()").result == "[2, 4]"


def test_what_takes_several_parts(ordinary: Notebook) -> None:
    """Three megabytes arrive whole."""
    ordinary.run("import os; blob = os.urandom(3_000_000)\n%deepnote push blob")
    ordinary.run("%%deepnote\nimport hashlib\ndigest = hashlib.sha256(blob).hexdigest()")
    ordinary.run("%deepnote pull digest")
    assert ordinary.run("import hashlib\nhashlib.sha256(blob).hexdigest() == digest").result == (
        "True"
    )


def test_variables_go_along_with_a_cell(ordinary: Notebook) -> None:
    """``--in`` sends before the cell, ``--out`` fetches after it."""
    ordinary.run("n = 6")
    ran = ordinary.run("%%deepnote --in n --out answer\nanswer = n * 7")
    assert ran.status == "ok"
    assert ordinary.run("answer").result == "42"


def test_several_go_along_and_may_be_pickled(ordinary: Notebook) -> None:
    """An option takes names in a row, and the cell's own line can allow pickling."""
    assert ordinary.run("a, b = 6, range(7)").status == "ok"
    assert "Say --pickle" in ordinary.run("%%deepnote --in a b\n1").reply["evalue"]
    ran = ordinary.run("%%deepnote --pickle --in a b --out c d\nc, d = a * len(b), range(2)")
    assert ran.status == "ok"
    assert ordinary.run("(c, d)").result == "(42, range(0, 2))"


def test_nothing_is_left_behind(ordinary: Notebook) -> None:
    """The remote namespace and history hold what the person put there."""
    ran = ordinary.run(
        "%%deepnote\n"
        "print([n for n in dir() if 'transfer' in n], any('take(' in c for c in In[:-1]))"
    )
    assert ran.text() == "[] False\n"


def test_files(ordinary: Notebook, tmp_path: Path) -> None:
    """``--file`` moves a file each way."""
    there, back = tmp_path / "there.txt", tmp_path / "back.txt"
    there.write_text("hello")
    ordinary.run(f"%deepnote push --file '{there}' --to sub/a.txt")
    ordinary.run("%%deepnote\nopen('sub/a.txt', 'a').write('!')")
    ordinary.run(f"%deepnote pull --file sub/a.txt --to '{back}'")
    assert back.read_text() == "hello!"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%deepnote push nowhere", "There is no variable 'nowhere' on this computer."),
        ("%deepnote pull nowhere", "NameError: name 'nowhere' is not defined."),
        ("%deepnote push get_ipython", "Say --pickle to allow that."),
        ("%deepnote pull get_ipython", "Say --pickle to allow that."),
        ("%deepnote push --file /no/such/file", "/no/such/file cannot be read"),
        ("%deepnote pull --file no/such/file", "FileNotFoundError"),
        ("%deepnote pull a b --to c", "--to names one thing, not 2."),
    ],
)
def test_mistakes(ordinary: Notebook, line: str, words: str) -> None:
    """Each is one line that names the thing and the remedy."""
    ran = ordinary.run(line)
    assert ran.status == "error"
    assert words in ran.reply["evalue"]
    assert "\n" not in ran.reply["evalue"]

"""Output arrives while the cell runs, from wherever it comes."""

# ruff: noqa: E501 - a cell is one line of its table

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.notebook import JSON, Notebook

# Each cell shows something, then waits for the test's word: the output can only have come live.
GATE = "import pathlib, time\ngate = pathlib.Path({gate!r})\n"
WAIT = "\nwhile not gate.exists():\n    time.sleep(0.01)\nprint('end')"

SOURCES = {
    "print": ("print('live')", "live"),
    "stderr": ("import sys\nprint('live', file=sys.stderr)", "live"),
    "no newline": ("print('live', end='')", "live"),
    "tqdm": ("from tqdm import tqdm\nbar = tqdm(total=3, desc='live')\nbar.update()", "live"),
    "logging": ("import logging\nlogging.warning('live')", "live"),
    "shell": ("!echo live", "live"),
    "c code": ("import ctypes\nctypes.CDLL(None).puts(b'live')\nctypes.CDLL(None).fflush(None)", "live"),
    "file descriptor 2": ("import os\nos.write(2, b'live\\n')", "live"),
    "thread": ("import threading\nthreading.Thread(target=print, args=('live',)).start()", "live"),
    "forked child": (
        "import os\nif not os.fork():\n    print('live', flush=True)\n    os._exit(0)\nos.wait()",
        "live",
    ),
    "display": ("from IPython.display import display\ndisplay('live')", "live"),
    "display update": (
        "from IPython.display import display\nd = display('a', display_id=True)\nd.update('live')",
        "live",
    ),
    "figure": ("%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()", "Figure"),
    "busy loop": ("print('live')\nt = time.time()\nwhile time.time() - t < 0.5:\n    pass", "live"),
    "await": ("print('live')\nimport asyncio\nawait asyncio.sleep(0.2)", "live"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "sign"), SOURCES.values(), ids=SOURCES.keys())
def test_output_comes_while_the_cell_runs(
    code: str, sign: str, live: Notebook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The cell ends only after its output has been seen here."""
    gate = tmp_path_factory.mktemp("gate") / "open"

    def open_gate(_: str, content: JSON) -> None:
        if sign in str(content):
            gate.touch()

    result = live.run(GATE.format(gate=str(gate)) + code + WAIT, on_message=open_gate)
    assert result.reply["status"] == "ok", result
    assert result.text.endswith("end\n")


def test_a_script_prints_line_by_line(
    live: Notebook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A line of ``%%bash`` comes before the script goes on."""
    gate = tmp_path_factory.mktemp("gate") / "open"

    def open_gate(_: str, content: JSON) -> None:
        if "live" in str(content):
            gate.touch()

    code = f"%%bash\necho live\nuntil [ -e {gate} ]; do sleep 0.05; done\necho end"
    assert live.run(code, on_message=open_gate).text == "live\nend\n"


def test_clear_output_keeps_its_place(live: Notebook) -> None:
    """An animation's frames replace each other in order."""
    code = (
        "import time\nfrom IPython.display import clear_output\n"
        "for i in range(3):\n    clear_output(wait=True)\n    print(i)\n    time.sleep(0.05)"
    )
    result = live.run(code)
    assert result.kinds == ["clear_output", "stream"] * 3
    assert [c["wait"] for kind, c in result.messages if kind == "clear_output"] == [True] * 3


def test_a_thread_outlives_its_cell(
    live: Notebook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What it prints later comes without a cell running, under a cell of the notebook."""
    gate = tmp_path_factory.mktemp("gate") / "open"
    code = (
        "import pathlib, threading, time\n"
        f"gate = pathlib.Path({str(gate)!r})\n"
        "def work():\n    while not gate.exists():\n        time.sleep(0.01)\n    print('later')\n"
        "threading.Thread(target=work).start()"
    )
    msg_id = live.send(code)
    assert live.collect(msg_id).reply["status"] == "ok"
    gate.touch()
    found = live.later(lambda messages: [m for m in messages if m["msg_type"] == "stream"])
    assert found[-1]["content"]["text"] == "later\n"
    assert found[-1]["parent_header"]["msg_id"] == msg_id


def test_a_task_outlives_its_cell(live: Notebook) -> None:
    """What a task prints after its cell has ended is shown."""
    code = (
        "import asyncio\nasync def work():\n    await asyncio.sleep(0.3)\n    print('from task')\n"
        "task = asyncio.create_task(work())"
    )
    live.run(code)
    found = live.later(lambda messages: [m for m in messages if m["msg_type"] == "stream"])
    assert found[-1]["content"]["text"] == "from task\n"


def test_many_lines_arrive_in_order(live: Notebook) -> None:
    """Twenty thousand lines, none lost, none twice."""
    text = live.run("for i in range(20_000):\n    print(i)").text
    assert text == "".join(f"{i}\n" for i in range(20_000))


def test_many_flushed_lines_arrive_in_order(live: Notebook) -> None:
    """Lines that are flushed one by one, too."""
    text = live.run("for i in range(2_000):\n    print(i, flush=True)").text
    assert text == "".join(f"{i}\n" for i in range(2_000))


def test_a_large_display_arrives_whole(live: Notebook) -> None:
    """Eight megabytes in one display."""
    code = "from IPython.display import HTML\nHTML('x' * (8 << 20))"
    shown = live.run(code).messages[-1][1]
    assert len(shown["data"]["text/html"]) == 8 << 20


def test_a_data_frame_of_deepnotes_gets_a_table(live: Notebook) -> None:
    """A bundle that only Deepnote's own page can show is shown here as well."""
    mime = "application/vnd.deepnote.dataframe.v3+json"
    frame = {"column_count": 1, "row_count": 1, "columns": [{"name": "a"}], "rows": [{"a": "<1>"}]}
    code = f"from IPython.display import display\ndisplay({{{mime!r}: {frame!r}}}, raw=True)"
    data = live.run(code).messages[0][1]["data"]
    assert data[mime] == frame
    assert "&lt;1&gt;" in data["text/html"]


def test_what_a_short_cell_writes_below_python_belongs_to_it(live: Notebook) -> None:
    """Text that a child process writes at the very end comes with the cell, not with the next."""
    for _ in range(10):
        assert live.run("import os\nos.system('printf out');").text == "out"

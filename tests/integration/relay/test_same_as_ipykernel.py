"""A live cell shows what the same cell shows in a plain ipykernel: one harness, a table of cells."""

# ruff: noqa: E501 - a cell is one line of its table

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.notebook import Notebook

CELLS: dict[str, str] = {
    "value": "6 * 7",
    "several values": "1\n2;\n3",
    "print": "print('a')\nprint('b')",
    "stderr": "import sys\nprint('e', file=sys.stderr)\nprint('o')",
    "underscores": "5\n",
    "underscore": "(_, __, _i)",
    "in and out": "(len(In), Out[max(Out)], In[-1])",
    "dir": "sorted(n for n in dir() if not n.startswith('_i') and not n.startswith('__vsc'))",
    "whos": "x_whos = 1\n%whos int",
    "history": "%history -l 3",
    "syntax error": "def f(:\n  pass",
    "error": "def inner(x):\n    return 1 / x\n\ninner(0)",
    "chained error": "try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('v') from e",
    "error group": "raise RuntimeError('a\\nb')",
    "unicode": "print('žluťoučký 🐎')",
    "display": "from IPython.display import display, HTML\ndisplay(HTML('<b>x</b>'), 3)",
    "display id": "h = display('a', display_id='one')\nh.update('b')",
    "clear output": "from IPython.display import clear_output\nprint(1)\nclear_output(wait=True)\nprint(2)",
    "dataframe": "import pandas as pd\npd.DataFrame({'a': [1, 2]})",
    "figure": "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
    "figure and print": "plt.plot([3, 1])\nplt.show()\nprint('after')",
    "figure in a cell that fails": "plt.plot([1])\n1/0",
    "shell": "!echo one; echo two >&2",
    "shell value": "out = !echo captured\nout",
    "bash": "%%bash\necho from bash\necho err >&2",
    "bash that fails": "%%bash\nexit 3",
    "capture": "%%capture cap\nprint('hidden')",
    "captured": "cap.stdout",
    "timeit": "%timeit -n 2 -r 2 pass",
    "time": "%%time\nx = sum(range(10))\nx",
    "page": "len?",
    "source": "inner??",
    "load": "import json\n%load -s dumps $json.__file__",
    "next input": "get_ipython().set_next_input('next')",
    "exit": "import sys\nsys.exit(3)",
    "unknown magic": "%no_such_magic",
    "unknown cell magic": "%%no_such_magic\nx",
    "await": "import asyncio\nawait asyncio.sleep(0.05)\n'awaited'",
    "gather": "await asyncio.gather(*(asyncio.sleep(0.01 * i, i) for i in range(3)))",
    "task made": "task = asyncio.create_task(asyncio.sleep(0.05, 'result'))",
    "task awaited": "await task",
    "async generator": "async def agen():\n    for i in range(3):\n        yield i\n[i async for i in agen()]",
    "async comprehension": "async with asyncio.timeout(1) if hasattr(asyncio, 'timeout') else asyncio.Lock():\n    print('in')",
    "async error": "async def bad():\n    await asyncio.sleep(0)\n    raise KeyError('k')\nawait bad()",
    "asyncio.run": "async def f():\n    pass\nc = f()\ntry:\n    asyncio.run(c)\nfinally:\n    c.close()",
    "wait_for": "try:\n    await asyncio.wait_for(asyncio.sleep(10), 0.05)\nexcept asyncio.TimeoutError:\n    print('late')",
    "current task": "asyncio.current_task() is not None",
    "cancelled": "t = asyncio.create_task(asyncio.sleep(10))\nt.cancel()\nawait t",
    "thread": "import threading\nt = threading.Thread(target=print, args=('in thread',))\nt.start()\nt.join()",
    "request of a thread": "import threading, time\nip, seen = get_ipython(), set()\ndef look():\n    seen.add(ip.get_parent()['header']['msg_id'])\nlook()\nfor i in range(3):\n    print(i, flush=True)\n    time.sleep(0.2)\n    t = threading.Thread(target=look)\n    t.start()\n    t.join()\nlen(seen)",
    "fork": "import os, warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    pid = os.fork()\nif not pid:\n    print('child', flush=True)\n    os._exit(0)\nos.waitpid(pid, 0)\nimport time\ntime.sleep(0.5)\nprint('parent')" ,
    "pool": "import multiprocessing as mp\nwith mp.get_context('fork').Pool(2) as pool:\n    print(pool.map(abs, [-1, -2]))",
    "alarm": "import signal, time\ndef on_alarm(*a):\n    raise TimeoutError('alarm')\nold = signal.signal(signal.SIGALRM, on_alarm)\nsignal.setitimer(signal.ITIMER_REAL, 0.2)\ntime.sleep(5)",
    "alarm restored": "signal.signal(signal.SIGALRM, old) is on_alarm",
    "sqlite": "import sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('create table t (a)')\nlist(db.execute('select 1'))",
    "sqlite in the next cell": "list(db.execute('select 2'))",
    "contextvar set": "import contextvars\nvar = contextvars.ContextVar('var', default='none')\nvar.set('set')\nvar.get()",
    "contextvar read": "var.get()",
    "settrace": "import sys\nlines = []\ndef tracer(f, e, a):\n    if f.f_code.co_name == 'traced':\n        lines.append(e)\n    return tracer\ndef traced():\n    return 1\nsys.settrace(tracer)\ntraced()\nsys.settrace(None)\nlines",
    "recursion": "import sys\ndef deep(n):\n    return n and deep(n - 1)\ndeep(900)\ntry:\n    deep(10**6)\nexcept RecursionError:\n    print('limit')",
    "hook": "def hook(*a):\n    raise ValueError('in hook')\nget_ipython().events.register('post_run_cell', hook)",
    "hook runs": "'x'",
    "hook goes": "get_ipython().events.unregister('post_run_cell', hook)",
    "display hook error": "class Bad:\n    def __repr__(self):\n        raise ValueError('repr')\nBad()",
    "widget": "import ipywidgets as w\nw.__name__",
    "warning": "import warnings\nwarnings.warn('careful')",
    "logging": "import logging\nlogging.getLogger('t').warning('logged')",
    "last line": "try:\n    raise KeyboardInterrupt\nexcept KeyboardInterrupt:\n    print('caught')",
    "keyboard interrupt": "raise KeyboardInterrupt",
    "who started it": "__name__",
    "cwd changes nothing": "import os\nos.environ.get('DEEPNOTE_TOKEN')",
    "empty": "",
    "comment": "# nothing",
    "generator exit": "def g():\n    try:\n        yield 1\n    finally:\n        print('closed')\nx = g()\nnext(x)\ndel x",
    "tqdm": "from tqdm import tqdm\nfor i in tqdm(range(3), file=sys.stdout, bar_format='{n}'):\n    pass",
    "decorated": "@staticmethod\ndef s(): pass\nprint(type(s).__name__)",
    "xmode": "%xmode Minimal\n1/0",
    "xmode back": "%xmode Context",
    "long output": "print('x' * 100_000)",
    "invalid utf-8": "!printf '\\377\\376'",
}  # fmt: skip


@pytest.mark.parametrize("code", CELLS.values(), ids=CELLS.keys())
def test_a_cell_shows_the_same(code: str, live: Notebook, plain: Notebook) -> None:
    """Outputs, their order and the reply are those of ipykernel."""
    assert live.run(code).normal() == plain.run(code).normal()


@pytest.mark.parametrize(
    "options",
    [
        {"silent": True},
        {"store_history": False},
        {"user_expressions": {"a": "1 + 1", "bad": "no_such_name"}},
        {"user_expressions": {"a": "1 + 1"}, "silent": True},
    ],
    ids=str,
)
def test_a_request_is_carried_out_the_same(
    options: dict[str, Any], live: Notebook, plain: Notebook
) -> None:
    """``silent``, ``store_history`` and ``user_expressions`` mean what they mean to ipykernel."""
    code = "y = 3\nprint('p')\ny"
    assert live.run(code, **options).normal() == plain.run(code, **options).normal()
    after = "(y, _, len(In))"
    assert live.run(after).normal() == plain.run(after).normal()


QUESTIONS = {
    "input": ("input('name? ')", ["you"]),
    "input in a loop": ("[input(str(i)) for i in range(3)]", ["a", "b", "c"]),
    "getpass": ("import getpass\ngetpass.getpass('secret ')", ["s3cret"]),
    "end of file": ("try:\n    input()\nexcept EOFError:\n    print('end')", ["\x04"]),
    "empty line": ("input()", [""]),
    "input in async code": ("import asyncio\nawait asyncio.sleep(0)\ninput('?')", ["yes"]),
    "breakpoint": ("def look():\n    v = 42\n    breakpoint()\n    return v\nlook()", ["p v", "c"]),
    "debug": ("%debug", ["p x_debug", "q"]),
}


@pytest.mark.parametrize(("code", "answers"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_question_is_asked_the_same(
    code: str, answers: list[str], live: Notebook, plain: Notebook
) -> None:
    """``input()`` and all that is built on it take the person's answers."""
    for notebook in (live, plain):
        notebook.run("def fail():\n    x_debug = 7\n    raise ValueError\nfail()")
    shown = live.run(code, answers=answers).normal()
    assert shown == plain.run(code, answers=answers).normal()


def test_no_stdin_is_an_error(live: Notebook, plain: Notebook) -> None:
    """Where the front end takes no input, ``input()`` says so."""
    ours, theirs = (n.run("input()", allow_stdin=False).reply for n in (live, plain))
    assert (ours["ename"], ours["evalue"]) == (theirs["ename"], theirs["evalue"])

"""What a cell becomes before Strata runs it."""

from __future__ import annotations

from typing import Any

import pytest

from deepnote_kernel.errors import UnsupportedError
from deepnote_kernel.strata.source import Prepared, ends_in_value, prepare


@pytest.mark.parametrize(
    "code", ["1 + 1\n", "x = 1\n\nprint(x)\n", "def f():\n    return 'a %b'\n", "# @name one\n1\n"]
)
def test_python_stays_as_it_is(code: str) -> None:
    """Plain Python is passed on, comments that Strata reads included."""
    assert prepare(code) == Prepared(code=code)


def test_what_is_no_python_is_left_to_strata() -> None:
    """Strata says where a syntax error is."""
    assert prepare("def f(:\n  pass").code == "def f(:\n  pass"


@pytest.mark.parametrize("magic", ["%matplotlib inline", "%load_ext autoreload", "%autoreload 2"])
def test_magics_that_set_ipython_up_are_dropped(magic: str) -> None:
    """They have nothing to do there, and the lines below keep their numbers."""
    assert prepare(f"{magic}\n1 / 0").code == "None\n1 / 0\n"


def test_a_cell_of_dropped_magics_is_empty() -> None:
    """Nothing is left to run."""
    assert prepare("%matplotlib inline\n%load_ext autoreload").code == ""


@pytest.mark.parametrize(
    ("code", "wish"),
    [
        ("%pip install pandas 'numpy>2'", {"install": ["pandas", "numpy>2"]}),
        ("!pip install -q six", {"install": ["six"]}),
        ("%pip uninstall -y six", {"uninstall": ["six"]}),
        ("%env TOKEN=abc", {"env": {"TOKEN": "abc"}}),
        ("%set_env A b c", {"env": {"A": "b c"}}),
        ("len?", {"question": "len"}),
        ("len??", {"question": "len?"}),
        ("%reset -f", {"resets": True}),
        ("%%html\n<b>x</b>", {"shown": {"text/html": "<b>x</b>\n", "text/plain": "<b>x</b>\n"}}),
        ("%%strata sql\nselect 1", {"code": "select 1\n", "language": "sql"}),
    ],
)
def test_a_cell_wishes(code: str, wish: dict[str, Any]) -> None:
    """What is no Python is noted for the session to do."""
    assert prepare(code) == Prepared(**{"code": "", **wish})


def test_the_rest_of_a_cell_runs_after_its_wishes() -> None:
    """Packages are installed first."""
    prepared = prepare("%pip install six\nimport six")
    assert (prepared.install, prepared.code) == (["six"], "None\nimport six\n")


@pytest.mark.parametrize(
    "code",
    [
        "!ls -l",
        "files = !ls",
        "def f():\n    !ls\nf()",
        "if True:\n    %time sum([1])",
        "%time x = 1",
        "%timeit 1 + 1",
        "%%time\nx = (1 +\n  2)\nx",
        "%%time\nx = 1",
        "%%bash\necho 'a'",
        "%%writefile a.txt\n'''\"",
        "%pwd",
        "%env HOME",
        "ž = 1\nout = !echo {ž}",
    ],
)
def test_magics_become_python(code: str) -> None:
    """What has a counterpart in plain Python compiles without IPython."""
    prepared = prepare(code, known={"ž"}).code
    assert "get_ipython" not in prepared
    compile(prepared, "cell", "exec")


def test_a_timed_cell_keeps_its_lines_and_its_value() -> None:
    """The magic's own line starts the clock, and the last expression is still the value."""
    code = prepare("%%time\nx = 2\nx * 21").code
    assert code.splitlines()[1] == "x = 2"
    assert ends_in_value(code)


def test_a_timed_cell_prints_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    """It runs where there is no IPython."""
    exec(prepare("%%time\nx = 2\nx * 21").code, namespace := {})  # type: ignore[var-annotated]
    assert namespace["_value"] == 42
    assert capsys.readouterr().out.startswith("Wall time: ")


@pytest.mark.parametrize(
    ("command", "expression"),
    [
        ("echo $HOME", "'echo $HOME'"),
        ("echo {n}", "'echo ' + format(n, '')"),
        ("echo $n", "'echo ' + format(n, '')"),
        ("echo {n:>3}", "'echo ' + format(n, '>3')"),
        ("echo {n!r}", "'echo ' + format(repr(n), '')"),
        ("echo {n} $HOME", "'echo {n} $HOME'"),
        ("awk '{print $1}'", "\"awk '{print $1}'\""),
        ("echo {", "'echo {'"),
    ],
)
def test_variables_are_put_into_commands(command: str, expression: str) -> None:
    """As in IPython: a command in which anything is no variable is left to the shell."""
    assert f"run({expression}," in prepare(f"!{command}", known={"n"}).code


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("%no_such_magic", "%no_such_magic cannot be had on Strata, where cells are plain Python."),
        ("%%capture\n1", "%%capture cannot be had on Strata, where cells are plain Python."),
        ("await f()", "Strata has no top-level await."),
        ("[x async for x in f()]", "Strata has no top-level await."),
        ("name = input('name? ')", "A cell on Strata takes no input."),
        ("import getpass\ngetpass.getpass()", "A cell on Strata takes no input."),
        ("%timeit -n 5 f()", "%timeit times one expression on Strata, without options."),
        ("%pip list", "On Strata, %pip installs and uninstalls packages by name."),
        ("!pip list", "On Strata, %pip installs and uninstalls packages by name."),
        ("%pip install -r a.txt", "On Strata, %pip installs and uninstalls packages by name."),
        ("%%strata fortran\n1", "Strata has no cells in 'fortran'."),
    ],
)
def test_what_cannot_be_had_is_said(code: str, message: str) -> None:
    """Before anything runs, in one line that says what to do."""
    with pytest.raises(UnsupportedError) as refused:
        prepare(code)
    assert refused.value.message == message
    assert refused.value.remedy


@pytest.mark.parametrize(
    "code",
    ["async def f():\n    await g()\n", "def f():\n    return input()\n", "lambda: input()\n"],
)
def test_functions_may_hold_what_a_cell_may_not(code: str) -> None:
    """A function is not run yet."""
    assert prepare(code).code == code


@pytest.mark.parametrize(
    ("code", "is_value"),
    [
        ("x", True),
        ("x;", False),
        ("x = 1", False),
        ("f(x)", True),
        ("print(x)", False),
        ("plt.show()", False),
        ("x  # comment;", True),
        ("(1 +\n 2)", True),
        ("(1 +\n 2);", False),
        ("", False),
        ("def f(:", False),
    ],
)
def test_a_cell_ends_in_a_value(code: str, *, is_value: bool) -> None:
    """The last expression is the cell's result, unless a semicolon or ``print`` hides it."""
    assert ends_in_value(code) is is_value

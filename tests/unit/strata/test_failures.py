"""How a cell failed, in Jupyter's words."""

from __future__ import annotations

import re

import pytest

from deepnote_kernel.strata.failures import (
    error_content,
    is_lost_in_pool,
    is_unstored,
    job_failure,
    unstored_names,
)
from deepnote_kernel.strata.models import EnvironmentJob, Result

HARNESS = """\
Traceback (most recent call last):
  File "/venv/lib/python3.12/site-packages/strata/notebook/harness.py", line 860, in main
    ) = execute_cell(
        ^^^^^^^^^^^^^
"""
FRAMES = """\
  File "<cell>", line 3, in <module>
  File "<cell>", line 2, in f
ZeroDivisionError: division by zero
"""
CODE = "def f(x):\n    return 1 / x\nf(0)"


def failed(error: str, traceback: str = "", **more: str) -> Result:
    """Return the result of a cell that failed."""
    return Result(cell_id="c", status="error", error=error, traceback=traceback, **more)  # type: ignore[arg-type]


def lines(result: Result, code: str = CODE) -> list[str]:
    """Return the traceback shown for a result, without its colours."""
    shown = error_content(result, code)["traceback"]
    return [re.sub(r"\x1b\[\d+m", "", line) for line in shown]


@pytest.mark.parametrize(
    "result",
    [
        failed("division by zero", HARNESS + FRAMES),
        failed(f"ZeroDivisionError: division by zero\n{HARNESS}{FRAMES}"),
    ],
    ids=["cold", "warm"],
)
def test_the_persons_frames_are_shown(result: Result) -> None:
    """With their lines, and without Strata's own frames, whichever way they came."""
    content = error_content(result, CODE)
    assert (content["ename"], content["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert lines(result) == [
        "Traceback (most recent call last):",
        "  Cell, line 3, in <module>",
        "    f(0)",
        "  Cell, line 2, in f",
        "    return 1 / x",
        "ZeroDivisionError: division by zero",
    ]


def test_frames_of_libraries_stay() -> None:
    """They are where the error comes from."""
    frame = '  File "/usr/lib/python3.12/json/decoder.py", line 353, in raw_decode\n    code\n'
    text = f"{HARNESS}{frame}json.decoder.JSONDecodeError: Expecting value\n"
    assert lines(failed("", text))[1:] == [*frame.splitlines(), "JSONDecodeError: Expecting value"]


def test_functions_of_other_cells_are_named() -> None:
    """Strata's name of their module tells a person nothing."""
    frame = '  File "nb_aaeabb10-8ce4_ed99ed4c_ff_59bc6b40c887", line 2, in ff\n'
    assert lines(failed("", f"{HARNESS}{frame}ValueError\n"))[1:] == [
        "  Another cell, in ff",
        "ValueError",
    ]


def test_chains_are_kept() -> None:
    """Every exception of a chain is shown."""
    first = (
        'Traceback (most recent call last):\n  File "<string>", line 2, in <module>\nKeyError: 1\n'
    )
    link = "\nThe above exception was the direct cause of the following exception:\n\n"
    shown = lines(failed("v", f"{first}{link}{HARNESS}{FRAMES}"))
    assert shown[3] == "KeyError: 1"
    assert shown[5] == link.strip()
    assert shown[-1] == "ZeroDivisionError: division by zero"


def test_a_syntax_error_is_shown_once() -> None:
    """Strata tries to compile a cell twice."""
    error = '  File "<string>", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
    link = "\nDuring handling of the above exception, another exception occurred:\n\n"
    shown = lines(failed("", f"{HARNESS}{error}{link}{HARNESS}{error}"), "def f(:")
    assert shown[1:] == [
        "  Cell, line 1",
        "    def f(:",
        "          ^",
        "SyntaxError: invalid syntax",
    ]


def test_a_message_of_several_lines_is_whole() -> None:
    """It is part of the error's value."""
    assert error_content(failed("", f"{HARNESS}RuntimeError: a\nb\n"), "")["evalue"] == "a\nb"


@pytest.mark.parametrize(
    ("result", "ename", "evalue"),
    [
        (failed("Cancelled", error_code="cancelled"), "KeyboardInterrupt", ""),
        (failed("ValueError: boom"), "ValueError", "boom"),
        (failed("Cell execution timed out"), "StrataError", "Cell execution timed out"),
        (
            failed("Execution failed: Expecting value: line 1 column 1 (char 0)"),
            "StrataError",
            (
                "The cell's process ended without a result: by sys.exit(), a crash, or a whole "
                "number wider than 64 bits as its value."
            ),
        ),
    ],
)
def test_errors_without_traceback(result: Result, ename: str, evalue: str) -> None:
    """Their words are sorted into a name and a value."""
    content = error_content(result, "")
    assert (content["ename"], content["evalue"]) == (ename, evalue)


@pytest.mark.parametrize(
    ("error", "outputs", "names"),
    [
        (
            "Cell executed successfully but failed to store output artifacts. Check server logs.",
            {"ok": {"content_type": "json/object"}},
            {"db"},
        ),
        (
            "Cell executed successfully but failed to store output artifacts. Check server logs.",
            {"ok": {}, "db": {"content_type": "error"}},
            {"db"},
        ),
        (("This cell defines reusable code used downstream (f, g), but it cannot be shared across "
         "cells yet: lambda"), {}, {"f", "g"}),
    ],
)  # fmt: skip
def test_variables_that_cannot_be_stored(
    error: str, outputs: dict[str, dict[str, str]], names: set[str]
) -> None:
    """The cell has run: only its variables are lost, and it is said which."""
    result = Result(cell_id="c", status="error", error=error, outputs=outputs)
    assert is_unstored(result)
    assert unstored_names(result, {"ok", "db"}) == names


def test_an_exception_is_no_trouble_with_storing() -> None:
    """A cell that raised has failed."""
    assert not is_unstored(failed("division by zero", HARNESS + FRAMES))


SHARED = """\
NameError: name 'x' is not defined
Traceback (most recent call last):
  File "<cell>", line 1, in <module>
  File "nb_93eaf3f0-3ead_c4b3e5bb_f", line 1, in f
NameError: name 'x' is not defined
"""


@pytest.mark.parametrize(
    ("error", "method", "is_lost"),
    [
        (SHARED, "warm", True),
        (SHARED, "cold", False),
        (SHARED.replace("NameError", "ValueError"), "warm", False),
        (f"NameError: name 'x' is not defined\n{HARNESS}{FRAMES}", "warm", False),
    ],
    ids=["lost", "cold", "another error", "in the cell itself"],
)
def test_what_a_warm_worker_loses_is_known(error: str, method: str, is_lost: bool) -> None:  # noqa: FBT001 - a case
    """A variable of another cell, in a function of another cell."""
    assert is_lost_in_pool(failed(error, execution_method=method)) is is_lost


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (
            "error: No.\n  cause: Because nosuch was\n    not found, nothing.\n\nhint: Try.\n",
            "Because nosuch was not found, nothing",
        ),
        ("× No.\n  ╰─▶ Because nosuch was\n      not found", "Because nosuch was not found"),
        ("Downloading\n  × Failed to build", "× Failed to build"),
        ("", "the server gives no reason"),
    ],
)
def test_a_job_fails_for_one_reason(stderr: str, words: str) -> None:
    """The last one that the package manager gives, without its advice about itself."""
    assert job_failure(EnvironmentJob(id="j", status="failed", stderr=stderr)) == words

"""The magics in an IPython shell of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def shell() -> Iterator[Any]:
    """A shell with the extension loaded."""
    InteractiveShell.clear_instance()
    shell: Any = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.run_line_magic("load_ext", "deepnote_magics")
    yield shell
    shell.run_line_magic("unload_ext", "deepnote_magics")
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_a_mistake_fails_the_cell_in_one_line(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cell has failed, and nobody has to read a traceback of ours."""
    result = shell.run_cell("%deepnote nonsense")
    assert type(result.error_in_exec).__name__ == "UsageError"
    shown = capsys.readouterr().out.strip()
    assert "There is no `%deepnote nonsense`." in shown
    assert "\n" not in shown


def test_open_quotation_marks(shell: Any) -> None:
    """A line that cannot be split into words is a mistake like any other."""
    result = shell.run_cell("%deepnote start 'abc")
    assert str(result.error_in_exec) == "No closing quotation. Close the quotation marks."


def test_help_does_not_leave_ipython(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Left alone, argparse would end the process."""
    assert shell.run_cell("%deepnote start --help").success
    assert "usage: %deepnote start" in capsys.readouterr().out


def test_the_docstring_is_help(shell: Any) -> None:
    """``%deepnote?`` explains the magic."""
    found = shell.object_inspect("%deepnote")
    assert "%deepnote start NOTEBOOK" in found["docstring"]


def test_status_before_a_session(shell: Any) -> None:
    """It starts nothing and says so."""
    status = shell.run_cell("%deepnote status").result
    assert status.state == "not started"


def test_use_changes_the_next_session(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Settings last from one magic to the next."""
    shell.run_cell("%deepnote use --scratch --mode direct --base-url http://127.0.0.1:9")
    assert capsys.readouterr().out == (
        "Next session: notebook scratch, direct, http://127.0.0.1:9.\n"
    )
    assert shell.run_cell("s = %deepnote status").success
    assert shell.user_ns["s"].mode == "direct"


def test_a_setting_that_cannot_work(shell: Any) -> None:
    """It is refused when it is made, not when it is used."""
    result = shell.run_cell("%deepnote use --base-url nonsense")
    assert "nonsense" in str(result.error_in_exec)


def test_values_are_put_into_the_line(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """As into that of any magic: ids come from what an earlier one gave."""
    shell.run_cell("where = ['http://127.0.0.1:9']")
    shell.run_cell("%deepnote use --scratch --base-url {where[0]}")
    assert "http://127.0.0.1:9" in capsys.readouterr().out


def test_a_cell_without_a_token(shell: Any) -> None:
    """``%%deepnote`` fails with the line that says what to set."""
    result = shell.run_cell("%%deepnote\n1")
    assert "DEEPNOTE_TOKEN" in str(result.error_in_exec)


def test_a_cell_with_options(shell: Any) -> None:
    """``%%deepnote`` has few, and says where its help is."""
    result = shell.run_cell("%%deepnote --mode live\n1")
    assert str(result.error_in_exec) == (
        "Unrecognized arguments: --mode live. See %%deepnote --help."
    )


@pytest.mark.parametrize("line", ["%deepnote interrupt", "%deepnote stop"])
def test_without_a_session_there_is_nothing_to_do(shell: Any, line: str) -> None:
    """Stopping what does not run is no mistake."""
    assert shell.run_cell(line).success


def test_restart_needs_a_session(shell: Any) -> None:
    """The line says what to do first."""
    assert "%deepnote start" in str(shell.run_cell("%deepnote restart").error_in_exec)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%deepnote st", ["start", "status", "stop"]),
        ("%deepnote start --sto", ["--storage-mode"]),
        ("%deepnote use --mode l", ["live"]),
        ("%%deepnote --in x --o", ["--out"]),
        ("%%strata ma", ["markdown"]),
    ],
)
def test_completion(shell: Any, text: str, expected: list[str]) -> None:
    """IPython's completer asks us."""
    with provisionalcompleter():
        offered = shell.Completer.completions(text, len(text))
        assert [completion.text for completion in offered] == expected


def test_local_is_for_deepnote_kernels_only(shell: Any) -> None:
    """In an ordinary IPython every cell is local."""
    assert shell.find_cell_magic("local") is None
    assert shell.find_cell_magic("deepnote") is not None


def test_unloading_takes_the_magics_away(shell: Any) -> None:
    """And loading brings them back."""
    shell.run_line_magic("unload_ext", "deepnote_magics")
    assert shell.find_line_magic("deepnote") is None
    shell.run_line_magic("load_ext", "deepnote_magics")
    assert shell.find_line_magic("deepnote") is not None

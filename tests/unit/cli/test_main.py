"""The command line: which command runs, and how a failure reads."""

from __future__ import annotations

from importlib import import_module

import pytest

from deepnote_kernel import __version__
from deepnote_kernel.cli import GRAMMAR, PROGRAMS, main


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """``--version`` prints the version and nothing else."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize("argv", [[], ["help"], ["--help"]])
def test_help_lists_every_command(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` names each noun and program with what it does."""
    assert main(argv) == 0
    shown = " ".join(capsys.readouterr().out.split())
    summaries = [entry.summary for entry in (*GRAMMAR.table.values(), *PROGRAMS.values())]
    assert [summary for summary in summaries if summary not in shown] == []


@pytest.mark.parametrize("name", GRAMMAR.table)
def test_each_noun_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``<noun> --help`` says how to call it."""
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: jupyter deepnote {name}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``<program> --help`` is the program's own and says how to call it."""
    try:
        status: object = main([name, "--help"])
    except SystemExit as stop:
        status = stop.code
    assert status == 0
    assert capsys.readouterr().out.startswith(f"usage: jupyter deepnote {name}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_has_a_main(name: str) -> None:
    """The table names modules that exist and can be called."""
    assert callable(import_module(PROGRAMS[name].module).main)


@pytest.mark.parametrize("argv", [["no-such-command"], ["projects", "no-such-verb"]])
def test_an_unreadable_command_line_is_status_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is one line on stderr that says where help is."""
    assert main(argv) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("jupyter deepnote")
    assert "--help" in shown.err
    assert shown.err.count("\n") == 1


def test_an_error_of_ours_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An expected error is one line that names the command, without a traceback."""
    assert main(["install", "--prefix", "/dev/null"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("jupyter deepnote install: The kernelspec ")

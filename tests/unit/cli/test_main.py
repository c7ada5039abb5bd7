"""The command line: which command runs, and how a failure reads."""

from __future__ import annotations

from importlib import import_module

import pytest

from deepnote_kernel import __version__
from deepnote_kernel.cli import COMMANDS, main


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """``--version`` prints the version and nothing else."""
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` names each command with what it does."""
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert [name for name, command in COMMANDS.items() if command.summary not in out] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``<command> --help`` is the command's own and says how to call it."""
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: jupyter deepnote {name}")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_main(name: str) -> None:
    """The table names modules that exist and can be called."""
    assert callable(import_module(COMMANDS[name].module).main)


@pytest.mark.parametrize("argv", [[], ["no-such-command"], ["install", "--no-such-option"]])
def test_an_unreadable_command_line_is_status_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A command line that cannot be read ends with usage on stderr and status 2."""
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("usage: jupyter deepnote")


def test_an_error_of_ours_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An expected error is one line that names the command, without a traceback."""
    assert main(["install", "--prefix", "/dev/null"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("jupyter deepnote install: The kernelspec ")

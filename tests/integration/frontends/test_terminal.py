"""``%%deepnote`` in IPython, at a real terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

if os.name == "nt":
    pytest.skip("Windows has no pseudo-terminals", allow_module_level=True)

import pexpect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Server

LIMIT_S = 30


class Terminal:
    """A person at IPython's prompt.

    What is typed is shown, too: what is waited for must be something that only running it can show.
    """

    def __init__(self, server: Server) -> None:
        options = ["--no-banner", "--no-confirm-exit", "--colors=NoColor"]
        self._process: pexpect.spawn[str] = pexpect.spawn(
            sys.executable,
            ["-m", "IPython", *options, "--TerminalInteractiveShell.autoindent=False"],
            env={
                **os.environ,
                "TERM": "xterm",
                "PROMPT_TOOLKIT_NO_CPR": "1",
                "DEEPNOTE_BASE_URL": server.url,
                "DEEPNOTE_TOKEN": server.token,
                "DEEPNOTE_NOTEBOOK_ID": server.new_notebook(),
            },
            encoding="utf-8",
            timeout=LIMIT_S,
            dimensions=(40, 200),
        )
        self._number = 0

    def run(self, *lines: str) -> None:
        """Type a cell at the next prompt, and Alt-Enter, which runs it."""
        self._number += 1
        self.see(rf"In \[.*{self._number}")
        self._process.send("\r".join(lines))
        self._process.send("\x1b\r")

    def type(self, line: str) -> None:
        """Type a line."""
        self._process.send(f"{line}\r")

    def see(self, pattern: str) -> None:
        """Wait until something is shown."""
        self._process.expect(pattern)

    def press_ctrl_c(self) -> None:
        """Interrupt what runs."""
        self._process.sendintr()

    def leave(self) -> None:
        """Leave IPython."""
        self.run("exit")
        self.see(pexpect.EOF)
        self._process.close()


@pytest.fixture(scope="module")
def terminal(server: Server) -> Iterator[Terminal]:
    """IPython with the extension loaded and a session started."""
    terminal = Terminal(server)
    terminal.run("%load_ext deepnote_magics")
    terminal.run("%deepnote start")
    terminal.see("Session .* is ready")
    yield terminal
    terminal.leave()


def test_output_streams(terminal: Terminal) -> None:
    """It is shown while the cell goes on: here, until it is interrupted."""
    terminal.run("%%deepnote", "print('first'.upper(), flush=True)", "while True: pass")
    terminal.see("FIRST")
    terminal.press_ctrl_c()
    terminal.see("KeyboardInterrupt")


@pytest.mark.parametrize(
    ("ask", "answer"), [("input", "apple"), ("__import__('getpass').getpass", "secret")]
)
def test_input(terminal: Terminal, ask: str, answer: str) -> None:
    """The cell asks at this terminal."""
    terminal.run("%%deepnote", f"print({ask}('which' + ' fruit? ').upper())")
    terminal.see(r"which fruit\? ")
    terminal.type(answer)
    terminal.see(answer.upper())


def test_a_question_is_interrupted(terminal: Terminal) -> None:
    """Ctrl-C at the question ends the cell."""
    terminal.run("%%deepnote", "input('which' + ' tree? ')")
    terminal.see(r"which tree\? ")
    terminal.press_ctrl_c()
    terminal.see("KeyboardInterrupt")
    terminal.run("%%deepnote", "print('still' + ' there')")
    terminal.see("still there")


def test_status_in_place(terminal: Terminal) -> None:
    """It is shown until Ctrl-C."""
    terminal.run("%deepnote status --watch --every 0.1")
    terminal.see("State +idle")
    terminal.see("State +idle")
    terminal.press_ctrl_c()
    terminal.run("print('and' + ' on')")
    terminal.see("and on")


def test_stop_says_what_it_did(terminal: Terminal) -> None:
    """The next cell would need another session."""
    terminal.run("%deepnote stop")
    terminal.see("has been stopped")
    terminal.run("%%deepnote", "1")
    terminal.see("SessionGoneError")

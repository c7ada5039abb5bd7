"""``%deepnote`` and ``%%deepnote``."""

from __future__ import annotations

import os
import re
import shlex
import uuid
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher
from IPython.core.magic import Magics, line_cell_magic, magics_class

from deepnote_kernel.commands.context import Context
from deepnote_kernel.commands.grammar import Grammar, HelpShown, UsageError, parse_options
from deepnote_kernel.commands.table import CELL_OPTIONS, SECTIONS, TABLE
from deepnote_magics._completion import Names, complete
from deepnote_magics._surface import IPythonSurface

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from deepnote_kernel.session.remote import Remote

__all__ = ["GRAMMAR", "DeepnoteMagics"]

GRAMMAR = Grammar(
    "%deepnote",
    TABLE,
    package="deepnote_kernel.commands",
    surface="notebook",
    description="Run cells on Deepnote, and use the rest of its API.",
    epilog="%%deepnote at the top of a cell runs that cell remotely.",
    sections=SECTIONS,
)

_LINE = re.compile(r"\s*(?:[\w.]+\s*=\s*)?%deepnote\s(?P<rest>.*)")


@magics_class
class DeepnoteMagics(Magics):
    """The magics; in a Deepnote kernel they share its session, elsewhere they have their own."""

    shell: Any

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._own_remote: Remote | None = None
        self._names = Names(lambda: self.remote.settings)

    @property
    def is_in_deepnote_kernel(self) -> bool:
        """Whether cells run remotely without being asked to."""
        return getattr(getattr(self.shell, "kernel", None), "magic", "") == "deepnote"

    @property
    def remote(self) -> Remote:
        """The session's façade; made from the environment where no kernel of ours has one."""
        if self.is_in_deepnote_kernel:
            remote: Remote = self.shell.kernel.remote
            return remote
        if self._own_remote is None:
            from deepnote_kernel.config import Settings  # noqa: PLC0415 - heavy, and maybe unused
            from deepnote_kernel.session.remote import Remote  # noqa: PLC0415 - as above

            self._own_remote = Remote(Settings.from_env(os.environ))
        return self._own_remote

    def close(self) -> None:
        """Stop a session that was started here."""
        if self._own_remote is not None:
            self._own_remote.close()
            self._own_remote = None

    @line_cell_magic
    def deepnote(self, line: str, cell: str | None = None) -> object:
        """Run cells on Deepnote.

        ::

            %deepnote start NOTEBOOK   start a session; this runs the notebook
            %deepnote start --scratch  start one with an empty notebook
            %deepnote status           where cells run, and what that place is doing
            %deepnote stop             end the session and its machine
            %deepnote projects list    what there is; other nouns: notebooks, runs, files …
            %deepnote help [NOUN]      every noun, or the verbs of one

            %%deepnote                 run this cell remotely

        ``DEEPNOTE_TOKEN`` must hold an API key of your workspace.
        """
        try:
            if cell is not None:
                self._run_cell(line, cell)
                return None
            command = GRAMMAR.parse(_words(line))
        except HelpShown:
            return None
        context = self._context()
        try:
            return command.run(context)
        finally:
            context.close()

    def add_completer(self) -> None:
        """Let IPython's completer ask us about lines with ``%deepnote``."""

        def deepnote_matcher(context: CompletionContext) -> SimpleMatcherResult:
            return self.match(context)  # a method cannot be a matcher

        self._matcher: Any = context_matcher()(deepnote_matcher)
        self.shell.Completer.custom_matchers.append(self._matcher)

    def remove_completer(self) -> None:
        """Let it ask us no more."""
        self.shell.Completer.custom_matchers.remove(self._matcher)

    def match(self, context: CompletionContext) -> SimpleMatcherResult:
        """Complete what follows ``%deepnote``; called by IPython's completer."""
        line = _LINE.match(context.text_until_cursor)
        if line is None:
            return {"completions": []}
        typed, offered = complete(GRAMMAR, self._names, line["rest"])
        return {
            "completions": [SimpleCompletion(text, type="magic") for text in offered],
            "matched_fragment": typed,
            "suppress": True,  # keywords of Python, say
        }

    def _context(self) -> Context:
        surface = IPythonSurface(self.shell, self.remote)
        return Context(self.remote, surface, self.shell.user_ns, os.environ)

    def _run_cell(self, line: str, code: str) -> None:
        from deepnote_kernel.commands.transfer import pull, push  # noqa: PLC0415 - as below
        from deepnote_kernel.session.protocol import Cell  # noqa: PLC0415 - needs msgspec

        options = parse_options("%%deepnote", "run this cell remotely", CELL_OPTIONS, _words(line))
        context = self._context()
        cell = Cell(id=uuid.uuid4().hex, code=code, allow_stdin=True)
        if options["send"]:
            push(context, names=options["send"])
        with context.surface.task("session") as task:
            context.surface.play(self.remote.events(cell, task), task)
        if options["fetch"]:
            pull(context, names=options["fetch"])


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{error}.", "Close the quotation marks.") from None

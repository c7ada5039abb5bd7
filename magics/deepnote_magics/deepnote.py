"""``%deepnote`` and ``%%deepnote``."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

from IPython.core.magic import line_cell_magic, magics_class

from deepnote_kernel.commands.context import Context
from deepnote_kernel.commands.grammar import Grammar, HelpShown, parse_options
from deepnote_kernel.commands.table import CELL_OPTIONS, SECTIONS, TABLE
from deepnote_magics._base import RemoteMagics, words_of
from deepnote_magics._completion import workspace_names
from deepnote_magics._surface import IPythonSurface

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from deepnote_kernel.config import Settings
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


@magics_class
class DeepnoteMagics(RemoteMagics):
    """The magics; in a Deepnote kernel they share its session, elsewhere they have their own."""

    grammar = GRAMMAR
    name = "deepnote"
    cell_words = tuple(flag for known in CELL_OPTIONS for flag in known.flags)

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._surface: IPythonSurface | None = None

    def close(self) -> None:
        """Stop a session that was started here, and watch it no more."""
        if self._surface is not None:
            self._surface.close()
            self._surface = None
        super().close()

    def new_remote(self) -> Remote:
        """Return the façade of a session on Deepnote."""
        from deepnote_kernel.config import Settings  # noqa: PLC0415 - heavy, and maybe unused
        from deepnote_kernel.session.remote import Remote  # noqa: PLC0415 - as above

        return Remote(Settings.from_env(os.environ))

    @staticmethod
    def ask_names(settings: Settings, kind: str) -> list[str]:
        """Return the names and ids in the workspace; no server is started for them."""
        return workspace_names(settings, kind)

    @line_cell_magic
    def deepnote(self, line: str, cell: str | None = None) -> object:
        """Run cells on Deepnote.

        ::

            %deepnote start NOTEBOOK   start a session; this runs the notebook
            %deepnote start --scratch  start one with an empty notebook
            %deepnote status           where cells run, and what that place is doing
            %deepnote status --watch   the same, changing in place
            %deepnote stop             end the session and its machine
            %deepnote projects list    what there is; other nouns: notebooks, runs, files …
            %deepnote help [NOUN]      every noun, or the verbs of one

            %%deepnote                 run this cell remotely

        It needs an API key of your workspace: ``%deepnote login`` keeps one, or set
        ``DEEPNOTE_TOKEN``.
        """
        try:
            if cell is not None:
                self._run_cell(line, cell)
                return None
            command = GRAMMAR.parse(words_of(line))
        except HelpShown:
            return None
        context = self._context()
        try:
            return command.run(context)
        finally:
            context.close()

    def _context(self) -> Context:
        if self._surface is None:
            self._surface = IPythonSurface(self.shell, self.remote)
        return Context(self.remote, self._surface, self.shell.user_ns, os.environ)

    def _run_cell(self, line: str, code: str) -> None:
        from deepnote_kernel.commands.transfer import pull, push  # noqa: PLC0415 - as below
        from deepnote_kernel.session.protocol import Cell  # noqa: PLC0415 - needs msgspec

        options = parse_options(
            "%%deepnote", "run this cell remotely", CELL_OPTIONS, words_of(line)
        )
        context = self._context()
        cell = Cell(id=uuid.uuid4().hex, code=code, allow_stdin=True)
        if options["send"]:
            push(context, names=options["send"], pickle=options["pickle"])
        with context.surface.task("session") as task:
            context.surface.play(self.remote.events(cell, task), task)
        if options["fetch"]:
            pull(context, names=options["fetch"], pickle=options["pickle"])

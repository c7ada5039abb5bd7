"""``%strata`` and ``%%strata``."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, get_args

from IPython.core.magic import line_cell_magic, magics_class

from deepnote_kernel.commands.context import SESSION
from deepnote_kernel.commands.grammar import Grammar, HelpShown
from deepnote_kernel.strata.calls.cells import Language
from deepnote_kernel.strata.table import COMMON, SECTIONS, TABLE
from deepnote_magics._base import RemoteMagics, words_of
from deepnote_magics._surface import IPythonSurface

if TYPE_CHECKING:
    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.remote import Remote

__all__ = ["GRAMMAR", "StrataMagics"]

GRAMMAR = Grammar(
    "%strata",
    TABLE,
    package="deepnote_kernel.strata.commands",
    surface="notebook",
    description="Run cells on a Strata server, and use the rest of its API.",
    epilog="%%strata at the top of a cell runs that cell there.",
    common=COMMON,
    sections=SECTIONS,
)


@magics_class
class StrataMagics(RemoteMagics):
    """The magics; in a Strata kernel they share its notebook, elsewhere they have their own."""

    grammar = GRAMMAR
    name = "strata"
    cell_words = get_args(Language)

    def new_remote(self) -> Remote:
        """Return the façade of a session on Strata."""
        from deepnote_kernel.session.remote import Remote  # noqa: PLC0415 - heavy, and maybe unused
        from deepnote_kernel.strata.place import connect  # noqa: PLC0415 - as above
        from deepnote_kernel.strata.settings import StrataSettings  # noqa: PLC0415 - as above

        told = os.environ.get("JPY_SESSION_NAME") or self.shell.user_ns.get("__vsc_ipynb_file__")
        settings = StrataSettings.from_env(os.environ, document=str(told or ""))
        return Remote(settings, connect=connect)

    @staticmethod
    def ask_names(settings: Settings, kind: str) -> list[str]:
        """Return the names and ids on the Strata server."""
        from deepnote_kernel.strata.names import known_names  # noqa: PLC0415 - needs httpx

        return known_names(settings, kind)

    @line_cell_magic
    def strata(self, line: str, cell: str | None = None) -> object:
        """Run cells on a Strata server.

        ::

            %strata status             where cells run
            %strata cells list         the notebook's cells; other nouns: deps, env, mounts …
            %strata dag                which cell uses what of which
            %strata notebooks list     what is on the server
            %strata pull df            fetch a variable
            %strata materialize URI    read an Iceberg table as an Arrow table
            %strata help [NOUN]        every noun, or the verbs of one

            %%strata                   run this cell there
            %%strata sql               run it there as SQL; or markdown, prompt, r, widget

        ``STRATA_URL`` is the server's address, http://127.0.0.1:8765 unless set.
        """
        if cell is not None:
            self._run_cell(line, cell)
            return None
        from deepnote_kernel.strata.commands.context import StrataContext  # noqa: PLC0415 - httpx

        try:
            command = GRAMMAR.parse(words_of(line))
        except HelpShown:
            return None
        surface = IPythonSurface(self.shell, self.remote)
        context = StrataContext(
            self.remote,
            surface,
            self.shell.user_ns,
            os.environ,
            notebook=command.common.get("about", ""),
        )
        try:
            return command.run(context)
        finally:
            context.close()

    def _run_cell(self, line: str, code: str) -> None:
        from deepnote_kernel.session.protocol import Cell  # noqa: PLC0415 - needs msgspec

        surface = IPythonSurface(self.shell, self.remote)
        cell = Cell(
            id=uuid.uuid4().hex,
            code=f"%%strata {line}\n{code}",
            metadata={"cellId": self._cell_id()},
        )
        with surface.task(SESSION) as task:
            surface.play(self.remote.events(cell, task), task)

    def _cell_id(self) -> str:
        """Return the id of the cell in the notebook; empty in a terminal."""
        kernel = getattr(self.shell, "kernel", None)
        asked = kernel.get_parent("shell") if kernel is not None else {}
        return str(asked.get("metadata", {}).get("cellId") or "")

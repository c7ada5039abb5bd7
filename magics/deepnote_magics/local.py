"""``%%local``: run a cell of a Deepnote notebook on this computer."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, cell_magic, magics_class, no_var_expand

from deepnote_kernel.errors import ConfigError

__all__ = ["LocalMagics"]


@magics_class
class LocalMagics(Magics):
    """The magic for code that must run where the editor runs."""

    shell: Any

    @no_var_expand
    @cell_magic
    def local(self, line: str, cell: str) -> None:
        """Run this cell on this computer, not on Deepnote.

        ::

            %%local
            import socket
            socket.gethostname()

        The two sides share no variables.
        """
        if line.strip():
            raise ConfigError("%%local takes no options.", "Leave the rest of its line empty.")
        self.shell.run_cell(cell).raise_error()

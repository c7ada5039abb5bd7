"""``%deepnote`` and ``%%deepnote``: run cells on Deepnote from any IPython.

::

    %load_ext deepnote_magics
    %deepnote start NOTEBOOK_ID

The Deepnote kernels load this themselves, and add ``%%local``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepnote_magics.deepnote import DeepnoteMagics
from deepnote_magics.local import LocalMagics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics; called by ``%load_ext deepnote_magics``."""
    magics = DeepnoteMagics(shell)
    shell.register_magics(magics)
    magics.add_completer()
    if magics.is_in_deepnote_kernel:
        shell.register_magics(LocalMagics(shell))


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Stop a session the magics have started and take them away; called by ``%unload_ext``."""
    manager: Any = shell.magics_manager
    magics = manager.registry.pop("DeepnoteMagics", None)
    if magics is not None:
        magics.remove_completer()
        magics.close()
    manager.registry.pop("LocalMagics", None)
    for kind, name in (("line", "deepnote"), ("cell", "deepnote"), ("cell", "local")):
        manager.magics[kind].pop(name, None)

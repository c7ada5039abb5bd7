"""``%deepnote``, ``%%deepnote``, ``%strata``, ``%%strata``: run cells elsewhere from any IPython.

::

    %load_ext deepnote_magics
    %deepnote start NOTEBOOK_ID

The kernels load this themselves, and add ``%%local``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepnote_magics.deepnote import DeepnoteMagics
from deepnote_magics.local import LocalMagics
from deepnote_magics.strata import StrataMagics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics; called by ``%load_ext deepnote_magics``."""
    for kind in (DeepnoteMagics, StrataMagics):
        magics = kind(shell)
        shell.register_magics(magics)
        magics.add_completer()
        if magics.is_in_own_kernel:
            shell.register_magics(LocalMagics(shell))


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Stop the sessions the magics have started and take them away; called by ``%unload_ext``."""
    manager: Any = shell.magics_manager
    for name in ("DeepnoteMagics", "StrataMagics"):
        magics = manager.registry.pop(name, None)
        if magics is not None:
            magics.remove_completer()
            magics.close()
    manager.registry.pop("LocalMagics", None)
    for name in ("deepnote", "strata", "local"):
        manager.magics["line"].pop(name, None)
        manager.magics["cell"].pop(name, None)

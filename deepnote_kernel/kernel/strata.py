"""The kernel whose cells run on a Strata server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from traitlets import Dict, Enum, List, Unicode

from deepnote_kernel._version import __version__
from deepnote_kernel.kernel.kernel import DeepnoteKernel

if TYPE_CHECKING:
    from deepnote_kernel.session.remote import Remote

__all__ = ["StrataKernel"]


class StrataKernel(DeepnoteKernel):
    """Runs the person's cells in a Strata notebook; everything else is answered here.

    The notebook is opened with the first cell. ``%strata`` lines and ``%%local`` cells run in this
    process and start nothing.
    """

    system = "Strata"
    magic = "strata"
    warm_up = ("deepnote_kernel.session.keeper", "deepnote_kernel.strata.place")
    greeting = (
        f"Strata kernel {__version__}. Cells run on a Strata server; %strata help tells more."
    )
    help_links = List(
        [
            {"text": "Strata", "url": "https://strata-notebook.readthedocs.io"},
            {"text": "Python", "url": "https://docs.python.org/3"},
            {"text": "pandas", "url": "https://pandas.pydata.org/docs/"},
        ]
    ).tag(config=True)

    base_url = Unicode(None, allow_none=True, help="The server's address.").tag(config=True)
    notebook_id = Unicode(
        None, allow_none=True, help="Name or absolute path of the Strata notebook to use."
    ).tag(config=True)
    mode = Enum(
        ["jupyter", "reactive"],
        None,
        allow_none=True,
        help="What cells see: what ran last ('jupyter'), or what lies above them ('reactive').",
    ).tag(config=True)
    headers = Dict(
        None, allow_none=True, help="Headers to send along, by their names: a proxy's token, say."
    ).tag(config=True)

    def new_remote(self) -> Remote:
        """Return the façade of a session on Strata."""
        from deepnote_kernel.config import Secret  # noqa: PLC0415 - not needed to start
        from deepnote_kernel.session.remote import Remote  # noqa: PLC0415 - as above
        from deepnote_kernel.strata.place import connect  # noqa: PLC0415 - as above
        from deepnote_kernel.strata.settings import StrataSettings  # noqa: PLC0415 - as above

        options = self.options(StrataSettings.__struct_fields__)
        if self.headers:
            options["headers"] = {name: Secret(value) for name, value in self.headers.items()}
        options["document"] = self.document
        return Remote(StrataSettings.from_env(os.environ, **options), connect=connect)

"""What a Strata command has to work with: the server, and the notebook it is about."""

from __future__ import annotations

from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, cast

from deepnote_kernel.commands.context import Context
from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.errors import ConfigError, UnknownNameError
from deepnote_kernel.strata.calls import notebooks, sessions
from deepnote_kernel.strata.client import Client

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from deepnote_kernel.commands.context import Surface
    from deepnote_kernel.session.remote import Remote
    from deepnote_kernel.strata.models import Notebook
    from deepnote_kernel.strata.settings import StrataSettings

__all__ = ["StrataContext"]


class StrataContext(Context):
    """All a handler gets besides its options.

    Args:
        remote: The notebook that cells run in, and the settings of the next one.
        surface: Where the person sits.
        namespace: The variables of the person's own Python, where there is one.
        environ: The environment the settings were made from.
        notebook: The notebook the command is about: a name, a path or a session; empty for the one
            that cells run in.
    """

    def __init__(
        self,
        remote: Remote,
        surface: Surface,
        namespace: MutableMapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        notebook: str = "",
    ) -> None:
        super().__init__(remote, surface, namespace, environ)
        self._wanted = notebook
        self._server: Client | None = None

    @property
    def strata(self) -> StrataSettings:
        """The settings in force."""
        return cast("StrataSettings", self.settings)

    @property
    def server(self) -> Client:
        """A client for the server of the settings."""
        if self._server is None:
            self._server = Client(
                self.strata.base_url,
                headers=self.strata.revealed_headers(),
                allow_http=self.strata.allow_http,
            )
        return self._server

    @cached_property
    def session_id(self) -> str:
        """The session of the notebook that the command is about; it is opened if need be.

        Raises:
            UsageError: None is named, and no cell has run.
            UnknownNameError: There is no such notebook.
        """
        return self.notebook.session_id

    @cached_property
    def notebook(self) -> Notebook:
        """The notebook that the command is about, whole.

        Raises:
            UsageError: None is named, and no cell has run.
            UnknownNameError: There is no such notebook.
        """
        wanted = self._wanted
        if not wanted and self.remote.session is not None:
            wanted = self.remote.session.notebook_id
        wanted = wanted or self.strata.notebook_id
        if not wanted:
            advice = "Name one with --notebook."
            if not self.surface.is_shell:
                advice = "Run a cell first, or name one with --notebook."
            raise UsageError("No notebook is open.", advice)
        return self.open(wanted)

    def open(self, wanted: str) -> Notebook:
        """Return an open notebook.

        Args:
            wanted: Its name, its folder's name or path, or its session.

        Raises:
            UnknownNameError: There is no such notebook.
            ConfigError: Several have that name.
        """
        if wanted.startswith("/"):
            return self.server.send(notebooks.open_(wanted))
        if any(wanted == session.session_id for session in self.server.send(sessions.list_())):
            return self.server.send(sessions.get(wanted))
        found = {
            entry.path
            for entry in self.server.send(notebooks.discover())
            if wanted in {entry.name, PurePosixPath(entry.path).name}
        }
        if not found:
            raise UnknownNameError(
                f"There is no notebook {wanted!r}.", "`%strata notebooks list` shows them."
            )
        if len(found) > 1:
            raise ConfigError(f"{len(found)} notebooks are named {wanted!r}.", "Give the path.")
        return self.server.send(notebooks.open_(found.pop()))

    def close(self) -> None:
        """Close the connections; the session stays."""
        super().close()
        if self._server is not None:
            self._server.close()
            self._server = None

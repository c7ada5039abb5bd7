"""Where a notebook's cells run on Strata, and how."""

from __future__ import annotations

import hashlib
import re
import socket
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from deepnote_kernel.config import Secret, Settings
from deepnote_kernel.errors import ConfigError
from deepnote_kernel.strata.client import DEFAULT_URL, checked_headers, checked_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

__all__ = ["JUPYTER", "REACTIVE", "StrataSettings", "notebook_name"]

JUPYTER = "jupyter"
"""Mode in which cells mean what they mean in Jupyter: the one that ran last counts."""

REACTIVE = "reactive"
"""Mode in which Strata decides what has to run, and what its cache still knows."""

_NAME_CHARS = 60


class StrataSettings(Settings, frozen=True, kw_only=True):
    """Settings of a Strata server; those of Deepnote that it shares mean the same."""

    magic: ClassVar[str] = "%strata"
    system: ClassVar[str] = "Strata"

    base_url: str = DEFAULT_URL
    """The server's address. ``STRATA_URL``."""

    notebook_id: str = ""
    """The Strata notebook cells go to: a name, which is created if need be, or an absolute path.

    Empty for the one that belongs to the Jupyter notebook. ``STRATA_NOTEBOOK``.
    """

    mode: str = JUPYTER
    """:data:`JUPYTER` or :data:`REACTIVE`. ``STRATA_MODE``."""

    headers: dict[str, Secret] = msgspec.field(default_factory=dict)
    """What goes along with every request: ``Name: value``, one a line. ``STRATA_HEADERS``."""

    document: str = ""
    """Path of the Jupyter notebook; empty where the front end does not tell."""

    start_timeout_s: float = 300.0
    """Seconds the notebook's Python environment may take. ``STRATA_START_TIMEOUT``."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **overrides: Any) -> Self:
        """Build settings from a mapping such as ``os.environ``.

        Args:
            environ: Where ``STRATA_*`` variables are looked up. Empty values count as absent.
            **overrides: Fields by name that win over the environment; ``None`` counts as absent.

        Raises:
            ConfigError: A value cannot be read; the message names the variable and what it takes.
        """
        texts = {name: environ.get(variable, "").strip() for name, variable in _VARIABLES.items()}
        values: dict[str, Any] = {name: text for name, text in texts.items() if text}
        if "headers" in values:
            values["headers"] = _headers(values["headers"])
        if "start_timeout_s" in values:
            values["start_timeout_s"] = _seconds(values["start_timeout_s"])
        values.update({name: value for name, value in overrides.items() if value is not None})
        return cls(**values).checked()

    def checked(self) -> Self:
        """Return these settings, their address tidied, or raise.

        Raises:
            ConfigError: A field holds a value that cannot work.
        """
        if self.mode not in {JUPYTER, REACTIVE}:
            raise ConfigError(
                f"The Strata mode is {self.mode!r}.", f"It must be {JUPYTER} or {REACTIVE}."
            )
        checked_headers(self.revealed_headers())
        url = checked_url(self.base_url, allow_http=self.allow_http)
        return msgspec.structs.replace(self, base_url=url)

    def revealed_headers(self) -> dict[str, str]:
        """Return the headers as they go over the wire, and nowhere else."""
        return {name: value.reveal() for name, value in self.headers.items()}


_VARIABLES = {
    "base_url": "STRATA_URL",
    "notebook_id": "STRATA_NOTEBOOK",
    "mode": "STRATA_MODE",
    "headers": "STRATA_HEADERS",
    "start_timeout_s": "STRATA_START_TIMEOUT",
}


def notebook_name(document: str) -> str:
    """Return the name of the Strata notebook that belongs to a Jupyter notebook.

    It tells notebooks of the same name apart, and the same path on two computers.

    Args:
        document: The Jupyter notebook's path.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", PurePath(document).stem.lower()).strip("-")
    digest = hashlib.sha256(f"{socket.gethostname()}:{document}".encode()).hexdigest()[:8]
    return "-".join(filter(None, ["jupyter", slug[:_NAME_CHARS], digest]))


def _headers(text: str) -> dict[str, Secret]:
    headers = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = line.partition(":")
        if not colon:
            # The line may be a secret: it is not repeated.
            raise ConfigError("STRATA_HEADERS has a line without a colon.", "Write `Name: value`.")
        headers[name.strip()] = Secret(value.strip())
    return headers


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(
            f"STRATA_START_TIMEOUT is {text!r}.", "It must be a number of seconds."
        ) from None

"""Settings: one frozen object, built from arguments, an explicit mapping and defaults.

Nothing else in the package reads the environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args
from urllib.parse import urlsplit

import msgspec

from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DEFAULT_BASE_URL",
    "LOCAL",
    "SCRATCH",
    "VARIABLES",
    "Mode",
    "Secret",
    "Settings",
    "StorageMode",
    "normalized_base_url",
]

DEFAULT_BASE_URL = "https://api.deepnote.com"

LOCAL = "local"
"""A base URL that stands for the embedded server on this computer, started when first needed."""

SCRATCH = "scratch"
"""A notebook id that stands for an empty notebook, found or made when a session starts."""

_LOCAL_CALLS_PER_MINUTE = 1200

_IDS = ("notebook_id", "project_id")
"""What names something of one server."""

StorageMode = Literal["read_write", "readonly"]
Mode = Literal["live", "direct"]


class Secret:
    """A string that never shows itself: its ``repr`` and ``str`` are stars."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself, to be put on the wire and nowhere else."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a Secret is not pickled")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where cells run, and how.

    Precedence of each value: argument or magic option, then traitlets, then environment, then the
    default written here.
    """

    magic: ClassVar[str] = "%deepnote"
    """What a person types to change them."""

    system: ClassVar[str] = "Deepnote"
    """What they are the settings of."""

    token: Secret = Secret("")
    """API key of a Deepnote workspace. ``DEEPNOTE_TOKEN``."""

    base_url: str = DEFAULT_BASE_URL
    """The API's address without a version suffix, or ``local``. ``DEEPNOTE_BASE_URL``."""

    allow_http: bool = False
    """Whether an address on another computer may be without encryption. ``DEEPNOTE_ALLOW_HTTP``."""

    notebook_id: str = ""
    """The notebook a new session is anchored to, or ``scratch``; starting a session runs it.

    ``DEEPNOTE_NOTEBOOK_ID``.
    """

    project_id: str = ""
    """The project a scratch notebook is made in. ``DEEPNOTE_PROJECT_ID``."""

    mode: str = "live"
    """``live``: cells stream, take input and have no time limit. ``direct``: one call a cell.

    ``DEEPNOTE_MODE``.
    """

    storage_mode: StorageMode = "read_write"
    """Whether the session may write to project storage. ``DEEPNOTE_STORAGE_MODE``."""

    idle_shutdown_s: int = 0
    """Seconds of idleness after which Deepnote ends the session; 0 leaves its default.

    ``DEEPNOTE_IDLE_SHUTDOWN``.
    """

    share_session: bool = False
    """Whether a start joins the session of another notebook of the same project, if one runs.

    ``DEEPNOTE_SHARE_SESSION``.
    """

    document: str = ""
    """The notebook on this computer whose cells run, for people to read. ``JPY_SESSION_NAME``,
    which Jupyter's server sets."""

    calls_per_minute: int = 60
    """How many calls a minute a running cell may use over a minute's average.

    ``DEEPNOTE_CALLS_PER_MINUTE``. From the environment, 1200 where cells run on this computer.
    """

    start_timeout_s: float = 900.0
    """Seconds a session may take to become ready, its first run included.

    ``DEEPNOTE_START_TIMEOUT``.
    """

    @property
    def is_local(self) -> bool:
        """Whether cells run on the embedded server of this computer."""
        return self.base_url == LOCAL

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **overrides: Any) -> Settings:
        """Build settings from a mapping such as ``os.environ``.

        Args:
            environ: Where ``DEEPNOTE_*`` variables are looked up. Empty values count as absent.
            **overrides: Fields by name that win over the environment; ``None`` counts as absent.
                With another address, the environment's notebook and project are not taken: they
                are those of its own.

        Raises:
            ConfigError: A value cannot be read; the message names the variable and what it takes.
        """
        values: dict[str, Any] = {}
        for name, variable in VARIABLES.items():
            text = environ.get(variable, "").strip()
            if text:
                values[name] = _parse(name, variable, text)
        values = _changed(values, overrides)
        if values.get("base_url") == LOCAL:
            values.setdefault("calls_per_minute", _LOCAL_CALLS_PER_MINUTE)
        return cls(**values).checked()

    def replace(self, **changes: Any) -> Settings:
        """Return these settings with some fields changed; ``None`` leaves a field as it is.

        A notebook and a project are those of one server: another address starts without them.
        """
        return type(self)(**_changed(msgspec.structs.asdict(self), changes)).checked()

    def checked(self) -> Settings:
        """Return these settings, their address tidied, or raise.

        Raises:
            ConfigError: A field holds a value that cannot work.
        """
        for name, kind in (("mode", Mode), ("storage_mode", StorageMode)):
            if getattr(self, name) not in get_args(kind):
                choices = " or ".join(get_args(kind))
                raise ConfigError(f"{name} is {getattr(self, name)!r}.", f"It must be {choices}.")
        for name in ("calls_per_minute", "start_timeout_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} is {getattr(self, name)}.", "It must be positive.")
        if self.idle_shutdown_s < 0:
            raise ConfigError(
                f"idle_shutdown_s is {self.idle_shutdown_s}.",
                "It must be positive, or 0 for Deepnote's own.",
            )
        return msgspec.structs.replace(self, base_url=normalized_base_url(self.base_url))


VARIABLES = {
    "token": "DEEPNOTE_TOKEN",
    "base_url": "DEEPNOTE_BASE_URL",
    "allow_http": "DEEPNOTE_ALLOW_HTTP",
    "notebook_id": "DEEPNOTE_NOTEBOOK_ID",
    "project_id": "DEEPNOTE_PROJECT_ID",
    "mode": "DEEPNOTE_MODE",
    "storage_mode": "DEEPNOTE_STORAGE_MODE",
    "idle_shutdown_s": "DEEPNOTE_IDLE_SHUTDOWN",
    "share_session": "DEEPNOTE_SHARE_SESSION",
    "document": "JPY_SESSION_NAME",
    "calls_per_minute": "DEEPNOTE_CALLS_PER_MINUTE",
    "start_timeout_s": "DEEPNOTE_START_TIMEOUT",
}
"""The environment variable of each setting."""


def _changed(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with changes that are not ``None``; no id goes along to another address."""
    given = {name: value for name, value in changes.items() if value is not None}
    here = _bare(values.get("base_url", DEFAULT_BASE_URL))
    if _bare(given.get("base_url", here)) == here:
        return {**values, **given}
    ids = [name for name in _IDS if values.get(name) != SCRATCH]
    return {**{name: value for name, value in values.items() if name not in ids}, **given}


def _parse(name: str, variable: str, text: str) -> Any:
    if name == "token":
        return Secret(text)
    kind = type(getattr(Settings(), name))
    if kind is str:
        return text
    if kind is bool:
        return _switch(variable, text)
    try:
        return kind(text)
    except ValueError:
        raise ConfigError(f"{variable} is {text!r}.", "It must be a number.") from None


def _switch(variable: str, text: str) -> bool:
    try:
        return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
    except KeyError:
        raise ConfigError(f"{variable} is {text!r}.", "It must be 1 or 0.") from None


def normalized_base_url(url: str) -> str:
    """Return an API address without version suffix and closing slashes; :data:`LOCAL` as it is.

    Raises:
        ConfigError: It is not a web address, or holds credentials.
    """
    if url == LOCAL:
        return url
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(
            f"The Deepnote address {url!r} is not a web address.",
            f"Give one such as {DEFAULT_BASE_URL}, or the word {LOCAL}.",
        )
    if parts.username or parts.password:
        raise ConfigError(
            "The Deepnote address holds a user name or password.",
            "Leave them out; the token goes into DEEPNOTE_TOKEN.",
        )
    return _bare(url)


def _bare(url: str) -> str:
    return url.rstrip("/").removesuffix("/v2").rstrip("/")

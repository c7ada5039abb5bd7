"""What a command has to work with: the settings, the API, the session, and the person."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

from deepnote_kernel.commands.grammar import UsageError
from deepnote_kernel.errors import ConfigError, DeepnoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, MutableMapping
    from contextlib import AbstractContextManager

    from deepnote_kernel.api import Client
    from deepnote_kernel.config import Settings
    from deepnote_kernel.outputs import Message
    from deepnote_kernel.session.protocol import Event
    from deepnote_kernel.session.remote import Remote

__all__ = ["SESSION", "START", "Context", "DeclinedError", "Surface", "Task"]

SESSION = "session"
"""Title of the start of a session that a cell waits for; a notebook says itself how it ended."""

START = "start"
"""Title of the start of a session by a command, which says that it is ready."""


class DeclinedError(DeepnoteError):
    """The person was asked, and said no."""


class Task(Protocol):
    """Work that takes a while, as the person sees it."""

    def __call__(self, line: str) -> None:
        """Show the stage it is in; may be called from any thread."""

    def advance(self, done: int, total: int | None = None) -> None:
        """Show how far it is.

        Args:
            done: What is done, in bytes or pieces.
            total: What there is to do; ``None`` where that is not known.
        """

    def settle(self, *, is_ready: bool = True) -> None:
        """Show that it is over."""


class Surface(Protocol):
    """Where the person sits: a notebook or IPython, or a shell."""

    is_shell: bool

    def say(self, line: str) -> None:
        """Tell the person something, in one line."""

    def ask(self, prompt: str, *, secret: bool = False) -> str:
        """Ask for a line of text, hiding what is typed if it is secret.

        Raises:
            ConfigError: Nobody can be asked here.
        """
        ...

    def task(self, title: str) -> AbstractContextManager[Task]:
        """Show that something takes a while, for as long as the context lasts."""
        ...

    def play(self, events: Generator[Event, None, None], task: Task | None = None) -> None:
        """Show what a cell does until it ends, and raise what it raises.

        Args:
            events: As :meth:`~deepnote_kernel.session.remote.Remote.events` yields them.
            task: The start of the session; settled by the first event.
        """

    def show(self, message: Message) -> None:
        """Show one output."""

    def watch(self, look: Callable[[], object | None], *, every_s: float) -> None:
        """Show something that changes in place, for a while.

        Args:
            look: Returns what to show, or ``None`` for what is over; called in any thread.
            every_s: Seconds between two looks.
        """


class Context:
    """All a handler gets besides its options.

    Args:
        remote: The session, and the settings of the next one.
        surface: Where the person sits.
        namespace: The variables of the person's own Python, where there is one.
        environ: The environment the settings were made from.
    """

    def __init__(
        self,
        remote: Remote,
        surface: Surface,
        namespace: MutableMapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.remote = remote
        self.surface = surface
        self.namespace = namespace
        self.environ = environ or {}
        self._client: Client | None = None

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.remote.settings

    @property
    def magic(self) -> str:
        """What the person types before a command."""
        return "jupyter deepnote" if self.surface.is_shell else self.settings.magic

    @property
    def client(self) -> Client:
        """A client for the server of the settings; a local one is started.

        Raises:
            ConfigError: There is no token.
        """
        if self._client is None:
            from deepnote_kernel.session.clients import open_blocking_client  # noqa: PLC0415 - httpx

            self._client = open_blocking_client(self.settings)
        return self._client

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on only if the person agrees.

        Args:
            question: Ends with a question mark and names what would be lost.
            yes: Whether they have agreed already, by ``--yes``.

        Raises:
            DeclinedError: They said no.
            UsageError: They cannot be asked.
        """
        if yes:
            return
        try:
            answer = self.surface.ask(f"{question} [y/N] ")
        except ConfigError:
            raise UsageError(f"{question} Nobody can be asked here.", "Agree with --yes.") from None
        if answer.strip().lower() not in {"y", "yes"}:
            raise DeclinedError("Nothing was done.")

    def close(self) -> None:
        """Close the connections; the session stays."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @contextlib.contextmanager
    def starting(self, title: str = SESSION) -> Generator[Task, None, None]:
        """Show how far the start of a session is, and settle that when it is over.

        Args:
            title: ``START`` where the command itself says that the session is ready.
        """
        with self.surface.task(title) as task:
            try:
                yield task
            finally:
                task.settle(is_ready=self.remote.session is not None)

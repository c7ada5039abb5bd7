"""What a place where cells run looks like to the kernel and the magics.

A session runs one cell at a time and tells what happens to it as a stream of events. It knows no
ZMQ and, to its callers, no HTTP. Its implementations are :mod:`~deepnote_kernel.session.live` and
:mod:`~deepnote_kernel.session.direct`; another system behind the same kernel is one more class with
these methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import msgspec

from deepnote_kernel.outputs import JSON, Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.record import Records

__all__ = [
    "JSON",
    "Cell",
    "Connect",
    "Event",
    "InputRequest",
    "Message",
    "Place",
    "Progress",
    "Reply",
    "Session",
    "Status",
]

Progress: TypeAlias = "Callable[[str], None]"
"""Takes one short line for people, such as ``machine starting``; called from the session's loop."""


Connect: TypeAlias = "Callable[[Settings, Records, str, Progress], Awaitable[Place]]"
"""Connects to the server the settings name; takes where sessions are recorded, who they belong to,
and what to tell the stages of a start."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of code, as an ``execute_request`` asks for it."""

    id: str
    """Names this execution; the same id never runs twice. The ``msg_id`` of the request will do."""

    code: str
    silent: bool = False
    store_history: bool = True
    allow_stdin: bool = False
    user_expressions: dict[str, str] = {}
    metadata: JSON = {}
    """What the front end says of the cell: its id, its tags."""

    execution_count: int = 0
    """The number the cell carries here; 0 lets the far side count."""


class InputRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The cell waits for a line from the person: call :meth:`Session.answer` with it."""

    prompt: str
    password: bool = False


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The cell has ended. The last event of a cell; ``content`` is that of an ``execute_reply``."""

    content: JSON


Event: TypeAlias = Message | InputRequest | Reply


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where cells run and what that place is doing, for people to read."""

    session_id: str
    notebook_id: str
    state: str
    """As the server words it: ``starting``, ``idle``, ``busy``, ``gone`` or whatever it says."""

    mode: str
    where: str
    """The server's address."""

    age_s: float = 0.0
    url: str = ""
    """Page that shows the notebook in a browser; empty where there is none."""

    details: JSON = {}
    """Further facts by their label, in the order to show them."""


class Session(Protocol):
    """One remote session. All methods run on the loop that started it."""

    on_message: Callable[[Message], None] | None
    """Takes messages that arrive while no cell runs: of widget callbacks, of threads that go on."""

    @property
    def settings(self) -> Settings:
        """How the session was asked for."""
        ...

    @property
    def session_id(self) -> str:
        """The session, by the server's id."""
        ...

    @property
    def notebook_id(self) -> str:
        """The notebook whose cells run, as the server calls it."""
        ...

    def run(self, cell: Cell) -> AsyncIterator[Event]:
        """Run a cell and yield what happens to it; the last event is its :class:`Reply`.

        An exception in user code is a reply of status ``error``, not a Python exception.

        Raises:
            DeepnoteError: The session could not run the cell, or nothing is known of its end.
        """
        ...

    async def answer(self, text: str) -> None:
        """Give the running cell the line it asked for with an :class:`InputRequest`."""
        ...

    async def interrupt(self) -> None:
        """Raise ``KeyboardInterrupt`` in the running cell; do nothing where none runs."""
        ...

    async def complete(self, code: str, cursor_pos: int) -> JSON:
        """Return the content of a ``complete_reply`` for remote names."""
        ...

    async def inspect(self, code: str, cursor_pos: int, detail_level: int = 0) -> JSON:
        """Return the content of an ``inspect_reply`` for remote names."""
        ...

    async def send_comm(self, message: Message) -> None:
        """Hand a ``comm_open``, ``comm_msg`` or ``comm_close`` from the front end to the far side.

        Raises:
            UnsupportedError: This session has no comms.
        """
        ...

    async def comm_info(self, target_name: str = "") -> JSON:
        """Return the open comms as the content of a ``comm_info_reply``."""
        ...

    async def restart(self) -> None:
        """Give the session an empty namespace; a running cell ends."""
        ...

    async def status(self) -> Status:
        """Ask the server what the session is doing.

        Raises:
            SessionGoneError: It has ended.
        """
        ...

    @property
    def has_left_cell(self) -> bool:
        """Whether an earlier process has left a cell here whose end nobody has seen."""
        ...

    def follow(self) -> AsyncIterator[Event]:
        """Yield what that cell does from now on, as :meth:`run` would."""
        ...

    async def hand_over(self) -> JSON:
        """Begin a restart in place and let go; return what the next process needs to end it.

        Raises:
            UnsupportedError: This session has no such restart.
        """
        ...

    async def take_over(self, handed_over: JSON) -> None:
        """End the restart that another process has begun with :meth:`hand_over`."""
        ...

    async def detach(self) -> None:
        """Leave the session running and let go of it, so that another process may attach."""
        ...

    async def stop(self) -> None:
        """End the session and its machine. A session that is gone already counts as stopped."""
        ...


class Place(Protocol):
    """A server that sessions run on, and the connection they use."""

    async def start(self) -> Session:
        """Start a session and wait until it takes cells.

        Raises:
            SessionStartError: It did not become ready, and was stopped.
        """
        ...

    async def attach(self, session_id: str, notebook_id: str = "") -> Session:
        """Take over a session that runs already.

        Args:
            session_id: The session.
            notebook_id: The notebook whose kernel shall run the cells, where there are several.

        Raises:
            SessionGoneError: It has ended.
        """
        ...

    async def discard(self, session_id: str) -> None:
        """Stop a session that is of no use."""
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...

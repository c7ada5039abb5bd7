"""Complete what follows ``%deepnote``: words of the grammar, and names there are on the server."""

from __future__ import annotations

import contextlib
import logging
import re
import shlex
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from deepnote_kernel.errors import DeepnoteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.commands.grammar import Grammar
    from deepnote_kernel.config import Settings

__all__ = ["Names", "complete", "workspace_names"]

_WAIT_S = 0.7  # JupyterLab gives up after a second
_KEEP_S = 30.0

_log = logging.getLogger(__name__)

# A word as the shell's grammar has it; the last one may lack its closing quotation mark.
_WORD = re.compile(r"""(?:[^\s"'\\]|\\.?|"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$))+""")


class Names:
    """Names and ids on the server, asked for in the background and remembered for a while.

    No server is started for them, and no error is shown.

    Args:
        settings: Gives the settings in force.
        ask: Asks the server they name, given the settings and a kind.
        wait_s: Seconds to wait for an answer. One that comes later serves the next question.
        keep_s: Seconds an answer is good for.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        ask: Callable[[Settings, str], list[str]],
        *,
        wait_s: float = _WAIT_S,
        keep_s: float = _KEEP_S,
    ) -> None:
        self._settings = settings
        self._ask = ask
        self._wait_s = wait_s
        self._keep_s = keep_s
        self._answers: dict[tuple[str, str], _Answer] = {}

    def of(self, kind: str) -> list[str]:
        """Return the names and ids of a kind, such as ``project``; none of an empty one."""
        if not kind:
            return []
        settings = self._settings()
        key = (kind, settings.base_url)
        answer = self._answers.get(key)
        if answer is None or time.monotonic() - answer.asked_at > self._keep_s:
            names = answer.names if answer else []
            answer = self._answers[key] = _Answer(names, threading.Event(), time.monotonic())
            threading.Thread(target=self._take, args=(settings, kind, answer), daemon=True).start()
        answer.is_here.wait(self._wait_s)
        return list(answer.names)

    def _take(self, settings: Settings, kind: str, answer: _Answer) -> None:
        try:
            answer.names[:] = self._ask(settings, kind)
        except DeepnoteError as error:
            _log.debug("No names of kind %s to complete with: %s", kind, error)
        finally:
            answer.is_here.set()


class _Answer(NamedTuple):
    names: list[str]
    is_here: threading.Event
    asked_at: float


def workspace_names(settings: Settings, kind: str) -> list[str]:
    """Return the names and ids of a kind in a Deepnote workspace; a server that is off has none."""
    from deepnote_kernel.commands.names import known_names  # noqa: PLC0415 - needs msgspec
    from deepnote_kernel.session import local  # noqa: PLC0415 - as above
    from deepnote_kernel.session.clients import open_blocking_client  # noqa: PLC0415 - needs httpx
    from deepnote_kernel.session.record import Records  # noqa: PLC0415 - as above

    if kind == "session":
        return [record.id for record in Records().all() if not record.is_pending]
    if settings.is_local and not local.find():
        return []
    with open_blocking_client(settings) as client:
        return known_names(client, kind)


def complete(grammar: Grammar, names: Names, text: str) -> tuple[str, list[str]]:
    """Return the piece of a line that is to be replaced, and what may stand in its place.

    Args:
        grammar: What may be typed.
        names: What there is on the server.
        text: What was typed after ``%deepnote``, up to the cursor.
    """
    found = list(_WORD.finditer(text))
    typed = found.pop()[0] if found and found[-1].end() == len(text) else ""
    words = shlex.split(text[: len(text) - len(typed)])
    begun = _begun(typed)
    offered = grammar.complete(words, names.of)
    return typed, [_quoted(word, typed) for word in offered if word.startswith(begun)]


def _begun(typed: str) -> str:
    """Return what a word means so far, whose quotation mark may still be open."""
    for closing in ("", typed[:1], "\\"):
        with contextlib.suppress(ValueError):
            return "".join(shlex.split(typed + closing))
    return typed


def _quoted(word: str, typed: str) -> str:
    """Return a word as the line must hold it, with the quotation marks it was begun with."""
    if typed.startswith('"'):
        return '"' + re.sub(r'(["\\])', r"\\\1", word) + '"'
    return shlex.quote(word)

"""What the magics of every system have in common: a session, words, and their completion."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, ClassVar

from IPython.core.completer import SimpleCompletion, context_matcher
from IPython.core.magic import Magics

from deepnote_kernel.commands.grammar import UsageError
from deepnote_magics._completion import Names, complete

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from deepnote_kernel.commands.grammar import Grammar
    from deepnote_kernel.config import Settings
    from deepnote_kernel.session.remote import Remote

__all__ = ["RemoteMagics", "words_of"]


class RemoteMagics(Magics):
    """Magics of one system; in its kernel they share the session, elsewhere they have their own."""

    grammar: ClassVar[Grammar]
    """What may follow the magic."""

    name: ClassVar[str]
    """The magic, without its percent sign."""

    cell_words: ClassVar[tuple[str, ...]] = ()
    """What may follow it at the top of a cell."""

    shell: Any

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._own_remote: Remote | None = None
        self._names = Names(lambda: self.remote.settings, self.ask_names)
        self._matcher: Any = None

    @property
    def is_in_own_kernel(self) -> bool:
        """Whether cells run on the system without being asked to."""
        return getattr(getattr(self.shell, "kernel", None), "magic", "") == self.name

    @property
    def remote(self) -> Remote:
        """The session's façade; made from the environment where no kernel of ours has one."""
        if self.is_in_own_kernel:
            remote: Remote = self.shell.kernel.remote
            return remote
        if self._own_remote is None:
            self._own_remote = self.new_remote()
        return self._own_remote

    def new_remote(self) -> Remote:
        """Return the façade of a session; called once, when it is first needed."""
        raise NotImplementedError

    @staticmethod
    def ask_names(settings: Settings, kind: str) -> list[str]:
        """Return the names and ids on the server of a kind; called in a thread of its own.

        Raises:
            DeepnoteError: The server cannot be asked.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Stop a session that was started here."""
        if self._own_remote is not None:
            self._own_remote.close()
            self._own_remote = None

    def add_completer(self) -> None:
        """Let IPython's completer ask us about lines with the magic."""

        def matcher(context: CompletionContext) -> SimpleMatcherResult:
            return self.match(context)  # a method cannot be a matcher

        # IPython asks one matcher of a name.
        matcher.__qualname__ = f"{self.name}_matcher"
        self._matcher = context_matcher()(matcher)
        self.shell.Completer.custom_matchers.append(self._matcher)

    def remove_completer(self) -> None:
        """Let it ask us no more."""
        self.shell.Completer.custom_matchers.remove(self._matcher)

    def match(self, context: CompletionContext) -> SimpleMatcherResult:
        """Complete what follows the magic; called by IPython's completer."""
        line = re.match(rf"\s*(?:[\w.]+\s*=\s*)?%{self.name}\s(.*)", context.text_until_cursor)
        cell = re.match(rf"%%{self.name}\s(?:.*\s)?(\S*)$", context.text_until_cursor)
        if line is not None:
            typed, offered = complete(self.grammar, self._names, line[1])
        elif cell is not None:
            typed, offered = cell[1], [w for w in self.cell_words if w.startswith(cell[1])]
        else:
            return {"completions": []}
        return {
            "completions": [SimpleCompletion(text, type="magic") for text in offered],
            "matched_fragment": typed,
            "suppress": True,  # keywords of Python, say
        }


def words_of(line: str) -> list[str]:
    """Return the words of a line, as a shell would.

    Raises:
        UsageError: A quotation mark is left open.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{error}.", "Close the quotation marks.") from None

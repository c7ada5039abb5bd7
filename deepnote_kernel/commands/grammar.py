"""What may be typed after ``%deepnote`` or ``jupyter deepnote``: a table of nouns, verbs, options.

One table serves the magics and the shell. Parser, help and completion are made from it, and a verb
names the function that carries it out, which is imported when the verb is used.
"""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, TypeAlias

from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from deepnote_kernel.commands.context import Context

__all__ = [
    "Command",
    "Grammar",
    "HelpShown",
    "Noun",
    "Option",
    "UsageError",
    "Verb",
    "option",
    "parse_options",
]

Surface: TypeAlias = Literal["notebook", "shell"]


class Option(NamedTuple):
    """One argument of a verb, in argparse's terms."""

    flags: tuple[str, ...]
    help: str
    names: str
    """What its value names, so that it can be completed: ``project``, ``notebook``; or empty."""

    settings: dict[str, Any]

    @property
    def is_flag(self) -> bool:
        """Whether it is given by its own name rather than by its place."""
        return self.flags[0].startswith("-")

    @property
    def takes_value(self) -> bool:
        """Whether a value follows its name."""
        return self.is_flag and self.settings.get("action") in {None, "append", "extend"}

    def values(self, names_of: Callable[[str], list[str]]) -> list[str]:
        """Return what its value may be, as far as that is known."""
        return list(self.settings.get("choices") or names_of(self.names))


def option(*flags: str, help_: str, names: str = "", **settings: Any) -> Option:
    """Describe one argument of a verb.

    Args:
        *flags: Its name, or for an option its flags, the short one first.
        help_: One phrase for ``--help``.
        names: What its value names: ``project``, ``notebook``, ``run`` or ``session``.
        **settings: More for :meth:`argparse.ArgumentParser.add_argument`.
    """
    return Option(flags, help_, names, settings)


class Verb(NamedTuple):
    """One thing that can be done."""

    handler: str
    """``module.function`` that does it, in the package of the grammar; takes a
    :class:`~deepnote_kernel.commands.context.Context` and the options by name."""

    summary: str
    options: tuple[Option, ...] = ()
    surface: Surface | None = None
    """Where alone it makes sense; ``None`` for everywhere."""


class Noun(NamedTuple):
    """A group of verbs about one kind of thing."""

    summary: str
    verbs: dict[str, Verb]


Table: TypeAlias = "Mapping[str, Verb | Noun]"


class Command(NamedTuple):
    """A line that has been understood."""

    label: str
    """Its noun and verb, for messages."""

    handler: str
    options: dict[str, Any]
    common: dict[str, Any]
    """Values of the options that every verb of the grammar has."""

    def run(self, context: Context) -> object:
        """Carry it out and return what is to be shown, or ``None``."""
        module, _, function = self.handler.rpartition(".")
        carry_out: Callable[..., object] = getattr(import_module(module), function)
        return carry_out(context, **self.options)


class UsageError(ConfigError):
    """A line could not be understood; nothing was done."""


class HelpShown(Exception):  # noqa: N818 - not an error: the person asked for help and has it
    """Raised in place of leaving the process once argparse has printed help."""


class _Parser(argparse.ArgumentParser):
    """A parser that leaves the process alone, and lists what may come next in sections."""

    sections: Mapping[str, Mapping[str, str]] = MappingProxyType({})

    def format_help(self) -> str:
        if not self.sections:
            return super().format_help()
        layout = _layout(self.prog)
        layout.add_text(self.description)
        for title, entries in self.sections.items():
            layout.start_section(title)
            layout.add_arguments(
                [
                    argparse.Action([], name, metavar=name, help=text)
                    for name, text in entries.items()
                ]
            )
            layout.end_section()
        layout.add_text(self.epilog)
        return f"{self.format_usage()}\n{layout.format_help()}"

    def parse_known_args(self, *given: Any, **named: Any) -> Any:
        # What a verb does not know, argparse would leave to the outermost parser to complain of.
        found, unknown = super().parse_known_args(*given, **named)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        message = message[:1].upper() + message[1:]
        raise UsageError(f"{message}.", f"See {self.prog} --help.")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:  # noqa: ARG002
        raise HelpShown


def parse_options(
    prog: str, summary: str, options: Sequence[Option], words: Sequence[str]
) -> dict[str, Any]:
    """Understand a line that has options alone, such as that of a cell magic.

    Args:
        prog: What stands before them.
        summary: One phrase for ``--help``.
        options: What it may have.
        words: What was typed after ``prog``.

    Raises:
        UsageError: It makes no sense; the message says why.
        HelpShown: It asked for help, which has been printed.
    """
    parser = _Parser(prog=prog, description=_sentence(summary), formatter_class=_layout)
    for known in options:
        parser.add_argument(*known.flags, help=known.help, **known.settings)
    return vars(parser.parse_args(words))


class Grammar:
    """A table of nouns and verbs, as it can be typed in one place.

    Args:
        prog: What stands before the noun: ``%deepnote``, ``jupyter deepnote``.
        table: The nouns, and the verbs that need none.
        package: Where the handlers are.
        surface: Which verbs make sense here.
        description: One sentence above the list of nouns.
        epilog: What to say below it.
        common: Options that every verb has here.
        sections: How to group the nouns in the list: names by title. Others follow them.
        programs: What else may be typed here and is carried out elsewhere: summaries by name.
    """

    def __init__(  # noqa: PLR0913 - each a part of the help text
        self,
        prog: str,
        table: Table,
        *,
        package: str,
        surface: Surface,
        description: str,
        epilog: str = "",
        common: Sequence[Option] = (),
        sections: Mapping[str, Sequence[str]] = MappingProxyType({}),
        programs: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.prog = prog
        self._package = package
        self._description = description
        self._epilog = epilog
        self._common = tuple(common)
        self._sections = sections
        self._programs = programs
        self.table = dict(_only(table, surface))

    def parse(self, words: Sequence[str]) -> Command:
        """Understand a line.

        Args:
            words: What was typed after ``prog``.

        Raises:
            UsageError: It makes no sense; the message says why.
            HelpShown: It asked for help, which has been printed.
        """
        words = self._completed(words)
        self._check_names(words)
        options = vars(self.parser().parse_args(words))
        handler, label = options.pop("_handler"), options.pop("_label")
        common = {name: options.pop(name) for name in options.pop("_common")}
        return Command(label, f"{self._package}.{handler}", options, common)

    def _completed(self, words: Sequence[str]) -> list[str]:
        """Spell out what may be left out: ``--help``, and the verb ``list`` after a noun."""
        if not words or words[0] == "help":
            return [*words[1:], "--help"]
        noun, *rest = words
        entry = self.table.get(noun)
        if isinstance(entry, Noun) and "list" in entry.verbs:
            is_bare = not rest or (rest[0].startswith("-") and not {"-h", "--help"} & {*rest})
            rest = ["list", *rest] if is_bare else rest
        return [noun, *rest]

    def _check_names(self, words: Sequence[str]) -> None:
        """Refuse a noun or verb that does not exist, and say which ones come near."""
        path, known = self.prog, {**self.table, **dict.fromkeys(self._programs)}
        for word in words:
            if word.startswith("-"):
                return
            if word not in known:
                near = " or ".join(get_close_matches(word, known))
                guess = f"Did you mean {near}? " if near else ""
                raise UsageError(f"There is no `{path} {word}`.", f"{guess}See {path} --help.")
            entry = known[word]
            if not isinstance(entry, Noun):
                return
            path, known = f"{path} {word}", {**entry.verbs}

    def complete(
        self, words: Sequence[str], names_of: Callable[[str], list[str]] = lambda _kind: []
    ) -> list[str]:
        """Return what may follow the complete words of a line.

        Args:
            words: What was typed after ``prog``, without the word at the cursor.
            names_of: Gives the names and ids there are of a kind, such as ``project``.
        """
        words = words[1:] if words[:1] == ["help"] else words
        entry: Verb | Noun | None = Noun("", {**self.table})  # type: ignore[dict-item]
        depth = 0
        while isinstance(entry, Noun) and depth < len(words):
            entry = entry.verbs.get(words[depth])
            depth += 1
        if isinstance(entry, Noun):
            return list(entry.verbs)
        return self._complete_verb(entry, words[depth:], names_of) if entry else []

    def _complete_verb(
        self, verb: Verb, words: Sequence[str], names_of: Callable[[str], list[str]]
    ) -> list[str]:
        options = (*verb.options, *self._common)
        flags = {flag: known for known in options if known.is_flag for flag in known.flags}
        given, open_flag = 0, None
        for word in words:
            if open_flag is None and word in flags:
                open_flag = flags[word] if flags[word].takes_value else None
            else:
                given += open_flag is None
                open_flag = None
        if open_flag is not None:
            return open_flag.values(names_of)
        places = [known for known in verb.options if not known.is_flag]
        values = places[given].values(names_of) if given < len(places) else []
        return values + [known.flags[-1] for known in options if known.is_flag]

    def parser(self) -> argparse.ArgumentParser:
        """Return the parser, for programs that read one."""
        parser = _Parser(
            prog=self.prog,
            description=self._description,
            epilog=self._epilog or None,
            formatter_class=_layout,
        )
        children = self._add(parser, self.table, "")
        for name, summary in self._programs.items():
            children.add_parser(name, help=summary, add_help=False)
        parser.sections = self._in_sections()
        return parser

    def _add(
        self, parser: _Parser, table: Table, label: str
    ) -> argparse._SubParsersAction[_Parser]:
        children = parser.add_subparsers(
            metavar="VERB" if label else "COMMAND", required=True, parser_class=_Parser
        )
        for name, entry in table.items():
            child = children.add_parser(
                name,
                help=entry.summary,
                description=_sentence(entry.summary),
                formatter_class=_layout,
            )
            path = f"{label} {name}".strip()
            if isinstance(entry, Noun):
                self._add(child, entry.verbs, path)
                child.sections = {"verbs": {verb: it.summary for verb, it in entry.verbs.items()}}
                continue
            for known in entry.options:
                child.add_argument(*known.flags, help=known.help, **known.settings)
            taken = {flag for known in entry.options for flag in known.flags}
            common = [known for known in self._common if not taken & {*known.flags}]
            names = [child.add_argument(*o.flags, help=o.help, **o.settings).dest for o in common]
            child.set_defaults(_handler=entry.handler, _label=path, _common=names)
        return children

    def _in_sections(self) -> dict[str, dict[str, str]]:
        rest = {name: entry.summary for name, entry in self.table.items()} | dict(self._programs)
        found = {
            title: {name: rest.pop(name) for name in names if name in rest}
            for title, names in self._sections.items()
        }
        found["more" if found else "commands"] = rest
        return {title: entries for title, entries in found.items() if entries}


def _only(table: Table, surface: Surface) -> Iterator[tuple[str, Verb | Noun]]:
    for name, entry in table.items():
        if isinstance(entry, Noun):
            verbs = dict(_only(entry.verbs, surface))
            if verbs:
                yield name, entry._replace(verbs=verbs)  # type: ignore[arg-type]
        elif entry.surface in {None, surface}:
            yield name, entry


def _sentence(phrase: str) -> str:
    return f"{phrase[:1].upper()}{phrase[1:]}."


def _layout(prog: str) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(prog, max_help_position=28)

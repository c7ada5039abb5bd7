"""What may follow ``%deepnote`` and ``jupyter deepnote``."""

from __future__ import annotations

import pytest

from deepnote_kernel.cli import GRAMMAR as SHELL
from deepnote_kernel.commands.grammar import Grammar, HelpShown, Noun, UsageError, Verb, option
from deepnote_magics.deepnote import GRAMMAR as NOTEBOOK

BARE = ["use", "start", "status", "interrupt", "restart", "stop", "me", "projects", "sessions"]


def test_the_options_of_start_are_settings() -> None:
    """Each has the name of the setting it changes; what is not given changes nothing."""
    command = NOTEBOOK.parse(["start", "abc", "--mode", "direct", "--idle-shutdown", "60"])
    assert command.handler == "deepnote_kernel.commands.sessions.start"
    assert command.options == {
        "notebook": "abc",
        "scratch": False,
        "project": None,
        "mode": "direct",
        "storage_mode": None,
        "idle_shutdown_s": 60,
        "share_session": None,
        "base_url": None,
    }


@pytest.mark.parametrize("word", BARE)
def test_some_verbs_stand_alone(word: str) -> None:
    """Nothing else has to be typed."""
    assert NOTEBOOK.parse([word]).label.startswith(word)


@pytest.mark.parametrize(
    "words", [["projects"], ["projects", "--name", "x"], ["projects", "list", "--name", "x"]]
)
def test_a_noun_alone_lists(words: list[str]) -> None:
    """``list`` may be left out."""
    assert NOTEBOOK.parse(words).label == "projects list"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nonsense"], "There is no `%deepnote nonsense`"),
        (["projects", "nonsense"], "There is no `%deepnote projects nonsense`"),
        (["projects", "show"], "required: PROJECT"),
        (["start", "--nonsense"], "nrecognized arguments: --nonsense"),
        (["start", "--mode", "nonsense"], "invalid choice: 'nonsense'"),
        (["start", "--idle-shutdown", "soon"], "invalid int value: 'soon'"),
        (["me", "nonsense"], "nrecognized arguments: nonsense"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], message: str) -> None:
    """It says what is wrong and where help is; argparse would leave the process."""
    with pytest.raises(UsageError) as caught:
        NOTEBOOK.parse(words)
    assert message in str(caught.value)
    assert "--help" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["project", "list"], "Did you mean projects? See %deepnote --help."),
        (["help", "statsu"], "Did you mean status"),
        (["runs", "shows"], "Did you mean show? See %deepnote runs --help."),
        (["zzz"], "See %deepnote --help."),
    ],
)
def test_a_slip_of_the_pen_is_put_right(words: list[str], remedy: str) -> None:
    """What comes near a noun or verb is proposed, rather than all there are."""
    with pytest.raises(UsageError) as caught:
        NOTEBOOK.parse(words)
    assert caught.value.remedy.startswith(remedy)


def test_an_unknown_option_leads_to_the_help_of_its_verb() -> None:
    """The help of the whole says nothing of the options of one verb."""
    with pytest.raises(UsageError) as caught:
        SHELL.parse(["projects", "create", "x", "--nonsense"])
    assert caught.value.remedy == "See jupyter deepnote projects create --help."


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"]])
def test_help_lists_every_noun(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """``%deepnote`` alone is a question, too."""
    with pytest.raises(HelpShown):
        NOTEBOOK.parse(words)
    shown = capsys.readouterr().out
    assert [name for name in NOTEBOOK.table if f"  {name} " not in shown] == []
    assert "%%deepnote at the top of a cell" in shown
    assert "%%%%" not in shown


@pytest.mark.parametrize("words", [["help", "stop"], ["stop", "--help"]])
def test_help_on_one_verb(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Its arguments are explained."""
    with pytest.raises(HelpShown):
        NOTEBOOK.parse(words)
    shown = capsys.readouterr().out
    assert "usage: %deepnote stop [-h] [--all] [--yes] [SESSION]" in shown
    assert "all started from this computer" in shown


def test_options_that_every_verb_has_are_kept_apart() -> None:
    """A shell's ``--json`` is its own business, not the handler's."""
    command = SHELL.parse(["projects", "--json", "--name", "x"])
    assert command.options == {"name": "x"}
    assert command.common == {"as_json": True, "base_url": None}


def test_a_verb_keeps_its_own_option_of_that_name() -> None:
    """Where a verb has ``--base-url`` itself, it is the verb's."""
    command = SHELL.parse(["start", "--base-url", "local"])
    assert command.options["base_url"] == "local"
    assert "base_url" not in command.common


@pytest.mark.parametrize("word", ["use", "restart"])
def test_a_verb_may_make_sense_in_one_place_only(word: str) -> None:
    """A shell command ends, so there is no next cell for it to prepare."""
    assert word in NOTEBOOK.table
    with pytest.raises(UsageError, match=f"There is no `jupyter deepnote {word}`"):
        SHELL.parse([word])


def _names(kind: str) -> list[str]:
    return {"project": ["Sales"], "notebook": ["Report", "n1"]}.get(kind, [])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], list(NOTEBOOK.table)),
        (["help"], list(NOTEBOOK.table)),
        (["me"], []),
        (["nonsense"], []),
        (["sessions", "stop"], ["--all", "--yes"]),
        (["start", "--mode"], ["live", "direct"]),
        (["use", "abc", "--storage-mode"], ["read_write", "readonly"]),
        (["start", "--project"], ["Sales"]),
        (["projects", "delete"], ["Sales", "--yes"]),
        (["projects", "delete", "Sales"], ["--yes"]),
        (["projects", "delete", "--yes"], ["Sales", "--yes"]),
        (["notebooks", "list", "--project", "Sales"], ["--project"]),
    ],
)
def test_completion(words: list[str], expected: list[str]) -> None:
    """Nouns, then verbs, then names and options, then the choices of an option."""
    assert NOTEBOOK.complete(words, _names) == expected


def test_completion_of_options() -> None:
    """Names come first, then the verb's options."""
    offered = NOTEBOOK.complete(["start"], _names)
    assert offered[:2] == ["Report", "n1"]
    assert "--scratch" in offered
    assert all(name.startswith("--") for name in offered[2:])


def test_help_is_in_sections(capsys: pytest.CaptureFixture[str]) -> None:
    """What has no section comes last, with what is carried out elsewhere."""
    table: dict[str, Verb | Noun] = {
        "show": Verb("views.State", "show it"),
        "list": Verb("views.State", "list them"),
    }
    grammar = Grammar(
        "x",
        table,
        package="deepnote_kernel.commands",
        surface="shell",
        description="All of it.",
        epilog="That is all.",
        sections={"first": ["list"], "empty": ["no-such"]},
        programs={"serve": "serve it"},
    )
    with pytest.raises(HelpShown):
        grammar.parse([])
    assert capsys.readouterr().out.splitlines() == [
        "usage: x [-h] COMMAND ...",
        "",
        "All of it.",
        "",
        "first:",
        "  list   list them",
        "",
        "more:",
        "  show   show it",
        "  serve  serve it",
        "",
        "That is all.",
    ]


@pytest.mark.parametrize("words", [["help", "runs"], ["runs", "--help"]])
def test_help_on_a_noun(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Its verbs stand in one column."""
    with pytest.raises(HelpShown):
        NOTEBOOK.parse(words)
    shown = capsys.readouterr().out
    assert "\nverbs:\n  list      list a notebook's runs" in shown
    assert "\n  snapshot  show the outputs" in shown


def test_a_verb_names_its_handler() -> None:
    """It is imported when the command is carried out, and given the options by name."""
    table: dict[str, Verb | Noun] = {
        "show": Verb("views.State", "show it", (option("colour", help_="which"),)),
        "empty": Noun("nothing for this place", {"x": Verb("x.y", "x", surface="shell")}),
    }
    grammar = Grammar(
        "x", table, package="deepnote_kernel.commands", surface="notebook", description="."
    )
    assert list(grammar.table) == ["show"]
    assert grammar.parse(["show", "red"]).options == {"colour": "red"}

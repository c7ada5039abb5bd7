"""What may follow ``%deepnote``."""

from __future__ import annotations

import pytest

from deepnote_kernel.errors import ConfigError
from deepnote_magics._grammar import VERBS, HelpShown, complete, parse


def test_the_options_of_start_are_settings() -> None:
    """Each has the name of the setting it changes; what is not given changes nothing."""
    found = vars(parse(["start", "abc", "--mode", "direct", "--idle-shutdown", "60"]))
    assert found == {
        "verb": "start",
        "notebook_id": "abc",
        "scratch": False,
        "project_id": None,
        "mode": "direct",
        "storage_mode": None,
        "idle_shutdown_s": 60,
        "base_url": None,
    }


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in {"help", "attach"}])
def test_every_verb_stands_alone(verb: str) -> None:
    """Nothing but a verb has to be typed."""
    assert parse([verb]).verb == verb


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["start", "--nonsense"], "nrecognized arguments: --nonsense"),
        (["start", "--mode", "nonsense"], "invalid choice: 'nonsense'"),
        (["start", "--idle-shutdown", "soon"], "invalid int value: 'soon'"),
        (["interrupt", "nonsense"], "nrecognized arguments: nonsense"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], message: str) -> None:
    """It says what is wrong and where help is; argparse would leave the process."""
    with pytest.raises(ConfigError) as caught:
        parse(words)
    assert message in str(caught.value)
    assert "--help" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"]])
def test_help_lists_every_verb(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """``%deepnote`` alone is a question, too."""
    with pytest.raises(HelpShown):
        parse(words)
    shown = capsys.readouterr().out
    assert all(verb in shown for verb in VERBS)
    assert "%%deepnote at the top of a cell" in shown
    assert "%%%%" not in shown


@pytest.mark.parametrize("words", [["help", "stop"], ["stop", "--help"]])
def test_help_on_one_verb(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Its arguments are explained."""
    with pytest.raises(HelpShown):
        parse(words)
    shown = capsys.readouterr().out
    assert "usage: %deepnote stop [-h] [--all] [SESSION]" in shown
    assert "every session started from this computer" in shown


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], list(VERBS)),
        (["help"], list(VERBS)),
        (["status"], []),
        (["nonsense"], []),
        (["stop"], ["--all"]),
        (["start", "--mode"], ["live", "direct"]),
        (["use", "abc", "--storage-mode"], ["read_write", "readonly"]),
    ],
)
def test_completion(words: list[str], expected: list[str]) -> None:
    """Verbs, then their options, then the choices of an option."""
    assert complete(words) == expected


def test_completion_of_options() -> None:
    """A verb's options are offered, its positional arguments are not."""
    offered = complete(["start"])
    assert "--scratch" in offered
    assert all(name.startswith("--") for name in offered)

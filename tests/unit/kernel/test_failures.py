"""How an exception is shown."""

from __future__ import annotations

from deepnote_kernel.errors import ConfigError
from deepnote_kernel.kernel.failures import error_content, error_reply


def _raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as raised:
        return raised


def test_an_expected_error_is_one_line() -> None:
    """What happened and what to do, without a traceback."""
    content = error_content(_raised(ConfigError("There is no token.", "Set one.")))
    assert content["ename"] == "ConfigError"
    assert content["evalue"] == "There is no token. Set one."
    assert content["traceback"] == ["\x1b[31mConfigError\x1b[39m: There is no token. Set one."]


def test_an_unexpected_error_brings_its_traceback() -> None:
    """It is ours to mend, and the traceback is what a report needs."""
    content = error_content(_raised(ZeroDivisionError("oh")))
    assert content["traceback"][0] == "Traceback (most recent call last):"
    assert content["traceback"][-1] == "ZeroDivisionError: oh"


def test_a_secret_is_not_shown() -> None:
    """Not even where a library put it into its message."""
    content = error_content(
        _raised(ValueError("Illegal header b'Bearer canary-bird'")), secret="canary-bird"
    )
    assert "canary-bird" not in repr(content)
    assert content["evalue"] == "Illegal header b'Bearer ***'"


def test_the_reply_carries_the_error() -> None:
    """Run All stops at a reply of status error."""
    content = error_content(KeyboardInterrupt())
    reply = error_reply(content, execution_count=3)
    assert reply["status"] == "error"
    assert reply["ename"] == "KeyboardInterrupt"
    assert reply["execution_count"] == 3

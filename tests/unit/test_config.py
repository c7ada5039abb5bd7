"""Settings: where they come from, what they refuse, and the secret they keep."""

from __future__ import annotations

import pickle
from typing import Any

import msgspec
import pytest

from deepnote_kernel.config import DEFAULT_BASE_URL, LOCAL, Secret, Settings, normalized_base_url
from deepnote_kernel.errors import ConfigError

CANARY = "canary-token-5d41402abc4b2a76"


def test_an_empty_environment_gives_the_defaults() -> None:
    """Without any variable, cells run live on Deepnote's own address, and no token is set."""
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.base_url, settings.mode) == (DEFAULT_BASE_URL, "live")
    assert not settings.token


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("DEEPNOTE_TOKEN", CANARY, "token", Secret(CANARY)),
        ("DEEPNOTE_BASE_URL", "http://127.0.0.1:1/", "base_url", "http://127.0.0.1:1"),
        ("DEEPNOTE_ALLOW_HTTP", "1", "allow_http", True),
        ("DEEPNOTE_ALLOW_HTTP", "False", "allow_http", False),
        ("DEEPNOTE_NOTEBOOK_ID", " n ", "notebook_id", "n"),
        ("DEEPNOTE_PROJECT_ID", "p", "project_id", "p"),
        ("DEEPNOTE_MODE", "direct", "mode", "direct"),
        ("DEEPNOTE_STORAGE_MODE", "readonly", "storage_mode", "readonly"),
        ("DEEPNOTE_IDLE_SHUTDOWN", "1800", "idle_shutdown_s", 1800),
        ("DEEPNOTE_SHARE_SESSION", "1", "share_session", True),
        ("JPY_SESSION_NAME", "work/a.ipynb", "document", "work/a.ipynb"),
        ("DEEPNOTE_CALLS_PER_MINUTE", "30", "calls_per_minute", 30),
        ("DEEPNOTE_START_TIMEOUT", "1.5", "start_timeout_s", 1.5),
    ],
)
def test_a_variable_sets_its_field(variable: str, text: str, field: str, value: object) -> None:
    """Each variable is read into its field, in the field's own type."""
    assert getattr(Settings.from_env({variable: text}), field) == value


def test_every_field_has_a_variable() -> None:
    """No setting can be reached by code alone."""
    from deepnote_kernel.config import VARIABLES  # noqa: PLC0415 - the list under test

    assert set(VARIABLES) == {field.name for field in msgspec.structs.fields(Settings)}


def test_an_empty_variable_counts_as_absent() -> None:
    """A shell's empty export is no setting."""
    assert Settings.from_env({"DEEPNOTE_MODE": " "}).mode == "live"


@pytest.mark.parametrize("base_url", [LOCAL, "https://other.example"])
def test_ids_of_the_environment_are_those_of_its_server(base_url: str) -> None:
    """A kernel for another address does not look there for the environment's notebook."""
    environ = {"DEEPNOTE_NOTEBOOK_ID": "n", "DEEPNOTE_PROJECT_ID": "p"}
    settings = Settings.from_env(environ, base_url=base_url)
    assert (settings.notebook_id, settings.project_id) == ("", "")


@pytest.mark.parametrize("base_url", [None, DEFAULT_BASE_URL, f"{DEFAULT_BASE_URL}/v2/"])
def test_ids_stay_with_the_same_server(base_url: str | None) -> None:
    """An address that is the environment's in other words keeps its notebook."""
    settings = Settings.from_env({"DEEPNOTE_NOTEBOOK_ID": "n"}, base_url=base_url)
    assert settings.notebook_id == "n"


def test_a_change_of_address_leaves_ids_behind() -> None:
    """The notebook chosen before belongs to the server before; one that is made does not."""
    settings = Settings(notebook_id="n", project_id="p")
    assert settings.replace(base_url=LOCAL).notebook_id == ""
    assert settings.replace(base_url=LOCAL, notebook_id="m").notebook_id == "m"
    assert settings.replace(notebook_id="scratch").replace(base_url=LOCAL).notebook_id == "scratch"


def test_an_argument_wins_over_the_environment() -> None:
    """What is given wins; ``None`` gives nothing."""
    environ = {"DEEPNOTE_NOTEBOOK_ID": "env", "DEEPNOTE_PROJECT_ID": "env"}
    settings = Settings.from_env(environ, notebook_id="argument", project_id=None)
    assert (settings.notebook_id, settings.project_id) == ("argument", "env")


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("DEEPNOTE_MODE", "fast", "mode is 'fast'. It must be live or direct."),
        (
            "DEEPNOTE_STORAGE_MODE",
            "x",
            "storage_mode is 'x'. It must be read_write or readonly.",
        ),
        ("DEEPNOTE_CALLS_PER_MINUTE", "0", "calls_per_minute is 0. It must be positive."),
        ("DEEPNOTE_START_TIMEOUT", "-3", "start_timeout_s is -3.0. It must be positive."),
        (
            "DEEPNOTE_IDLE_SHUTDOWN",
            "-1",
            "idle_shutdown_s is -1. It must be positive, or 0 for Deepnote's own.",
        ),
        ("DEEPNOTE_IDLE_SHUTDOWN", "1h", "DEEPNOTE_IDLE_SHUTDOWN is '1h'. It must be a number."),
        ("DEEPNOTE_ALLOW_HTTP", "maybe", "DEEPNOTE_ALLOW_HTTP is 'maybe'. It must be 1 or 0."),
        (
            "DEEPNOTE_BASE_URL",
            "api.deepnote.com",
            (
                "The Deepnote address 'api.deepnote.com' is not a web address. "
                "Give one such as https://api.deepnote.com, or the word local."
            ),
        ),
    ],
)
def test_a_value_that_cannot_work_is_refused(variable: str, text: str, message: str) -> None:
    """The message names the setting, its value and what it takes."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({variable: text})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (LOCAL, LOCAL),
        ("https://api.deepnote.com", "https://api.deepnote.com"),
        ("https://api.deepnote.com/", "https://api.deepnote.com"),
        ("https://api.deepnote.com/v2", "https://api.deepnote.com"),
        ("https://api.deepnote.com/v2/", "https://api.deepnote.com"),
        ("https://proxy.example/deepnote/", "https://proxy.example/deepnote"),
    ],
)
def test_an_address_loses_slashes_and_version(url: str, expected: str) -> None:
    """Calls bring their own version, so the address needs none."""
    assert normalized_base_url(url) == expected


@pytest.mark.parametrize("url", ["", "localhost:80", "ftp://a", "https://", "//a"])
def test_an_address_must_be_of_the_web(url: str) -> None:
    """Anything else cannot be called."""
    with pytest.raises(ConfigError, match="is not a web address"):
        normalized_base_url(url)


@pytest.mark.parametrize("url", [f"https://{CANARY}@a.example", f"https://u:{CANARY}@a.example"])
def test_an_address_with_credentials_is_refused_unseen(url: str) -> None:
    """A password in an address would be shown with it."""
    with pytest.raises(ConfigError, match="holds a user name or password") as caught:
        normalized_base_url(url)
    assert CANARY not in repr(caught.value)


def test_local_stands_for_this_computer() -> None:
    """The word ``local`` is the embedded server."""
    assert Settings(base_url=LOCAL).is_local
    assert not Settings().is_local


def test_replacing_changes_what_is_given() -> None:
    """Fields change, ``None`` leaves them, and the result is checked again."""
    settings = Settings(notebook_id="a", project_id="b", base_url="https://x.example")
    changed = settings.replace(notebook_id="c", project_id=None, base_url="https://x.example/v2")
    assert changed == Settings(notebook_id="c", project_id="b", base_url="https://x.example")
    with pytest.raises(ConfigError, match="mode is 'fast'"):
        settings.replace(mode="fast")


@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda secret: f"{secret!r:>50}"])
def test_a_secret_does_not_show_itself(show: Any) -> None:
    """Neither the secret nor the settings around it can be printed by accident."""
    assert "***" in show(Secret(CANARY))
    assert CANARY not in show(Secret(CANARY))
    assert CANARY not in show(Settings(token=Secret(CANARY)))


def test_a_secret_reveals_itself_when_asked() -> None:
    """Whoever puts it on the wire asks by name."""
    assert Secret(CANARY).reveal() == CANARY


def test_secrets_compare_by_value() -> None:
    """Settings with equal tokens are equal, and a secret never equals its text."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_a_secret_is_not_pickled() -> None:
    """A pickle would carry it, in clear, to wherever it goes."""
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(CANARY))


def test_the_local_server_is_asked_more_often() -> None:
    """Nobody limits its requests; a number that is given counts there too."""
    assert Settings.from_env({"DEEPNOTE_BASE_URL": "local"}).calls_per_minute == 1200
    environ = {"DEEPNOTE_BASE_URL": "local", "DEEPNOTE_CALLS_PER_MINUTE": "30"}
    assert Settings.from_env(environ).calls_per_minute == 30

"""Settings of a Strata server."""

from __future__ import annotations

import pytest

from deepnote_kernel.config import Secret
from deepnote_kernel.errors import ConfigError
from deepnote_kernel.strata.settings import StrataSettings, notebook_name


def test_defaults() -> None:
    """Without variables, cells go to the server's usual address, as in Jupyter."""
    settings = StrataSettings.from_env({})
    assert (settings.base_url, settings.mode) == ("http://127.0.0.1:8765", "jupyter")


def test_variables_are_read() -> None:
    """Each setting has its variable."""
    settings = StrataSettings.from_env(
        {
            "STRATA_URL": "http://127.0.0.1:1/v1/",
            "STRATA_NOTEBOOK": "mine",
            "STRATA_MODE": "reactive",
            "STRATA_HEADERS": "X-Token: s3cret\nX-User: me",
            "STRATA_START_TIMEOUT": "5",
        }
    )
    assert settings == StrataSettings(
        base_url="http://127.0.0.1:1",
        notebook_id="mine",
        mode="reactive",
        headers={"X-Token": Secret("s3cret"), "X-User": Secret("me")},
        start_timeout_s=5.0,
    )
    assert settings.revealed_headers() == {"X-Token": "s3cret", "X-User": "me"}


def test_options_win() -> None:
    """Over the environment; those that are not given do not."""
    environ = {"STRATA_MODE": "reactive", "STRATA_NOTEBOOK": "a"}
    settings = StrataSettings.from_env(environ, mode="jupyter", notebook_id=None)
    assert (settings.mode, settings.notebook_id) == ("jupyter", "a")


def test_secrets_do_not_show() -> None:
    """A header's value may be a token."""
    assert "s3cret" not in repr(StrataSettings(headers={"X-Token": Secret("s3cret")}))


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("STRATA_MODE", "live", "The Strata mode is 'live'."),
        ("STRATA_HEADERS", "s3cret", "STRATA_HEADERS has a line without a colon."),
        ("STRATA_START_TIMEOUT", "soon", "STRATA_START_TIMEOUT is 'soon'."),
        ("STRATA_URL", "http://me:pw@h", "The Strata address holds a user name or password."),
    ],
)
def test_bad_values_are_named(variable: str, value: str, message: str) -> None:
    """In one line that repeats no secret."""
    with pytest.raises(ConfigError) as refused:
        StrataSettings.from_env({variable: value})
    assert refused.value.message == message
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("document", "begin"),
    [
        ("/home/me/Sales 2026.ipynb", "jupyter-sales-2026-"),
        ("/home/me/žluť.ipynb", "jupyter-lu-"),
        ("/home/me/日本.ipynb", "jupyter-"),
        ("/x/" + "a" * 300 + ".ipynb", "jupyter-" + "a" * 60 + "-"),
    ],
)
def test_a_notebooks_name_is_a_folders(document: str, begin: str) -> None:
    """Short and plain, with the name a person knows at the beginning."""
    name = notebook_name(document)
    assert name.startswith(begin)
    assert len(name) <= len(begin) + 8


def test_notebooks_of_one_name_are_told_apart() -> None:
    """The folder is part of the name, too."""
    assert notebook_name("/a/n.ipynb") != notebook_name("/b/n.ipynb")

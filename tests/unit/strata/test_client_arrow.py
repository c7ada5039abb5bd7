"""Arrow bytes to tables, with and without pyarrow."""

from __future__ import annotations

import sys

import pytest

from deepnote_kernel.errors import ConfigError, ResponseFormatError
from deepnote_kernel.strata.arrow import read_table


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'deepnote-kernel\[strata\]'"):
        read_table(b"")


@pytest.mark.parametrize("body", [b"", b"no such thing"])
def test_bytes_that_are_no_stream(body: bytes) -> None:
    """What cannot be read is an error that says so."""
    with pytest.raises(ResponseFormatError, match="no Arrow stream"):
        read_table(body)

"""A real Strata server, shared by all tests that need one; those skip where there is none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.strata import Client
from tests.integration.strata.servers import run_strata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepnote_kernel.strata.models import Notebook
    from tests.integration.strata.servers import StrataServer


def server_python(variable: str) -> Path:
    """Return the interpreter that an environment variable names, or skip."""
    path = Path(os.environ.get(variable, ""))
    if not path.is_file():
        pytest.skip(f"{variable} names no Strata server; `make test` makes one on CPython >= 3.12")
    return path


@pytest.fixture(scope="session")
def strata(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrataServer]:
    """Run a server of the newest version, without a pool of warm workers."""
    python = server_python("STRATA_PYTHON")
    with run_strata(python, tmp_path_factory.mktemp("strata")) as running:
        yield running


@pytest.fixture(scope="session")
def client(strata: StrataServer) -> Iterator[Client]:
    """Give a client of that server."""
    with Client(strata.url) as connected:
        yield connected


@pytest.fixture(scope="module")
def notebook(strata: StrataServer, client: Client, request: pytest.FixtureRequest) -> Notebook:
    """Give a notebook for the tests of a module; cells can run in it."""
    name: str = request.module.__name__
    return strata.new_notebook(client, name.rpartition(".")[2])

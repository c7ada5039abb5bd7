"""A real server behind a proxy: it wants headers, and limits how often it is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.api import Retry
from deepnote_kernel.errors import (
    DeepnoteError,
    PermissionDeniedError,
    RateLimitedError,
    UnauthorizedError,
)
from deepnote_kernel.strata import AsyncClient, Client
from deepnote_kernel.strata.calls import notebooks, sessions
from deepnote_kernel.strata.refusals import SessionClosedError
from deepnote_kernel.strata.socket import Socket
from tests.integration.strata.conftest import server_python
from tests.integration.strata.servers import run_strata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.strata.servers import StrataServer

TOKEN = "canary-5d41402abc4b2a76"
PRINCIPAL = {"X-Strata-Proxy-Token": TOKEN, "X-Strata-Principal": "somebody"}
HEADERS = {**PRINCIPAL, "X-Strata-Scopes": "notebook:read notebook:write notebook:execute"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrataServer]:
    """Run a server in service mode that limits the rate of its clients."""
    environ = {
        "STRATA_DEPLOYMENT_MODE": "service",
        "STRATA_AUTH_MODE": "trusted_proxy",
        "STRATA_PROXY_TOKEN": TOKEN,
        "STRATA_RATE_LIMIT_ENABLED": "true",
    }
    folder = tmp_path_factory.mktemp("guarded")
    with run_strata(server_python("STRATA_PYTHON"), folder, **environ) as running:
        yield running


def test_headers_open_the_server_and_its_sockets(guarded: StrataServer) -> None:
    """Both transports carry them."""
    with Client(guarded.url, headers=HEADERS) as client:
        notebook = client.send(notebooks.create("guarded", parent_path=str(guarded.root)))

    async def main() -> str:
        async with Socket(notebook.session_id, guarded.url, headers=HEADERS) as socket:
            you: str = (await socket.wait_for("presence")).payload["you"]
        with pytest.raises(SessionClosedError, match="or check STRATA_HEADERS"):
            await Socket(notebook.session_id, guarded.url).open()
        return you

    assert asyncio.run(main()) == "somebody"


@pytest.mark.parametrize(
    ("headers", "kind", "reason"),
    [
        ({}, UnauthorizedError, "answered 401: Unauthorized. Give the headers"),
        ({"X-Strata-Proxy-Token": TOKEN}, UnauthorizedError, "Missing principal header"),
        (PRINCIPAL, PermissionDeniedError, "requires the notebook:read scope"),
    ],
    ids=["none", "token", "principal"],
)
def test_a_header_that_is_missing(
    guarded: StrataServer, headers: dict[str, str], kind: type[DeepnoteError], reason: str
) -> None:
    """What the server wants is said, with the setting that brings it."""
    with (
        Client(guarded.url, headers=headers) as client,
        pytest.raises(kind, match=f"{reason}.*STRATA_HEADERS"),
    ):
        client.send(notebooks.config())


def test_what_service_mode_keeps_to_itself(guarded: StrataServer) -> None:
    """Nobody sees who else has a notebook open."""
    with (
        Client(guarded.url, headers=HEADERS) as client,
        pytest.raises(PermissionDeniedError, match="only available in personal mode"),
    ):
        client.send(sessions.list_())


async def _burst(url: str, retry: Retry) -> list[Any]:
    async with AsyncClient(url, headers=HEADERS, retry=retry) as client:
        calls = [client.send(notebooks.config()) for _ in range(60)]
        return await asyncio.gather(*calls, return_exceptions=True)


def test_too_many_calls_at_once(guarded: StrataServer) -> None:
    """Refused for its rate, a call says so in the server's plain text."""
    outcomes = asyncio.run(_burst(guarded.url, Retry(retries=0)))
    errors = [outcome for outcome in outcomes if isinstance(outcome, DeepnoteError)]
    assert {type(error) for error in errors} == {RateLimitedError}
    assert "answered 429: Rate limit exceeded" in str(errors[0])
    assert "STRATA_RATE_LIMIT_ENABLED=false" in str(errors[0])


def test_calls_that_were_too_many_are_sent_again(guarded: StrataServer) -> None:
    """The client waits as long as the server asks, and every call is answered."""
    outcomes = asyncio.run(_burst(guarded.url, Retry()))
    assert {outcome.deployment_mode for outcome in outcomes} == {"service"}

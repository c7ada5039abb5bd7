"""What both clients do with a call: send it, repeat it or not, and say what went wrong."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx
import pytest

from deepnote_kernel._version import __version__
from deepnote_kernel.api import AsyncClient, Client, Retry, me, projects, runs, sessions
from deepnote_kernel.api.exchange import finished
from deepnote_kernel.config import Secret
from deepnote_kernel.errors import (
    ConfigError,
    ConnectionFailedError,
    RateLimitedError,
    RequestTimeoutError,
    ResponseFormatError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    from deepnote_kernel.api import Call
    from tests.unit.api.conftest import Api

TOKEN = "canary-token-5d41402abc4b2a76"


def execute(*, replay_safe: bool = False) -> Call[list[dict[str, object]]]:
    """Build the call that must not be repeated unless it says so."""
    return sessions.execute("s1", notebook_id="n1", code="1", replay_safe=replay_safe)


def outputs(*given: object) -> httpx.Response:
    """Answer an execute call."""
    return httpx.Response(200, json={"outputs": given})


def test_every_request_carries_the_token_and_names_the_client(api: Api) -> None:
    """The token is a bearer token, and the client gives its name and version."""
    api.send(me.get())
    assert api.request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert api.request.headers["User-Agent"] == f"deepnote-kernel/{__version__}"


def test_only_a_request_with_a_body_has_a_content_type(api: Api) -> None:
    """A body is announced as JSON, and nothing is announced without one."""
    api.replies(outputs())
    api.send(execute())
    assert api.request.headers["Content-Type"] == "application/json"
    api.send(sessions.stop("s1"))
    assert "Content-Type" not in api.request.headers


def test_the_base_url_may_carry_a_version_or_a_slash(api: Api) -> None:
    """Paths bring their own version, so one on the address is dropped."""
    api.send(me.get(), base_url="https://deepnote.example/v2/")
    assert str(api.request.url) == "https://deepnote.example/v2/me"


def test_a_call_waits_as_long_as_it_says(api: Api) -> None:
    """The read timeout is the call's own, the time to connect five seconds."""
    api.replies(outputs())
    api.send(execute())
    timeout = api.request.extensions["timeout"]
    assert (timeout["read"], timeout["connect"]) == (180.0, 5.0)


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(500, json={"message": "oops"}),
        httpx.Response(502, html="<html></html>"),
        httpx.Response(503),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("Server disconnected"),
        httpx.ReadTimeout("timed out"),
        httpx.WriteTimeout("timed out"),
        httpx.DecodingError("not gzip"),
    ],
    ids=repr,
)
def test_what_may_have_run_is_not_sent_again(api: Api, reply: httpx.Response | Exception) -> None:
    """After a failure that leaves the outcome open, a call that runs code stays sent once."""
    api.replies(reply, outputs())
    with pytest.raises((ServerError, TransportError), match=r"may have been carried out"):
        api.send(execute())
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [httpx.Response(503), httpx.ReadError("reset"), httpx.ReadTimeout("timed out")],
    ids=repr,
)
def test_what_may_be_repeated_is(api: Api, reply: httpx.Response | Exception) -> None:
    """A call that says it may be repeated is sent again after the same failures."""
    api.replies(reply, outputs("ok"))
    assert api.send(execute(replay_safe=True))
    assert len(api.requests) == 2
    assert api.slept == [0.5]


def test_a_refusal_for_its_rate_is_waited_out_by_any_call(api: Api) -> None:
    """429 means that nothing was run, so even code is sent again, after the time asked for."""
    api.replies(httpx.Response(429, headers={"Retry-After": "7"}), outputs())
    assert api.send(execute(), retry=Retry(jitter=lambda: 0.0)) == []
    assert api.slept == [7.0]


def test_an_http_date_is_counted_from_the_clock(api: Api) -> None:
    """A date to wait for becomes seconds from the injected time."""
    date = "Fri, 15 Jan 2027 08:00:10 GMT"
    api.replies(httpx.Response(429, headers={"Retry-After": date}), outputs())
    api.send(execute(), retry=Retry(jitter=lambda: 0.0))
    assert api.slept == [10.0]


def test_the_client_gives_up_in_the_end_and_says_after_how_many_attempts(api: Api) -> None:
    """The error of the last attempt counts them all."""
    api.replies(httpx.Response(429, json={"message": "Rate limit exceeded"}))
    with pytest.raises(RateLimitedError, match=r"Rate limit.* \(429 after 6 attempts, "):
        api.send(me.get())
    assert api.slept == [0.5, 1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("[Errno 111] Connection refused"),
        httpx.ConnectTimeout("timed out"),
        httpx.ProxyError("403 Forbidden"),
        httpx.PoolTimeout(""),
    ],
    ids=repr,
)
def test_a_connection_never_made_is_tried_a_little_for_any_call(api: Api, error: Exception) -> None:
    """Nothing reached the server, so sending again is safe; but a server that is off stays off."""
    api.replies(error)
    with pytest.raises(
        ConnectionFailedError, match=r"did not reach https://api.deepnote.com after 3"
    ):
        api.send(execute())
    assert len(api.requests) == 3


def test_a_local_server_that_is_off_is_answered_with_how_to_start_it(api: Api) -> None:
    """On this computer a person can do something about a refused connection."""
    api.replies(httpx.ConnectError("[Errno 111] Connection refused"))
    with pytest.raises(ConnectionFailedError, match=r"`jupyter deepnote serve` starts one"):
        api.send(me.get(), base_url="http://127.0.0.1:8990")


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "speaks http, not https"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer", "Set SSL_CERT_FILE"),
    ],
)
def test_a_handshake_that_fails_has_a_remedy_of_its_own(api: Api, reason: str, remedy: str) -> None:
    """The server runs and the network is there: neither has to be looked at."""
    api.replies(httpx.ConnectError(reason))
    with pytest.raises(ConnectionFailedError, match=remedy):
        api.send(me.get(), base_url="https://127.0.0.1:8990")


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("variable", "value"),
    [("HTTPS_PROXY", "gopher://127.0.0.1:1"), ("SSL_CERT_FILE", __file__)],
)
def test_proxies_and_certificates_that_cannot_be_used_are_named(
    kind: type[Client | AsyncClient], variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a company's computer has in its environment is one line, not a traceback."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConnectionFailedError, match=rf"cannot be set up .*{variable}"):
        kind(token=Secret(TOKEN))


def test_a_late_answer_names_the_limit(api: Api) -> None:
    """A read timeout says how long the client waited and tries once more where that is safe."""
    api.replies(httpx.ReadTimeout(""))
    with pytest.raises(RequestTimeoutError, match=r"no answer within 30 s after 2 attempts"):
        api.send(me.get())


def test_retries_are_told_to_the_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever looks for a delay finds its cause in the debug log, without the token."""
    caplog.set_level(logging.DEBUG)
    api.replies(httpx.Response(503, text=f"no {TOKEN}"), httpx.Response(200, json={}))
    api.send(me.get())
    told = "Deepnote is in trouble: no *** (503, GET /v2/me). Trying again in 0.5 s."
    assert told in caplog.messages
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused(api: Api, status: int) -> None:
    """Following one could hand the token or a cell to somebody else."""
    api.replies(httpx.Response(status, headers={"Location": "https://elsewhere.example/"}))
    with pytest.raises(ResponseFormatError, match=rf"it is a redirect \({status}, "):
        api.send(me.get())
    assert len(api.requests) == 1


def test_a_listing_is_fetched_page_by_page(api: Api) -> None:
    """Iteration follows the page tokens and keeps the rest of the query."""
    api.replies(
        httpx.Response(
            200,
            json={"projects": [{"id": "a"}], "pagination": {"nextPageToken": "t/2", "hasMore": 1}},
        ),
        httpx.Response(
            200, json={"projects": [{"id": "b"}], "pagination": {"nextPageToken": None}}
        ),
    )
    found = api.listing(projects.list_(name_contains="x y", page_size=1))
    assert [project.id for project in found] == ["a", "b"]
    assert dict(api.request.url.params) == {
        "nameContains": "x y",
        "pageSize": "1",
        "pageToken": "t/2",
    }


def test_a_page_that_names_itself_as_the_next_ends_the_listing(api: Api) -> None:
    """A server that repeats its token is not asked for ever."""
    page = {"projects": [{"id": "a"}], "pagination": {"nextPageToken": "same"}}
    api.replies(httpx.Response(200, json=page))
    assert len(api.listing(projects.list_())) == 2


def test_a_download_elsewhere_goes_without_the_token(api: Api) -> None:
    """The token is for the API's own origin only; a presigned address needs none."""
    api.replies(httpx.Response(200, text="version: '1.0.0'"))
    text = api.send(runs.download_snapshot("https://store.example/s.yaml?signature=abc"))
    assert text == "version: '1.0.0'"
    assert "Authorization" not in api.request.headers
    assert api.request.url.query == b"signature=abc"


def test_a_download_from_the_api_itself_carries_the_token(api: Api) -> None:
    """An address of the same origin is the API, however its port is written."""
    api.replies(httpx.Response(200, text="x"))
    api.send(runs.download_snapshot("https://API.deepnote.com:443/v2/snapshots/1"))
    assert api.request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_an_address_httpx_cannot_parse_is_an_error_of_ours(api: Api) -> None:
    """What the address check lets through and httpx does not still ends in a readable error."""
    with pytest.raises(ConnectionFailedError, match="did not reach"):
        api.send(runs.download_snapshot("https://store.example/a\x7fb"))


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("token", "message"),
    [("", "No Deepnote token is set"), ("two words", "holds a character"), ("a\nb", "character")],
)
def test_a_token_that_cannot_work_is_refused_at_once(
    client: type[Client | AsyncClient], token: str, message: str
) -> None:
    """The error names the variable to set and does not show the token."""
    with pytest.raises(ConfigError, match=message) as caught:
        client(token=Secret(token))
    assert not token or token not in str(caught.value)


def test_an_unencrypted_address_elsewhere_must_be_asked_for() -> None:
    """Plain http would show token and data to the network, unless the user says it is theirs."""
    with pytest.raises(ConfigError, match="not encrypted"):
        Client(token=Secret("t"), base_url="http://deepnote.example")
    Client(token=Secret("t"), base_url="http://deepnote.example", allow_http=True).close()


def test_a_client_shows_where_it_points_and_no_token() -> None:
    """The repr is fit for a log."""
    with Client(token=Secret(TOKEN)) as client:
        assert repr(client) == "Client(base_url='https://api.deepnote.com')"


def test_several_calls_may_be_under_way_at_once() -> None:
    """An interrupt goes out while the execute call it ends still waits."""
    arrived = asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("interrupt"):
            arrived.set()
            return httpx.Response(200, json={})
        await arrived.wait()
        return outputs("done")

    async def main() -> list[dict[str, object]]:
        transport = httpx.MockTransport(answer)
        async with AsyncClient(token=Secret(TOKEN), transport=transport) as client:
            running = asyncio.create_task(client.send(execute()))
            await client.send(sessions.interrupt("s1", notebook_id="n1"))
            return await running

    assert len(asyncio.run(main())) == 1


def test_the_clients_wait_by_themselves() -> None:
    """Without an injected sleep a retry waits for real, as short as the policy says."""
    statuses = [503, 200, 503, 200]
    transport = httpx.MockTransport(lambda _request: httpx.Response(statuses.pop(0), json={}))
    retry = Retry(base_s=0.0)

    async def main() -> None:
        async with AsyncClient(token=Secret(TOKEN), transport=transport, retry=retry) as client:
            await client.send(me.get())

    with Client(token=Secret(TOKEN), transport=transport, retry=retry) as client:
        client.send(me.get())
    asyncio.run(main())
    assert statuses == []


def test_a_blocking_call_that_suspends_is_a_bug() -> None:
    """The blocking client cannot wait for a loop that does not run, and says so."""
    with pytest.raises(AssertionError, match="suspended"):
        finished(asyncio.sleep(0))

"""Both Strata clients with a scripted network: what they send, repeat, and say of errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest

from deepnote_kernel.api import Retry
from deepnote_kernel.errors import (
    APIStatusError,
    ConfigError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ResponseFormatError,
    ServerError,
    TransportError,
    UnauthorizedError,
    UnsupportedError,
)
from deepnote_kernel.strata import DEFAULT_URL, AsyncClient, Client
from deepnote_kernel.strata.calls import ai, cells, core, notebooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from deepnote_kernel.api import Call
    from deepnote_kernel.strata.features import Features

T = TypeVar("T")

SECRET = "canary-5d41402abc4b2a76"
UNKNOWN = httpx.Response(404, json={"detail": "Not Found"})


class Strata:
    """A client of either kind whose network answers from a script."""

    def __init__(self, kind: str) -> None:
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []
        self._kind = kind
        self._replies: list[httpx.Response | Exception] = [httpx.Response(200, json={})]

    def replies(self, *replies: httpx.Response | Exception) -> Strata:
        """Script what the network does, request by request; the last reply goes on for ever."""
        self._replies = list(replies)
        return self

    def send(self, call: Call[T], **options: Any) -> T:
        """Send a call and return its result."""
        result: T = self._through(lambda client: client.send(call), options)
        return result

    def stream(self, call: Call[list[T]]) -> list[T]:
        """Send a call that streams and return its events."""

        async def collect(client: AsyncClient) -> list[T]:
            return [event async for event in client.stream(call)]

        def use(client: Any) -> Any:
            return list(client.stream(call)) if isinstance(client, Client) else collect(client)

        events: list[T] = self._through(use, {})
        return events

    def features(self) -> tuple[Features, Features]:
        """Return what the server can do, asked for twice."""

        async def ask(client: AsyncClient) -> tuple[Features, Features]:
            return await client.features(), await client.features()

        def use(client: Any) -> Any:
            if isinstance(client, Client):
                return client.features(), client.features()
            return ask(client)

        asked: tuple[Features, Features] = self._through(use, {})
        return asked

    def _through(self, use: Callable[[Any], Any], options: dict[str, Any]) -> Any:
        given = {
            "retry": Retry(jitter=lambda: 1.0),
            "transport": httpx.MockTransport(self._answer),
            **options,
        }
        if self._kind == "Client":
            with Client(sleep=self.slept.append, **given) as client:
                return use(client)

        async def sleep(delay_s: float) -> None:
            self.slept.append(delay_s)

        async def main() -> Any:
            async with AsyncClient(sleep=sleep, **given) as client:
                return await use(client)

        return asyncio.run(main())

    def _answer(self, request: httpx.Request) -> httpx.Response:
        reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
        self.requests.append(request)
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)


@pytest.fixture(params=["Client", "AsyncClient"])
def strata(request: pytest.FixtureRequest) -> Strata:
    """Give a client of each kind."""
    return Strata(request.param)


def test_a_call_goes_to_the_servers_usual_address(strata: Strata) -> None:
    """Without an address it is the one a server listens at."""
    strata.send(notebooks.config())
    assert str(strata.requests[0].url) == f"{DEFAULT_URL}/v1/notebooks/config"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://127.0.0.1:1/v1/"])
def test_the_address_may_end_in_a_version_or_a_slash(strata: Strata, url: str) -> None:
    """Paths bring their own version."""
    strata.send(notebooks.config(), base_url=url)
    assert str(strata.requests[0].url) == "http://127.0.0.1:1/v1/notebooks/config"


def test_headers_go_along(strata: Strata) -> None:
    """A proxy's headers are on every request, and no token of another system is."""
    strata.send(notebooks.config(), headers={"X-Strata-Proxy-Token": SECRET})
    headers = strata.requests[0].headers
    assert headers["X-Strata-Proxy-Token"] == SECRET
    assert "Authorization" not in headers


def test_a_headers_value_is_in_no_message(strata: Strata) -> None:
    """Even where the server echoes it."""
    strata.replies(httpx.Response(401, json={"detail": f"{SECRET} is not the token"}))
    with pytest.raises(UnauthorizedError) as error:
        strata.send(notebooks.config(), headers={"X-Strata-Proxy-Token": SECRET})
    assert SECRET not in f"{error.value} {error.value.body}"
    assert "*** is not the token" in str(error.value)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_shows_its_address_alone(kind: type[Client | AsyncClient]) -> None:
    """Its repr holds no header."""
    client = kind("https://strata.example", headers={"X-Token": SECRET})
    assert repr(client) == f"{kind.__name__}(base_url='https://strata.example')"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("strata.example", "is not a web address"),
        ("http://strata.example", "is not encrypted"),
        ("https://me:secret@strata.example", "holds a user name or password"),
    ],
)
def test_an_address_that_cannot_work(url: str, problem: str) -> None:
    """Nothing is sent to it, and a password in it is not shown."""
    with pytest.raises(ConfigError, match=problem) as error:
        Client(url)
    assert "secret" not in str(error.value)


def test_an_unencrypted_address_may_be_allowed(strata: Strata) -> None:
    """On a network of one's own."""
    strata.send(notebooks.config(), base_url="http://strata.example", allow_http=True)
    assert strata.requests[0].url.host == "strata.example"


def test_a_header_that_cannot_be_sent() -> None:
    """Its name is shown and its value is not."""
    with pytest.raises(ConfigError, match="'X-Token' holds a character") as error:
        Client(headers={"X-Token": f"{SECRET}\n"})
    assert SECRET not in str(error.value)


def test_too_many_calls_wait_as_long_as_the_server_asks(strata: Strata) -> None:
    """Even a run is sent again: refused for its rate, it has not begun."""
    refused = httpx.Response(
        429, text="Rate limit exceeded (client). Retry after 1s.", headers={"Retry-After": "1"}
    )
    strata.replies(refused, httpx.Response(200, json={"cell_id": "c"}))
    assert strata.send(cells.execute("s", "c")).cell_id == "c"
    assert strata.slept == [pytest.approx(1.1)]


def test_a_run_is_not_sent_again_after_a_lost_answer(strata: Strata) -> None:
    """It may have run."""
    strata.replies(httpx.ReadError("reset"))
    with pytest.raises(TransportError, match="look before repeating it"):
        strata.send(cells.execute("s", "c"))
    assert len(strata.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (418, APIStatusError),
    ],
)
def test_a_status_has_its_error(strata: Strata, status: int, kind: type[APIStatusError]) -> None:
    """What the server says is in the message, with the status and the call."""
    strata.replies(httpx.Response(status, json={"detail": "Because."}))
    with pytest.raises(
        kind, match=f"GET /v1/notebooks/config answered {status}: Because. "
    ) as error:
        strata.send(notebooks.config())
    assert type(error.value) is kind


def test_the_running_out_of_patience(strata: Strata) -> None:
    """A server that stays busy is an error that says how often it was asked."""
    strata.replies(httpx.Response(429, text="Rate limit exceeded (client)."))
    with pytest.raises(RateLimitedError, match="after 6 attempts: Rate limit exceeded"):
        strata.send(notebooks.config())


@pytest.mark.parametrize("body", [b"", b"\xff", b'{"detail": 5}', b'{"detail": [5]}', b"[1]"])
def test_an_error_without_words(strata: Strata, body: bytes) -> None:
    """Whatever the body holds, there is a line to read."""
    strata.replies(httpx.Response(403, content=body))
    with pytest.raises(PermissionDeniedError) as error:
        strata.send(notebooks.config())
    assert "\n" not in str(error.value)


def test_a_page_in_stratas_place(strata: Strata) -> None:
    """A proxy's page is named by its title."""
    strata.replies(httpx.Response(502, html="<html><title>Bad Gateway</title></html>"))
    with pytest.raises(ServerError, match="Bad Gateway"):
        strata.send(cells.execute("s", "c"))


def test_success_that_cannot_be_read(strata: Strata) -> None:
    """Another server's answer is an error that names the setting."""
    strata.replies(httpx.Response(200, text="hello"))
    with pytest.raises(ResponseFormatError, match="Check STRATA_URL"):
        strata.send(notebooks.config())


@pytest.mark.parametrize(
    "call",
    [ai.complete("s", "hi"), ai.run_agent("s", "hi"), ai.stream("s", "hi")],
    ids=lambda call: call.path.rpartition("/")[2],
)
def test_an_assistant_without_a_provider(strata: Strata, call: Call[Any]) -> None:
    """The message says which variables the server wants, in the words of version 0.7.0."""
    body = {"detail": "LLM assistant not configured for this notebook. Set ANTHROPIC_API_KEY, …"}
    strata.replies(httpx.Response(503, json=body))
    with pytest.raises(ServerError, match="Start the server with STRATA_AI_BASE_URL, "):
        strata.send(call)


def test_what_a_version_lacks_is_asked_for_once(strata: Strata) -> None:
    """The server's routes and its version make the line."""
    strata.replies(
        UNKNOWN,
        httpx.Response(200, json={"paths": {"/v1/notebooks/{id}/cells": {"get": {}}}}),
        httpx.Response(200, json={"version": "0.99.0"}),
    )
    with pytest.raises(UnsupportedError) as error:
        strata.send(notebooks.discover())
    assert str(error.value) == (
        "Strata 0.99.0 does not know GET /v1/notebooks/discover. Use another version."
    )
    assert [request.url.path for request in strata.requests[1:]] == [
        "/openapi.json",
        "/health/dependencies",
    ]


def test_features_are_asked_for_once(strata: Strata) -> None:
    """A client remembers what its server can do."""
    routes = httpx.Response(200, json={"paths": {"/v1/notebooks/{id}/close": {"post": {}}}})
    strata.replies(routes, httpx.Response(200, json={"version": "0.9.0"}))
    first, again = strata.features()
    assert (first.version, first.has(notebooks.close("s"))) == ("0.9.0", True)
    assert not first.has(cells.cancel("s", "c"))
    assert (again, len(strata.requests)) == (first, 2)


def test_a_call_that_the_server_knows_keeps_its_error(strata: Strata) -> None:
    """That it answered 404 in the same words is the call's own affair."""
    routes = httpx.Response(200, json={"paths": {"/v1/notebooks/discover": {"get": {}}}})
    strata.replies(UNKNOWN, routes, httpx.Response(200, json={}))
    with pytest.raises(NotFoundError):
        strata.send(notebooks.discover())


def test_another_server_is_not_taken_for_an_old_strata(strata: Strata) -> None:
    """Without routes there is nothing to say about a version."""
    strata.replies(UNKNOWN, httpx.Response(200, json={}), httpx.Response(200, json={}))
    with pytest.raises(NotFoundError, match="STRATA_URL"):
        strata.send(notebooks.discover())


def events(*texts: str) -> httpx.Response:
    """Answer with a stream of events."""
    return httpx.Response(
        200, content="".join(texts), headers={"content-type": "text/event-stream; charset=utf-8"}
    )


def test_events_are_read_one_by_one(strata: Strata) -> None:
    """Comments and a space after the colon do not matter; what the end cuts off is left out."""
    strata.replies(
        events(
            ": a comment keeps the connection open\n\n",
            'event: delta\ndata: {"text": "a: b"}\n\n',
            'event:delta\r\ndata:{"text": "c"}\r\n\r\n',
            'event: done\ndata: {"model": "m", "tokens": {"input": 1, "output": 2}}\n\n',
            'event: delta\ndata: {"te',
        )
    )
    received = strata.stream(ai.stream("s", "hi"))
    assert [(e.kind, e.text, e.model, e.tokens.output) for e in received] == [
        ("delta", "a: b", "", 0),
        ("delta", "c", "", 0),
        ("done", "", "m", 2),
    ]


def test_events_of_an_error_are_events(strata: Strata) -> None:
    """The provider's failure comes after the status of success."""
    strata.replies(events('event: error\ndata: {"message": "no quota"}\n\n'))
    [event] = strata.stream(ai.stream("s", "hi"))
    assert (event.kind, event.message) == ("error", "no quota")


def test_a_stream_that_cannot_be_read(strata: Strata) -> None:
    """What is no JSON is an error, not an event."""
    strata.replies(events("event: delta\ndata: {broken\n\n"))
    with pytest.raises(ResponseFormatError):
        strata.stream(ai.stream("s", "hi"))


def test_a_stream_that_is_lost_is_not_asked_for_again(strata: Strata) -> None:
    """The question may have been paid for."""
    strata.replies(httpx.ReadError("reset"))
    with pytest.raises(TransportError):
        strata.stream(ai.stream("s", "hi"))
    assert len(strata.requests) == 1


@pytest.mark.parametrize("name", ["", "  "])
def test_a_notebook_without_a_name_is_not_created(name: str) -> None:
    """Some servers would turn their whole folder into one."""
    with pytest.raises(ConfigError, match="Give it a name"):
        notebooks.create(name, parent_path="/srv")


@pytest.mark.parametrize("session_id", ["", ".", ".."])
def test_an_id_that_would_change_the_path(session_id: str) -> None:
    """It is refused before anything is sent."""
    with pytest.raises(ConfigError, match="Give the id of a session"):
        notebooks.delete(session_id)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/v1/artifacts/a/v/1/data", "/v1/artifacts/a/v/1/data"),
        ("stream-id", "/v1/streams/stream-id"),
        ("http://elsewhere/x", "/v1/streams/http%3A%2F%2Felsewhere%2Fx"),
    ],
)
def test_a_stream_is_read_from_this_server(url: str, path: str) -> None:
    """An address elsewhere is nothing but an odd id."""
    assert core.stream(url).path == path


def test_a_stream_of_another_server_is_refused() -> None:
    """Two slashes would leave the server."""
    with pytest.raises(ConfigError, match="another server"):
        core.stream("//elsewhere/x")

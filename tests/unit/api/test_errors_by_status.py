"""Which error an answer becomes, and what it tells the person who reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deepnote_kernel.api import me, notebooks, runs, sessions
from deepnote_kernel.api.retry import Retry
from deepnote_kernel.config import Secret
from deepnote_kernel.errors import (
    APIStatusError,
    BadRequestError,
    ConflictError,
    DeepnoteError,
    ExecutionTimeoutError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitedError,
    ResponseFormatError,
    ServerError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from deepnote_kernel.api import Call
    from tests.unit.api.conftest import Api

TOKEN = "canary-token-5d41402abc4b2a76"
EXECUTE = sessions.execute("s1", notebook_id="n1", code="1")
ONCE = Retry(retries=0)
PROXY_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>502 Bad\n Gateway &mdash; nginx</title></head></html>"
)


def failure(api: Api, reply: httpx.Response, call: Call[Any] = EXECUTE) -> APIStatusError:
    """Return the error that an answer becomes."""
    with pytest.raises(APIStatusError) as caught:
        api.replies(reply).send(call, retry=ONCE)
    return caught.value


@pytest.mark.parametrize(
    ("status", "words", "expected", "remedy"),
    [
        (400, "timeoutMs is wrong", BadRequestError, "Check the values"),
        (400, "Notebook not found", NotFoundError, "start a new session"),
        (400, "Project is suspended", ConflictError, "Resume the project"),
        (401, "Invalid token", UnauthorizedError, "set DEEPNOTE_TOKEN"),
        (403, "Sessions are not enabled", PermissionDeniedError, "depend on the plan"),
        (404, "Session not found", NotFoundError, "start a new session"),
        (405, "Method not allowed", APIStatusError, "Check DEEPNOTE_BASE_URL"),
        (408, "Execution timed out", ExecutionTimeoutError, "live mode"),
        (409, "Project is suspended", ConflictError, "Resume the project"),
        (409, "The notebook is busy with a tracked run", ConflictError, "or interrupt it"),
        (409, "The session kernel is unavailable", ConflictError, "start a new session"),
        (409, "Notebook name already taken", ConflictError, "choose another name"),
        (413, "Too large", PayloadTooLargeError, "into a file"),
        (429, "Rate limit exceeded", RateLimitedError, "Wait a minute"),
        (500, "Internal server error", ServerError, "may have been carried out"),
        (500, "Hardware unable to start", ServerError, "no machine to give"),
        (599, "?", ServerError, "may have been carried out"),
    ],
)
def test_a_status_has_its_error_and_its_remedy(
    api: Api, status: int, words: str, expected: type[APIStatusError], remedy: str
) -> None:
    """An error says what it means, the server's words, status and call, then what to do."""
    error = failure(api, httpx.Response(status, json={"message": words}))
    assert type(error) is expected
    assert error.message.startswith("Deepnote ")
    assert error.message.endswith(f": {words} ({status}, POST /v2/sessions/s1/execute).")
    assert remedy in error.remedy
    assert (error.status_code, error.server_message) == (status, words)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "m", "error": "e"}', "m"),
        (b'{"error": "e"}', "e"),
        (b'{"error": {"message": "deep"}}', "deep"),
        (b'{"message": null}', ""),
        (b'{"message": 7}', ""),
        (b"[1]", ""),
        (b"", ""),
        (b"plain\n words ", "plain words"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (PROXY_PAGE.encode(), "502 Bad Gateway — nginx"),
        (b"<html>no title</html>", ""),
        (
            b"<?xml version='1'?><Error><Message>Request has expired</Message>",
            "Request has expired",
        ),
        (b'{"message": "' + b"x" * 400 + b'"}', "x" * 299 + "…"),
    ],
)
def test_the_servers_words_are_found_wherever_it_puts_them(
    api: Api, body: bytes, words: str
) -> None:
    """Both envelopes, plain text and pages give one line of at most 300 characters."""
    assert failure(api, httpx.Response(418, content=body)).server_message == words


@pytest.mark.parametrize(
    ("status", "headline"),
    [
        (400, "Deepnote cannot make sense of this"),
        (401, "Deepnote does not accept the API key"),
        (403, "Deepnote does not allow this"),
        (404, "Deepnote does not find this"),
        (405, "Deepnote refused"),
        (408, "Deepnote gave up waiting for the code"),
        (409, "Deepnote cannot do this now"),
        (413, "Deepnote does not take this much"),
        (429, "Deepnote got too many requests"),
        (500, "Deepnote is in trouble"),
    ],
)
def test_an_error_begins_with_what_it_means(api: Api, status: int, headline: str) -> None:
    """Whoever never heard of the API can read the beginning of the line."""
    error = failure(api, httpx.Response(status, json={"message": "Because."}))
    assert error.message.startswith(f"{headline}: Because ({status}, ")


def test_an_answer_without_words_says_so(api: Api) -> None:
    """An empty body leaves a sentence that still reads."""
    said = str(failure(api, httpx.Response(418)))
    assert said.startswith("Deepnote refused (418, POST /v2/sessions/s1/execute). ")


def test_a_page_is_called_one(api: Api) -> None:
    """A proxy's page is told from an answer of Deepnote's."""
    error = failure(api, httpx.Response(502, text=PROXY_PAGE))
    assert error.message.startswith(
        "A web page answered in Deepnote's place: 502 Bad Gateway — nginx (502, "
    )


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_page_that_finds_nothing_says_nothing_about_a_session(api: Api, status: int) -> None:
    """A proxy's refusal must not look like a session that has ended."""
    error = failure(api, httpx.Response(status, text=PROXY_PAGE))
    assert type(error) is APIStatusError
    assert "Check DEEPNOTE_BASE_URL" in error.remedy


def test_an_expired_download_says_where_to_get_a_new_one(api: Api) -> None:
    """A call may know better than its status what to do, and a signature stays out of messages."""
    call = runs.download_snapshot("https://store.example/s.yaml?signature=abc")
    error = failure(api, httpx.Response(403, text="<?xml?><Message>Expired</Message>"), call)
    assert str(error) == (
        "Deepnote does not allow this: Expired (403, GET https://store.example/s.yaml). "
        "Get the run again: the address is short-lived."
    )


def test_a_repeatable_call_has_no_doubt_about_a_server_error(api: Api) -> None:
    """Where repeating is safe, the remedy is to do so."""
    error = failure(api, httpx.Response(500), me.get())
    assert error.remedy == "Deepnote or a proxy is in trouble: try again in a minute."


def test_a_call_without_a_remedy_of_its_own_has_the_general_one(api: Api) -> None:
    """404 has a sentence even where the call says nothing."""
    assert "Check the id" in failure(api, httpx.Response(404), me.get()).remedy


def test_an_error_keeps_what_support_asks_for(api: Api) -> None:
    """The request id, the parsed body and the wait asked for stay on the error."""
    headers = {"X-Request-Id": "req-1", "Retry-After": "999"}
    error = failure(api, httpx.Response(503, json={"message": "m", "x": 1}, headers=headers))
    assert error.request_id == "req-1"
    assert error.body == {"message": "m", "x": 1}
    assert error.retry_after_s == 999.0


@pytest.mark.parametrize(
    "body",
    [
        f'{{"message": "no key {TOKEN}", "deep": [{{"{TOKEN}": 1}}, 2, null]}}',
        '{"message": "no key ' + TOKEN.replace("c", "\\u0063") + '"}',
        f"no key {TOKEN}",
        f"<html><title>no key {TOKEN}</title></html>",
    ],
)
def test_an_echoed_token_is_nowhere_on_the_error(api: Api, body: str) -> None:
    """A server that repeats the token, however it spells it, does not get it shown."""
    error = failure(api, httpx.Response(400, text=body, headers={"X-Request-Id": TOKEN}))
    assert error.server_message == "no key ***"
    assert TOKEN not in "".join(map(repr, (error, str(error), vars(error))))


def test_a_token_in_the_reason_of_a_broken_connection_is_not_shown(api: Api) -> None:
    """Also what the network layer says passes through the scrubber."""
    api.replies(httpx.ReadError(f"while sending {TOKEN}"))
    with pytest.raises(DeepnoteError, match=r"while sending \*\*\*"):
        api.send(EXECUTE)


def test_an_error_carries_no_frame_that_holds_the_token(api: Api) -> None:
    """No exception of the HTTP library hangs on ours: its request holds the header."""
    api.replies(httpx.ReadError("reset"))
    with pytest.raises(DeepnoteError) as caught:
        api.send(EXECUTE)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_made_up_token_does_not_garble_messages(api: Api) -> None:
    """A token as short as a word is not a secret, and replacing it would spoil sentences."""
    api.replies(httpx.Response(400, json={"message": "a token"}))
    with pytest.raises(BadRequestError, match="a token"):
        api.send(EXECUTE, token=Secret("tok"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>log in</html>", "it is a web page"),
        (b"{", "Expecting property name"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"notebook": {"name": "x"}}', r"id: Expected `str`, got `null`"),
        (b'{"notebook": {"id": 7}}', r"id: Expected `str`, got `int`"),
        (b'{"notebook": ' + b"[" * 100_000, "JSON is nested too deeply"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_success_that_cannot_be_read_says_why(api: Api, body: bytes, reason: str) -> None:
    """An answer of another shape is an error of its own, with what was wrong with it."""
    api.replies(httpx.Response(200, content=body))
    with pytest.raises(
        ResponseFormatError, match=rf"The answer cannot be read: {reason}.* \(200, GET "
    ):
        api.send(notebooks.get("n1"))

"""What is refused before any handler sees it, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY_LIMIT = 64 * 1024 * 1024


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic {token}", "{token}", "Bearer {token}x"]
)
def test_a_request_needs_the_token(server: Any, header: str) -> None:
    """Without the server's own bearer token every path is closed."""
    headers = {"Authorization": header.format(token=server.token)} if header else {}
    answer = httpx.get(f"{server.url}/v2/me", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_an_unknown_path_is_closed_without_the_token(server: Any) -> None:
    """Which paths exist is nothing a stranger learns."""
    assert httpx.get(f"{server.url}/nowhere").status_code == 401


def test_an_unknown_path_is_404(client: httpx.Client) -> None:
    """The error is in the API's envelope, not the framework's."""
    answer = client.get("/v2/nowhere")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


def test_a_wrong_method_is_405(client: httpx.Client) -> None:
    """A path that exists says which methods it takes."""
    answer = client.put("/v2/me")
    assert (answer.status_code, answer.json()) == (405, {"message": "Method Not Allowed"})
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v2/projects/nonesuch", {"DELETE", "GET", "HEAD", "PATCH"}),
        ("/faults", {"DELETE", "GET", "HEAD", "POST"}),
    ],
)
def test_a_wrong_method_is_told_all_right_ones(
    client: httpx.Client, path: str, methods: set[str]
) -> None:
    """Also where each method of a path has a handler of its own."""
    assert {*client.put(path).headers["allow"].split(", ")} == methods


def test_a_trailing_slash_does_not_redirect(client: httpx.Client) -> None:
    """Official clients refuse redirects, so there are none."""
    assert client.get("/v2/me/").status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_another_host_name_is_refused(client: httpx.Client, host: str) -> None:
    """A web page that points its own name at this computer gets nothing."""
    answer = client.get("/v2/me", headers={"Host": host})
    assert (answer.status_code, answer.json()) == (400, {"message": "Host is not allowed"})


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80"])
def test_a_loopback_name_is_taken(client: httpx.Client, host: str) -> None:
    """The computer's own names work with any port, as behind a port forward."""
    assert client.get("/v2/me", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"notebookId": "\\ud800"}',
        b'{"inputs":{"a":' + b"[" * 9999,
    ],
)
def test_a_body_that_is_no_json_is_400(client: httpx.Client, body: bytes) -> None:
    """The message says that the body cannot be read."""
    answer = client.post("/v2/sessions", content=body)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Body is not valid JSON")


@pytest.mark.parametrize("body", ["[]", "null", "3", "{}", '{"notebookId": 5}'])
def test_a_body_of_the_wrong_shape_is_400(client: httpx.Client, body: str) -> None:
    """The message says what was expected and where."""
    answer = client.post("/v2/sessions", content=body)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid body: ")


def test_unknown_members_of_a_body_are_passed_over(client: httpx.Client) -> None:
    """A client newer than this server is not refused for what it adds."""
    answer = client.post("/v2/projects", json={"name": "Test", "colour": "blue"})
    assert answer.status_code == 201


def test_a_body_over_the_limit_is_413(client: httpx.Client) -> None:
    """A body announced as too large is not read at all."""
    answer = client.post("/v2/sessions", content=b"x" * (BODY_LIMIT + 1))
    assert answer.status_code == 413
    assert answer.json() == {"message": f"Body is larger than {BODY_LIMIT} bytes"}


def test_a_body_that_grows_over_the_limit_is_413(client: httpx.Client) -> None:
    """A body that announces no size is cut off at the limit."""

    def chunks() -> Iterator[bytes]:
        for _ in range(BODY_LIMIT // 2**20 + 1):
            yield b"x" * 2**20

    answer = client.post("/v2/sessions", content=chunks())
    assert answer.status_code == 413


def test_a_get_with_an_empty_json_body_is_answered(client: httpx.Client) -> None:
    """Official clients announce JSON on every call, also where they send none."""
    answer = client.get("/v2/me", headers={"Content-Type": "application/json"})
    assert answer.status_code == 200


def test_me_names_a_workspace(client: httpx.Client) -> None:
    """Clients read the workspace's id to make links."""
    content = client.get("/v2/me").json()
    assert content["workspace"] == {"id": "local", "slug": "local", "name": "This computer"}
    assert content.keys() == {"apiKey", "user", "workspace", "accessLevel"}


def test_there_is_one_machine_type(client: httpx.Client) -> None:
    """This computer is the only machine."""
    (machine,) = client.get("/v2/machine-types").json()["machineTypes"]
    assert machine["id"] == "local"


def test_the_answer_names_no_server_software(client: httpx.Client) -> None:
    """Nothing of the inside is told to who calls."""
    assert "server" not in client.get("/v2/me").headers

"""The server's description of itself: open, valid, complete. All other tests hold it to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openapi_spec_validator import validate

from deepnote_kernel.server.app import api_routes
from deepnote_kernel.server.description.openapi import operations_of
from deepnote_kernel.server.description.operations import OPERATIONS
from tests.integration.openapi import Description

if TYPE_CHECKING:
    from tests.integration.conftest import Server

JSON = dict[str, Any]


@pytest.fixture(scope="module")
def document(server: Server) -> JSON:
    """The description, read without a token."""
    content: JSON = httpx.get(f"{server.url}/openapi.json").json()
    return content


def test_it_is_valid(document: JSON) -> None:
    """The document is what the OpenAPI Specification says it must be."""
    validate(document)


def test_every_route_is_described_and_nothing_else() -> None:
    """The table of operations and the routes of the application are the same set."""
    assert set(OPERATIONS) == {name for name, _ in operations_of(api_routes())}


def test_every_operation_is_in_the_document(document: JSON) -> None:
    """Under its path, with names of parameters spelled as in the rest of the API."""
    described = {
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    }
    assert len(described) == len(OPERATIONS)
    assert "POST /v2/sessions/{sessionId}/execute" in described


def test_every_operation_says_what_it_does(document: JSON) -> None:
    """In a sentence of its own, under an id of its own."""
    operations = [each for item in document["paths"].values() for each in item.values()]
    assert all(each["summary"].endswith(".") for each in operations)
    assert len({each["operationId"] for each in operations}) == len(operations)


def test_a_member_that_is_not_described_is_noticed(server: Server, document: JSON) -> None:
    """What the tests' clients check is strict: an answer has no member beyond the description."""
    schemas = document["components"]["schemas"]
    workspace = {**schemas["Workspace"], "properties": {"id": {"type": "string"}}, "required": []}
    components = {**document["components"], "schemas": {**schemas, "Workspace": workspace}}
    strict = Description({**document, "components": components})
    with server.client() as client:
        answer = client.get("/v2/me")
    with pytest.raises(pytest.fail.Exception, match="'name', 'slug' were unexpected"):
        strict.check(answer)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v2/nowhere"), ("PUT", "/v2/me"), ("GET", "/v2/me/")]
)
def test_what_is_not_described_must_be_refused(server: Server, method: str, path: str) -> None:
    """The tests' clients take a refusal for paths and methods the description lacks, only that."""
    with server.client() as client:
        assert client.request(method, path).is_client_error

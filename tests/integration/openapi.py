"""Holds what goes over the wire against the server's own description of it."""

from __future__ import annotations

import contextlib
from typing import Any

import httpx
import pytest
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathError

FAULT = "Fault on demand"


class Description:
    """What a server says about itself, and whether it keeps to it.

    Args:
        document: Its ``/openapi.json``.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._openapi = OpenAPI.from_dict(document)

    def check(self, answer: httpx.Response) -> None:
        """Fail if an answer, or the request that was granted with it, is not as described.

        An operation that is not described must be refused. Faults on demand are passed over.
        """
        answer.read()
        request = _Request(answer.request)
        if answer.is_error and (FAULT in answer.text or "<html>" in answer.text):
            return
        try:
            if answer.is_success:
                self._openapi.validate_request(request)
            self._openapi.validate_response(request, _Response(answer))
        except PathError:
            assert answer.is_client_error, f"{_what(answer)}: not described"
        except OpenAPIError as error:
            pytest.fail(f"{_what(answer)}: {error}\n{answer.text}")


class _Request:
    """A request as openapi-core reads it."""

    body: bytes | None = None

    def __init__(self, request: httpx.Request) -> None:
        with contextlib.suppress(httpx.StreamConsumed):  # a body too large was made on the way
            self.body = request.read() or None
        self.host_url = f"{request.url.scheme}://{request.url.netloc.decode()}"
        self.path = request.url.raw_path.decode().partition("?")[0]
        self.method = request.method.lower()
        self.content_type = request.headers.get("content-type", "")
        self.parameters = RequestParameters(query=request.url.params, header=request.headers)


class _Response:
    """An answer as openapi-core reads it."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status_code = answer.status_code
        self.content_type = answer.headers.get("content-type", "")
        self.headers = answer.headers
        self.data = answer.content


def _what(answer: httpx.Response) -> str:
    return f"{answer.request.method} {answer.request.url} {answer.status_code}"

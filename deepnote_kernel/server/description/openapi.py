"""``/openapi.json``: the OpenAPI description of what the server serves.

Paths come from the routes themselves, sentences from their handlers, bodies from the structs the
handlers read; :mod:`deepnote_kernel.server.description.operations` adds the rest.
Source: OpenAPI Specification 3.1.1, https://spec.openapis.org/oas/v3.1.1.html, read 2026-11-20.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Mount, Route

from deepnote_kernel import __version__
from deepnote_kernel.server.description.answers import Error
from deepnote_kernel.server.description.operations import COMMON_ERRORS, OPERATIONS
from deepnote_kernel.server.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from deepnote_kernel.server.description.operations import Operation

__all__ = ["PATH", "describe", "operations_of", "routes"]

JSON = dict[str, Any]

PATH = "/openapi.json"

_RETRY_AFTER = {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds to wait."}


async def show(request: Request) -> JSONResponse:
    """Describe the server."""
    return JSONResponse(describe(request.app.routes))


routes = [Route(PATH, show, methods=["GET"])]


def operations_of(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, Route]]:
    """Yield method and path, such as ``GET /v2/me``, and route of everything that is served."""
    for route in routes:
        if isinstance(route, Mount):
            yield from operations_of(route.routes, prefix + route.path)
        elif isinstance(route, Route):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield f"{method} {prefix}{route.path}", route


def describe(routes: Sequence[BaseRoute]) -> JSON:
    """Return the OpenAPI document of an application's routes."""
    schemas = _Schemas(OPERATIONS.values())
    paths: dict[str, JSON] = {}
    for name, route in operations_of(routes):
        method, path = name.split()
        item = paths.setdefault(_camel(path), {})
        item[method.lower()] = _described(name, route, OPERATIONS[name], schemas)
    statuses = {status for each in OPERATIONS.values() for status in _errors(each)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Deepnote's Public API as the embedded server of deepnote-kernel serves it",
            "version": __version__,
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {str(status): _refusal(status, schemas) for status in sorted(statuses)},
            "schemas": schemas.components,
        },
    }


class _Schemas:
    """JSON Schemas of all types that operations name; each struct of an answer once."""

    def __init__(self, operations: Collection[Operation]) -> None:
        inlined = dict.fromkeys(kind for op in operations for kind in (op.body, op.query) if kind)
        answered = [Error, *(kind for each in operations for kind in _parts(each.answer))]
        kinds = [*answered, *inlined]
        schemas, self.components = msgspec.json.schema_components(
            kinds, ref_template="#/components/schemas/{name}"
        )
        self._by_kind: dict[Any, JSON] = dict(zip(kinds, schemas, strict=True))
        for kind in inlined:  # bodies are called like one another
            reference = self._by_kind[kind].get("$ref", "")
            if reference:
                self._by_kind[kind] = self.components.pop(reference.rpartition("/")[2])

    def of(self, kind: dict[str, Any] | Any) -> JSON:
        """Return the schema of a type, or of an object with members of these types."""
        if not isinstance(kind, dict):
            return self._by_kind[kind]
        return {
            "type": "object",
            "properties": {name: self._by_kind[member] for name, member in kind.items()},
            "required": list(kind),
            "additionalProperties": False,
        }


def _described(name: str, route: Route, operation: Operation, schemas: _Schemas) -> JSON:
    method, path = name.split()
    parts = [part for part in path.split("/") if part not in ("", "v2")]
    described: JSON = {
        "operationId": "_".join([method.lower(), *(part.strip("{}") for part in parts)]),
        "summary": (route.endpoint.__doc__ or "").partition("\n")[0],
        "tags": [parts[0]],
        "parameters": [*_path_parameters(route), *_query_parameters(operation, schemas)],
        "responses": {
            str(operation.status): _success(operation, schemas),
            **{
                str(each): {"$ref": f"#/components/responses/{each}"} for each in _errors(operation)
            },
        },
    }
    if operation.body is not None:
        content = {operation.media_type: {"schema": schemas.of(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    if operation.is_open:
        described["security"] = []
    return described


def _path_parameters(route: Route) -> Iterator[JSON]:
    for name in route.param_convertors:
        schema = {"type": "string", "minLength": 1}
        yield {"name": _camel(name), "in": "path", "required": True, "schema": schema}


def _query_parameters(operation: Operation, schemas: _Schemas) -> Iterator[JSON]:
    if operation.query is None:
        return
    described = schemas.of(operation.query)
    for name, schema in described["properties"].items():
        is_required = name in described["required"]
        yield {"name": name, "in": "query", "required": is_required, "schema": schema}


def _success(operation: Operation, schemas: _Schemas) -> JSON:
    described: JSON = {"description": HTTPStatus(operation.status).phrase}
    if isinstance(operation.answer, str):
        described["content"] = {operation.answer: {}}
    elif operation.answer is not None:
        described["content"] = {"application/json": {"schema": schemas.of(operation.answer)}}
    return described


def _refusal(status: int, schemas: _Schemas) -> JSON:
    described: JSON = {
        "description": HTTPStatus(status).phrase,
        "content": {"application/json": {"schema": schemas.of(Error)}},
    }
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        described["headers"] = {"Retry-After": _RETRY_AFTER}
    return described


def _errors(operation: Operation) -> list[int]:
    return sorted({*COMMON_ERRORS, *operation.errors})


def _parts(answer: Any) -> list[Any]:
    if isinstance(answer, dict):
        return list(answer.values())
    return [] if answer is None or isinstance(answer, str) else [answer]


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)

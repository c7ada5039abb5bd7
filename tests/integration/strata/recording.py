"""Answers of real Strata servers, recorded, and a server that gives them again.

    python -m tests.integration.strata.recording

records anew: it starts each version of the server, takes one tour through all calls, and writes
what was answered to ``recorded/``. Paths of the machine are replaced; of the OpenAPI document only
the routes are kept.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tempfile
import zipfile
from base64 import b64decode, b64encode
from collections import defaultdict, deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from deepnote_kernel.strata import Client
from tests.integration.strata import assistant
from tests.integration.strata.servers import run_strata, serve
from tests.integration.strata.tour import tour

if TYPE_CHECKING:
    from starlette.requests import Request

Exchange: TypeAlias = dict[str, Any]

FOLDER = Path(__file__).with_name("recorded")
VERSIONS = {"0.11.0": "STRATA_PYTHON", "0.7.0": "STRATA_0_7_PYTHON"}


class Recorder(httpx.BaseTransport):
    """Sends requests on, and keeps what was answered."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._network = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        response = self._network.handle_request(request)
        body = response.read()
        media_type = response.headers.get("content-type", "")
        self.exchanges.append(
            {
                "method": request.method,
                "path": request.url.raw_path.decode(),
                "status": response.status_code,
                "media_type": media_type,
                **_kept(request.url.path, media_type, body),
            }
        )
        return response

    def close(self) -> None:
        """Close the connections."""
        self._network.close()


def _kept(path: str, media_type: str, body: bytes) -> Exchange:
    if path == "/openapi.json":
        routes = json.loads(body)["paths"].items()
        kept: Exchange = {path: {method: {} for method in methods} for path, methods in routes}
        return {"json": {"paths": kept}}
    if media_type.startswith("application/json"):
        return {"json": json.loads(body)}
    if media_type == "application/zip":
        return {"base64": b64encode(_without_lock(body)).decode()}
    if media_type.startswith("text/"):
        return {"text": body.decode()}
    return {"base64": b64encode(body).decode()}


def _without_lock(bundle: bytes) -> bytes:
    """Return a bundle without its lock file, the largest by far, which names package indexes."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as given, zipfile.ZipFile(kept, "w") as smaller:
        for name in given.namelist():
            if not name.endswith("uv.lock"):
                smaller.writestr(name, given.read(name))
    return kept.getvalue()


def replay(version: str) -> Starlette:
    """Return an application that answers as the recorded server did.

    Of several answers to the same request each is given once, in their order, the last for ever.
    """
    answers: defaultdict[tuple[str, str], deque[Exchange]] = defaultdict(deque)
    for exchange in json.loads((FOLDER / f"{version}.json").read_text()):
        answers[exchange["method"], exchange["path"]].append(exchange)

    async def answer(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        recorded = answers[request.method, f"{request.scope['raw_path'].decode()}{query}"]
        if not recorded:
            return Response(f"{request.method} {request.url.path} was not recorded", 501)
        exchange = recorded.popleft() if len(recorded) > 1 else recorded[0]
        return Response(
            _body(exchange), exchange["status"], media_type=exchange["media_type"] or None
        )

    methods = ["GET", "POST", "PUT", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", answer, methods=methods)])


def _body(exchange: Exchange) -> bytes:
    if "json" in exchange:
        return json.dumps(exchange["json"]).encode()
    return exchange["text"].encode() if "text" in exchange else b64decode(exchange["base64"])


def record(python: Path, folder: Path) -> list[Exchange]:
    """Take the tour on a server and return what it answered.

    Args:
        python: The server's interpreter.
        folder: An empty folder.
    """
    recorder = Recorder()
    warehouse = folder / "warehouse"
    warehouse.mkdir()
    subprocess.run([python, Path(__file__).with_name("warehouse.py"), warehouse], check=True)
    with (
        serve(assistant.app()) as provider,
        run_strata(python, folder, **assistant.environ(provider)) as server,
        Client(server.url, transport=recorder) as client,
    ):
        for name, result in tour(client, str(warehouse)):
            print(name, type(result).__name__)  # noqa: T201 - a command
    return recorder.exchanges


def sanitized(exchanges: list[Exchange], python: Path, folder: Path) -> str:
    """Return exchanges as JSON, without paths of this machine."""
    text = ",\n".join(map(json.dumps, exchanges))
    environment = python.parents[1]
    found = re.search("home = (.+)/bin", (environment / "pyvenv.cfg").read_text())
    assert found
    for path, name in ((folder, "/srv/strata"), (environment, "/srv/server"), (found[1], "/usr")):
        text = text.replace(str(path), name)
    return f"[\n{text}\n]\n"


def main() -> None:
    """Record every version."""
    for version, variable in VERSIONS.items():
        python = Path(os.environ[variable])
        with tempfile.TemporaryDirectory() as folder:
            exchanges = record(python, Path(folder))
            text = sanitized(exchanges, python, Path(folder))
        (FOLDER / f"{version}.json").write_text(text)


if __name__ == "__main__":
    main()

"""A stand-in for a provider of language models, as OpenAI's API has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

MODEL = "stand-in"
WORDS = ["You ", "said: "]

_KEY = "made-up-key"


def environ(url: str) -> dict[str, str]:
    """Return what tells a Strata server to ask the stand-in at an address."""
    return {
        "STRATA_AI_BASE_URL": f"{url}/v1",
        "STRATA_AI_API_KEY": _KEY,
        "STRATA_AI_MODEL": MODEL,
    }


def app() -> Starlette:
    """Return an application that repeats what it is told."""
    return Starlette(
        routes=[
            Route("/v1/models", _models),
            Route("/v1/chat/completions", _complete, methods=["POST"]),
        ]
    )


async def _models(_request: Request) -> Response:
    return JSONResponse({"object": "list", "data": [{"id": MODEL}, {"id": "another"}]})


async def _complete(request: Request) -> Response:
    asked = await request.json()
    if request.headers["Authorization"] != f"Bearer {_KEY}":
        return JSONResponse({"error": {"message": "Incorrect API key provided"}}, 401)
    words = [*WORDS, asked["messages"][-1]["content"]]
    if asked.get("stream"):
        return StreamingResponse(_chunks(asked["model"], words), media_type="text/event-stream")
    message = {"role": "assistant", "content": "".join(words)}
    return JSONResponse(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": asked["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
        }
    )


def _chunks(model: str, words: list[str]) -> Iterator[str]:
    for word in words:
        delta = {"index": 0, "delta": {"content": word}, "finish_reason": None}
        yield f"data: {json.dumps({'id': 'c', 'model': model, 'choices': [delta]})}\n\n"
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    yield f"data: {json.dumps({'id': 'c', 'model': model, 'choices': [last], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"

"""Answers as JSON, written by msgspec."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

__all__ = ["JSONResponse"]

_encode = msgspec.json.Encoder().encode


class JSONResponse(Response):
    """A JSON body. :class:`msgspec.Raw` inside the content goes out byte for byte."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content; called by the base class."""
        return _encode(content)

"""The parts of a running server, and how a request handler gets at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from deepnote_kernel.server.errors import BadRequestError

if TYPE_CHECKING:
    from starlette.requests import Request

    from deepnote_kernel.server.execution.kernels import AfterTimeout
    from deepnote_kernel.server.execution.runner import Runner
    from deepnote_kernel.server.execution.schedules import Schedules
    from deepnote_kernel.server.execution.sessions import Sessions
    from deepnote_kernel.server.execution.streamlit_apps import StreamlitApps
    from deepnote_kernel.server.faults import Faults
    from deepnote_kernel.server.signing import Signer
    from deepnote_kernel.server.storage.folders import Folders
    from deepnote_kernel.server.storage.store import Store

__all__ = ["Limits", "Services", "page_arguments", "read_body", "services_of"]

T = TypeVar("T")

MAX_PAGE_SIZE = 100
DEEPNOTE_LIMIT_MS = 120_000


@dataclass
class Limits:
    """How long an execute call may take; changed at run time by the fault endpoints."""

    execute_ms: int = DEEPNOTE_LIMIT_MS
    """Milliseconds after which a call is answered 408, whatever larger time it asked for."""

    after_timeout: AfterTimeout = "keep"
    """Whether code that ran out of time is left running or interrupted."""

    @property
    def max_timeout_ms(self) -> int:
        """The largest ``timeoutMs`` a call may ask for.

        A lowered limit does not lower it: a client that asks for what Deepnote allows is not wrong,
        its call merely ends sooner.
        """
        return max(self.execute_ms, DEEPNOTE_LIMIT_MS)


@dataclass(frozen=True)
class Services:
    """Everything a request handler may need."""

    store: Store
    folders: Folders
    sessions: Sessions
    runner: Runner
    schedules: Schedules
    streamlit_apps: StreamlitApps
    faults: Faults
    signer: Signer
    limits: Limits


def services_of(request: Request) -> Services:
    """Return the services of the application that got the request."""
    return cast("Services", request.app.state.services)


async def read_body(request: Request, kind: type[T]) -> T:
    """Return the JSON body as an object of the given type; unknown members are passed over.

    Raises:
        BadRequestError: The body is no JSON, or a member is missing or of another type.
    """
    body = await request.body()
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequestError(f"Invalid body: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError(f"Body is not valid JSON: {error}") from None


def page_arguments(request: Request, *, default: int) -> tuple[int, str | None]:
    """Return ``pageSize`` and ``pageToken`` of a listing.

    Raises:
        BadRequestError: ``pageSize`` is no integer from 1 to 100.
    """
    text = request.query_params.get("pageSize", str(default))
    is_short = text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_PAGE_SIZE))
    size = int(text) if is_short else 0
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise BadRequestError(f"pageSize must be an integer from 1 to {MAX_PAGE_SIZE}")
    return size, request.query_params.get("pageToken")

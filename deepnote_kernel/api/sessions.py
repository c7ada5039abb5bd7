"""Sessions: a machine of one's own, whose kernels take code.

Source: https://deepnote.com/docs, Public API v2, Sessions API, read November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from deepnote_kernel.api import reading
from deepnote_kernel.api.call import Call, present, segment
from deepnote_kernel.api.models import CreatedSession, KernelState, Run, Session, SessionStatus
from deepnote_kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deepnote_kernel.api.models import Page
    from deepnote_kernel.config import StorageMode

__all__ = [
    "MAX_TIMEOUT_MS",
    "create",
    "execute",
    "get",
    "interrupt",
    "list_",
    "run",
    "status",
    "stop",
]

MAX_TIMEOUT_MS: Final = 120_000
"""Milliseconds that one execute call may run at most; the server refuses more."""

# Machine and network take their time on top of the code's own.
_EXECUTE_GRACE_S = 60.0

_GONE = {
    404: "The session has ended, or the notebook is not part of it: start a new session.",
    413: "Put large data into a file that the session can read, and send less code in one cell.",
}


def create(
    notebook_id: str,
    *,
    inputs: Mapping[str, Any] | None = None,
    storage_mode: StorageMode | None = None,
    idle_shutdown_s: int | None = None,
    machine_type: str | None = None,
) -> Call[CreatedSession]:
    """Create a session. This starts a machine, which is paid for, and runs the whole notebook.

    Args:
        notebook_id: The notebook it is anchored to.
        inputs: Values of input blocks for the first run, by name.
        storage_mode: Whether the session may write to project storage; ``None`` for the default.
        idle_shutdown_s: Seconds of idleness after which it ends; ``None`` for Deepnote's default.
        machine_type: A kind of machine by its id; ``None`` for the default.
    """
    body: dict[str, Any] = present(
        notebookId=notebook_id,
        inputs=inputs,
        storageMode=storage_mode,
        idleShutdownSeconds=idle_shutdown_s,
        machineType=machine_type,
    )
    return Call(
        method="POST",
        path="/v2/sessions",
        body=body,
        read=_read_created,
        remedies={
            403: "Ask the workspace's administrator: sessions need a paid plan, and may have to be "
            "enabled for the workspace.",
            404: "`%deepnote notebooks` lists those the API key can see: name one with `%deepnote "
            "start NOTEBOOK`, or in DEEPNOTE_NOTEBOOK_ID.",
            500: "A machine may have started all the same: look with `%deepnote sessions "
            "--everywhere` before you try again.",
        },
    )


def list_(*, page_size: int | None = None, page_token: str | None = None) -> Call[Page[Session]]:
    """List the sessions that live. Deepnote's reference does not name this call.

    Args:
        page_size: Sessions per page; ``None`` for the server's default.
        page_token: The page to get; ``None`` for the first.
    """
    return Call(
        method="GET",
        path="/v2/sessions",
        query=present(pageSize=page_size, pageToken=page_token),
        read=reading.paged("sessions", Session),
        replay_safe=True,
        remedies={404: "This server lists no sessions: keep the ids of those you start."},
    )


def get(session_id: str) -> Call[Session]:
    """Get a session. Deepnote's reference does not name this call; :func:`status` it does."""

    def read(body: bytes) -> Session:
        return _session(session_id, reading.parse_object(body))

    return Call(method="GET", path=_path(session_id), read=read, replay_safe=True, remedies=_GONE)


def run(
    session_id: str,
    *,
    notebook_id: str | None = None,
    block_ids: Sequence[str] | None = None,
    block_id: str | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> Call[Run]:
    """Run blocks of a session's notebook copy as a tracked run, without the limit of 120 s.

    Deepnote's reference does not name this call. Its users send ``notebook_id`` with ``block_ids``,
    or ``block_id`` alone; where a server answers 400 to the one, try the other.

    Args:
        session_id: The session.
        notebook_id: The source notebook.
        block_ids: Blocks of the session's copy of it, in the order to run; ``None`` for all.
        block_id: One such block.
        inputs: Values of input blocks for this run, by name.
    """
    body: dict[str, Any] = present(
        notebookId=notebook_id, blockIds=block_ids, blockId=block_id, inputs=inputs
    )
    return Call(
        method="POST",
        path=_path(session_id, "runs"),
        body=body,
        read=reading.enveloped("run", Run),
        remedies=_GONE,
    )


def execute(
    session_id: str,
    *,
    notebook_id: str,
    code: str,
    timeout_ms: int = MAX_TIMEOUT_MS,
    replay_safe: bool = False,
) -> Call[list[dict[str, Any]]]:
    """Run code in a notebook's kernel and return its nbformat outputs as the server sends them.

    An exception in the code is an output of type ``error``, not an error of the call.

    Args:
        session_id: The session.
        notebook_id: The source notebook, whose kernel is meant.
        code: What to run.
        timeout_ms: Milliseconds the code may run, 1 to 120000.
        replay_safe: Whether the code may be sent again when an answer is lost: only where the code
            notices its own repetition.

    Raises:
        ConfigError: ``timeout_ms`` is out of range; nothing was sent.
    """
    if not 1 <= timeout_ms <= MAX_TIMEOUT_MS:
        raise ConfigError(
            f"timeout_ms is {timeout_ms}.",
            f"It must be between 1 and {MAX_TIMEOUT_MS} milliseconds.",
        )
    return Call(
        method="POST",
        path=_path(session_id, "execute"),
        body={"notebookId": notebook_id, "code": code, "timeoutMs": timeout_ms},
        read=_read_outputs,
        timeout_s=timeout_ms / 1000 + _EXECUTE_GRACE_S,
        replay_safe=replay_safe,
        remedies=_GONE,
    )


def interrupt(session_id: str, *, notebook_id: str) -> Call[Session]:
    """Interrupt whatever a notebook's kernel runs. Send it beside the execute call it ends."""

    def read(body: bytes) -> Session:
        return _session(session_id, reading.parse_object(body))

    return Call(
        method="POST",
        path=_path(session_id, "interrupt"),
        body={"notebookId": notebook_id},
        read=read,
        remedies=_GONE,
    )


def status(session_id: str, *, notebook_id: str) -> Call[SessionStatus]:
    """Get what a session and a notebook's kernel are doing."""

    def read(body: bytes) -> SessionStatus:
        raw = reading.parse_object(body)
        kernel = reading.adopt(KernelState, raw.get("kernel") or {})
        return SessionStatus(session=_session(session_id, raw), kernel=kernel, raw=raw)

    return Call(
        method="GET",
        path=_path(session_id, "status"),
        query={"notebookId": notebook_id},
        read=read,
        replay_safe=True,
        remedies=_GONE,
    )


def stop(session_id: str) -> Call[None]:
    """End a session and its machine. Repeated, it may answer 404: the session is gone already."""
    return Call(
        method="DELETE",
        path=_path(session_id),
        read=reading.nothing,
        replay_safe=True,
        remedies={404: "The session had ended already."},
    )


def _path(session_id: str, *verb: str) -> str:
    return "/".join(("/v2/sessions", segment("session", session_id), *verb))


def _read_created(body: bytes) -> CreatedSession:
    raw = reading.parse_object(body)
    session = reading.adopt(Session, raw.get("session") or raw)
    try:
        run = reading.adopt(Run, raw.get("run"))
    except ValueError:  # the reference calls it an object and no more
        run = None
    return CreatedSession(session=session, run=run, raw=raw)


def _session(session_id: str, raw: dict[str, Any]) -> Session:
    # The id is known, so an answer without a session is no reason to fail.
    given = msgspec.convert(raw.get("session") or {}, dict[str, Any])
    return reading.adopt(Session, {"id": session_id, **given})


class _Executed(msgspec.Struct):
    outputs: list[Any]


def _read_outputs(body: bytes) -> list[dict[str, Any]]:
    outputs = reading.decode(body, _Executed).outputs
    return [output for each in outputs if (output := _output(each))]


def _output(output: Any) -> dict[str, Any] | None:
    # Users of the API report bare strings among the outputs.
    if isinstance(output, str):
        return {"output_type": "stream", "name": "stdout", "text": output}
    return output if isinstance(output, dict) else None

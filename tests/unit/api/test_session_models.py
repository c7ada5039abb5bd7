"""What calls of sessions and runs return, in whichever of the known shapes a server answers."""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deepnote_kernel.api import (
    blocks,
    files,
    notebooks,
    projects,
    runs,
    schedules,
    sessions,
    v1,
)
from deepnote_kernel.api.models import (
    Block,
    KernelState,
    Run,
    Session,
)
from tests.unit.api.conftest import NOON

if TYPE_CHECKING:
    from deepnote_kernel.api import Call
    from tests.unit.api.conftest import Api


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T12:00:00.000Z", "2026-11-20T14:00:00+02:00", "2026-11-20T12:00:00"],
)
def test_times_are_aware_and_in_utc(api: Api, text: str) -> None:
    """Whatever offset a time is written in, and also where it names none."""
    run = api.result(runs.get("r"), {"run": {"runId": "r", "createdAt": text}})
    assert run.created_at == NOON
    assert run.created_at.tzinfo is timezone.utc


@pytest.mark.parametrize("odd", [None, "yesterday", 7, {}, []])
def test_an_optional_field_of_an_odd_type_counts_as_absent(api: Api, odd: object) -> None:
    """A detail that changes on the server does not cost the session."""
    session = {"id": "s", "createdAt": odd, "idleShutdownSeconds": odd, "projectId": odd}
    created = api.result(sessions.create("n"), {"session": session, "run": {}}, 202)
    assert created.session.created_at is None
    assert created.session.id == "s"


@pytest.mark.parametrize(
    "session",
    [
        {"id": "s", "notebookId": "n", "sessionNotebookId": "c", "status": "idle"},
        {"sessionId": "s", "sourceNotebookId": "n", "sessionNotebookId": "c", "status": "idle"},
        {
            "id": None,
            "sessionId": "s",
            "notebookId": "n",
            "sourceNotebookId": "other",
            "sessionNotebookId": "c",
            "status": "idle",
            "newField": {},
        },
    ],
)
@pytest.mark.parametrize(
    "run", [{"runId": "r", "status": "pending"}, {"id": "r", "status": "pending"}]
)
def test_a_created_session_is_read_by_either_name(
    api: Api, session: dict[str, Any], run: dict[str, Any]
) -> None:
    """Ids are found under each name they were seen under; unknown fields are ignored."""
    document = {"session": session, "run": run}
    created = api.result(sessions.create("n"), document, 202)
    assert created.session == Session(
        id="s", notebook_id="n", session_notebook_id="c", status="idle"
    )
    assert created.run == Run(id="r", status="pending")
    assert created.raw == document


@pytest.mark.parametrize("run", [None, {}, {"status": "pending"}, "r"])
def test_a_session_may_come_without_a_run(api: Api, run: object) -> None:
    """The reference calls the run an object and says no more of it."""
    assert api.result(sessions.create("n"), {"id": "s", "run": run}).run is None


def test_a_status_is_read_with_its_kernel(api: Api) -> None:
    """The states of the session and of the kernel come together, with the raw answer."""
    kernel = {"status": "busy", "executingBlockId": "b", "queuedBlockIds": ["c"]}
    document = {"session": {"id": "s", "status": "busy"}, "kernel": kernel}
    status = api.result(sessions.status("s", notebook_id="n"), document)
    assert status.session == Session(id="s", status="busy")
    assert status.kernel == KernelState(
        status="busy", executing_block_id="b", queued_block_ids=["c"]
    )
    assert status.raw == document


@pytest.mark.parametrize("document", [{}, {"session": None, "kernel": None}, {"session": {}}])
def test_a_status_that_tells_nothing_is_still_a_status(api: Api, document: object) -> None:
    """Every field of a state is optional; the session is the one asked for."""
    status = api.result(sessions.status("s", notebook_id="n"), document)
    assert status.session == Session(id="s")
    assert status.kernel == KernelState()


def test_an_interrupt_answered_with_nothing_succeeded(api: Api) -> None:
    """An empty body is no reason to doubt an interrupt."""
    api.replies(httpx.Response(200))
    assert api.send(sessions.interrupt("s", notebook_id="n")) == Session(id="s")


def test_outputs_are_handed_on_as_they_come(api: Api) -> None:
    """Outputs of nbformat keep every key; bare strings become a stream, other items are dropped."""
    stream = {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]}
    unknown = {"output_type": "new", "x": 1}
    document = {"outputs": [stream, unknown, "bare", None, 7], "more": 1}
    call = sessions.execute("s", notebook_id="n", code="1")
    assert api.result(call, document) == [
        stream,
        unknown,
        {"output_type": "stream", "name": "stdout", "text": "bare"},
    ]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"outputs": [{"text": "a\\ud800b"}]}', "a?b"),
        (b'{"outputs": [{"text": "a\\ud83d\\ude00b"}], "x": NaN}', "a\U0001f600b"),
        (b'{"outputs": [{"text": NaN}]}', None),
        (b'{"outputs": [{"text": -Infinity}]}', None),
        (b'{"outputs": [{"text": "a\xffb"}]}', "a\ufffdb"),
    ],
)
def test_outputs_survive_what_strict_json_forbids(api: Api, body: bytes, text: str | None) -> None:
    """One odd character or number does not cost the outputs of the whole cell."""
    api.replies(httpx.Response(200, content=body))
    assert api.send(sessions.execute("s", notebook_id="n", code="1")) == [{"text": text}]


@pytest.mark.parametrize(
    "call",
    [
        sessions.stop("s"),
        notebooks.delete("n"),
        projects.delete("p"),
        blocks.delete("b"),
        schedules.delete("n"),
        files.delete("p", "a"),
        v1.execute("p", "n"),
    ],
    ids=lambda call: call.label,
)
@pytest.mark.parametrize("reply", [httpx.Response(204), httpx.Response(202, text="OK")], ids=repr)
def test_a_call_without_a_result_reads_no_body(
    api: Api, call: Call[None], reply: httpx.Response
) -> None:
    """Success is all that counts, with whichever status and body it comes."""
    assert api.replies(reply).send(call) is None


RUN = {
    "runId": "r",
    "notebookId": "n",
    "projectId": "p",
    "status": "success",
    "error": None,
    "createdAt": "2026-11-20T12:00:00.000Z",
    "completedAt": "2026-11-20T12:00:00.000Z",
    "snapshotStatus": "available",
}


@pytest.mark.parametrize(
    "document",
    [
        {"run": RUN},
        RUN,
        {"run": {**RUN, "runId": None, "id": "r"}},
        {"run": {**RUN, "completedAt": None, "finishedAt": RUN["completedAt"]}},
    ],
)
def test_a_run_is_read_in_or_out_of_its_envelope(api: Api, document: dict[str, Any]) -> None:
    """Sources disagree about the envelope and two names; all are understood."""
    assert api.result(runs.get("r"), document) == Run(
        id="r",
        notebook_id="n",
        project_id="p",
        status="success",
        created_at=NOON,
        completed_at=NOON,
        snapshot_status="available",
    )


@pytest.mark.parametrize("error", ["boom", {"message": "boom"}])
def test_a_runs_error_is_text(api: Api, error: object) -> None:
    """Some servers send an object where the reference promises text."""
    assert api.result(runs.get("r"), {"run": {**RUN, "error": error}}).error == "boom"


@pytest.mark.parametrize(
    "snapshot",
    [
        {"snapshotContent": "yaml", "snapshotDownloadUrl": "https://s.example"},
        {"snapshot": {"snapshotContent": "yaml", "downloadUrl": "https://s.example"}},
        {
            "snapshotContent": None,
            "snapshotDownloadUrl": "https://s.example",
            "snapshot": {"snapshotContent": "yaml", "downloadUrl": "https://older.example"},
        },
    ],
)
def test_a_snapshot_is_found_flat_or_nested(api: Api, snapshot: dict[str, Any]) -> None:
    """Older servers nest the snapshot; a flat field wins."""
    run = api.result(runs.get("r"), {"run": {**RUN, **snapshot}})
    assert (run.snapshot_content, run.snapshot_download_url) == ("yaml", "https://s.example")


def test_the_blocks_delivery_brings_blocks(api: Api) -> None:
    """Blocks come with their outputs and without their source."""
    outputs = [{"output_type": "stream"}]
    block = {"id": "b", "type": "code", "outputs": outputs, "metadata": {}}
    run = api.result(runs.get("r", snapshot_delivery="blocks"), {**RUN, "snapshotBlocks": [block]})
    assert run.snapshot_blocks == [Block(id="b", type="code", outputs=outputs)]


def test_a_started_run_is_read_flat_or_enveloped(api: Api) -> None:
    """The answer to starting a run is flat in the reference, enveloped elsewhere."""
    flat = {"runId": "r", "status": "pending"}
    assert api.result(runs.create("n"), flat, 202) == Run(id="r", status="pending")
    assert api.result(runs.create("n"), {"run": flat}, 202) == Run(id="r", status="pending")


@pytest.mark.parametrize(
    ("status", "is_finished"),
    [
        ("pending", False),
        ("running", False),
        ("success", True),
        ("error", True),
        ("internal_error", True),
        ("stopped", True),
        ("a newer word", False),
    ],
)
def test_a_run_knows_whether_it_has_finished(status: str, *, is_finished: bool) -> None:
    """A status nobody knows yet is waited out."""
    assert Run(id="r", status=status).is_finished == is_finished


def test_a_run_does_not_show_its_presigned_address() -> None:
    """Whoever has the address can read the snapshot: it is a secret."""
    run = Run(id="r", notebook_id="n", status="success", snapshot_download_url="https://s/?x=1")
    assert repr(run) == "Run(id='r', notebook_id='n', status='success')"

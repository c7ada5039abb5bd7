"""What calls return, whichever of the known shapes a server answers in."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deepnote_kernel.api import (
    blocks,
    files,
    integrations,
    machines,
    me,
    notebooks,
    projects,
    runs,
    schedules,
    sessions,
    v1,
)
from deepnote_kernel.api.models import (
    ApiKey,
    Block,
    File,
    Folder,
    ImportedNotebook,
    ImportedProject,
    Integration,
    KernelState,
    Machine,
    MachineType,
    Me,
    Notebook,
    NotebookInput,
    Page,
    Project,
    Run,
    Schedule,
    Session,
    StaticFiles,
    User,
    Workspace,
)
from deepnote_kernel.api.responses import Answer

if TYPE_CHECKING:
    from deepnote_kernel.api import Call
    from tests.unit.api.conftest import Api

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


def result(api: Api, call: Call[Any], document: object, status: int = 200) -> Any:
    """Return what a call makes of an answer."""
    return api.replies(httpx.Response(status, json=document)).send(call)


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T12:00:00.000Z", "2026-11-20T14:00:00+02:00", "2026-11-20T12:00:00"],
)
def test_times_are_aware_and_in_utc(api: Api, text: str) -> None:
    """Whatever offset a time is written in, and also where it names none."""
    run = result(api, runs.get("r"), {"run": {"runId": "r", "createdAt": text}})
    assert run.created_at == NOON
    assert run.created_at.tzinfo is timezone.utc


@pytest.mark.parametrize("odd", [None, "yesterday", 7, {}, []])
def test_an_optional_field_of_an_odd_type_counts_as_absent(api: Api, odd: object) -> None:
    """A detail that changes on the server does not cost the session."""
    session = {"id": "s", "createdAt": odd, "idleShutdownSeconds": odd, "projectId": odd}
    created = result(api, sessions.create("n"), {"session": session, "run": {}}, 202)
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
    created = result(api, sessions.create("n"), document, 202)
    assert created.session == Session(
        id="s", notebook_id="n", session_notebook_id="c", status="idle"
    )
    assert created.run == Run(id="r", status="pending")
    assert created.raw == document


@pytest.mark.parametrize("run", [None, {}, {"status": "pending"}, "r"])
def test_a_session_may_come_without_a_run(api: Api, run: object) -> None:
    """The reference calls the run an object and says no more of it."""
    assert result(api, sessions.create("n"), {"id": "s", "run": run}).run is None


def test_a_status_is_read_with_its_kernel(api: Api) -> None:
    """The states of the session and of the kernel come together, with the raw answer."""
    kernel = {"status": "busy", "executingBlockId": "b", "queuedBlockIds": ["c"]}
    document = {"session": {"id": "s", "status": "busy"}, "kernel": kernel}
    status = result(api, sessions.status("s", notebook_id="n"), document)
    assert status.session == Session(id="s", status="busy")
    assert status.kernel == KernelState(
        status="busy", executing_block_id="b", queued_block_ids=["c"]
    )
    assert status.raw == document


@pytest.mark.parametrize("document", [{}, {"session": None, "kernel": None}, {"session": {}}])
def test_a_status_that_tells_nothing_is_still_a_status(api: Api, document: object) -> None:
    """Every field of a state is optional; the session is the one asked for."""
    status = result(api, sessions.status("s", notebook_id="n"), document)
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
    assert result(api, call, document) == [
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
    assert result(api, runs.get("r"), document) == Run(
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
    assert result(api, runs.get("r"), {"run": {**RUN, "error": error}}).error == "boom"


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
    run = result(api, runs.get("r"), {"run": {**RUN, **snapshot}})
    assert (run.snapshot_content, run.snapshot_download_url) == ("yaml", "https://s.example")


def test_the_blocks_delivery_brings_blocks(api: Api) -> None:
    """Blocks come with their outputs and without their source."""
    outputs = [{"output_type": "stream"}]
    block = {"id": "b", "type": "code", "outputs": outputs, "metadata": {}}
    run = result(api, runs.get("r", snapshot_delivery="blocks"), {**RUN, "snapshotBlocks": [block]})
    assert run.snapshot_blocks == [Block(id="b", type="code", outputs=outputs)]


def test_a_started_run_is_read_flat_or_enveloped(api: Api) -> None:
    """The answer to starting a run is flat in the reference, enveloped elsewhere."""
    flat = {"runId": "r", "status": "pending"}
    assert result(api, runs.create("n"), flat, 202) == Run(id="r", status="pending")
    assert result(api, runs.create("n"), {"run": flat}, 202) == Run(id="r", status="pending")


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


NOTEBOOK = {
    "id": "n",
    "projectId": "p",
    "name": "Notebook 1",
    "blocks": [{"id": "b", "type": "code", "content": "1+1", "metadata": None}],
    "inputs": [{"name": "limit", "type": "input-slider", "value": "7", "min": 0, "max": 9.5}],
    "lastRunAt": "2026-11-20T12:00:00Z",
    "isInit": True,
}


@pytest.mark.parametrize("document", [{"notebook": NOTEBOOK}, NOTEBOOK])
@pytest.mark.parametrize(
    "call", [notebooks.get("n"), notebooks.create("p"), notebooks.rename("n", "Notebook 1")]
)
def test_a_notebook_is_read_in_or_out_of_its_envelope(
    api: Api, call: Call[Notebook], document: object
) -> None:
    """A notebook brings its blocks and inputs."""
    assert result(api, call, document) == Notebook(
        id="n",
        project_id="p",
        name="Notebook 1",
        blocks=[Block(id="b", type="code", content="1+1")],
        inputs=[NotebookInput(name="limit", type="input-slider", value="7", min=0.0, max=9.5)],
        last_run_at=NOON,
        is_init=True,
    )


PROJECT = {
    "id": "p",
    "name": "P",
    "projectType": "standard",
    "folder": None,
    "notebooks": [{"id": "n", "name": "Notebook 1", "isScheduled": True, "createdAt": None}],
}


@pytest.mark.parametrize("document", [{"project": PROJECT}, PROJECT])
@pytest.mark.parametrize("call", [projects.get("p"), projects.create("P")])
def test_a_project_is_read_in_or_out_of_its_envelope(
    api: Api, call: Call[Project], document: object
) -> None:
    """A project brings the names of its notebooks."""
    assert result(api, call, document) == Project(
        id="p",
        name="P",
        project_type="standard",
        notebooks=[Notebook(id="n", name="Notebook 1", is_scheduled=True)],
    )


def test_a_project_brings_what_belongs_to_it(api: Api) -> None:
    """Files, website, environment and integrations come with a project asked for by itself."""
    document = {
        **PROJECT,
        "folder": {"id": "f", "name": "Team", "path": [], "isPathComplete": True},
        "files": [{"path": "a/b.csv", "size": 7, "updatedAt": "2026-11-20T12:00:00Z"}],
        "staticFiles": {"sharingEnabled": True, "apiAccessEnabled": False, "url": None},
        "streamlitAppApiAccessEnabled": True,
        "environment": {"id": "e"},
        "integrations": [{"id": "i", "name": "Warehouse", "type": "pgsql"}],
    }
    assert result(api, projects.get("p"), {"project": document}) == Project(
        id="p",
        name="P",
        project_type="standard",
        folder=Folder(id="f", name="Team"),
        notebooks=[Notebook(id="n", name="Notebook 1", is_scheduled=True)],
        files=[File(path="a/b.csv", size_bytes=7, updated_at=NOON)],
        static_files=StaticFiles(sharing_enabled=True),
        streamlit_app_api_access_enabled=True,
        environment={"id": "e"},
        integrations=[Integration(id="i", name="Warehouse", type="pgsql")],
    )


@pytest.mark.parametrize("document", [{}, {"project": {"staticFiles": {"sharingEnabled": False}}}])
def test_a_changed_project_is_the_one_that_was_named(api: Api, document: object) -> None:
    """The answer to a change shows what was changed, perhaps without the project's id."""
    assert result(api, projects.update("p", sharing_enabled=False), document) == Project(id="p")


def test_an_import_tells_what_it_did(api: Api) -> None:
    """The marks of the new version are kept as they were written, to be sent back."""
    document = {
        "project": {"id": "p", "modifiedAt": "2026-11-20T12:00:00.000Z", "contentHash": "ab"},
        "notebooks": [{"id": "n", "name": "N", "action": "overwritten"}],
    }
    assert result(api, projects.import_("p", b""), document) == ImportedProject(
        id="p",
        modified_at="2026-11-20T12:00:00.000Z",
        content_hash="ab",
        notebooks=[ImportedNotebook(id="n", name="N", action="overwritten")],
    )


BLOCK = {
    "id": "b",
    "notebookId": "n",
    "type": "sql",
    "content": "SELECT 1",
    "metadata": {"deepnote_variable_name": "df"},
    "integrationId": "i",
    "version": 3,
}


def test_a_block_is_read(api: Api) -> None:
    """A block asked for by itself names its notebook, integration and version."""
    assert result(api, blocks.get("b"), {"block": BLOCK}) == Block(
        id="b",
        notebook_id="n",
        type="sql",
        content="SELECT 1",
        metadata={"deepnote_variable_name": "df"},
        integration_id="i",
        version=3,
    )


def test_a_new_block_may_bring_the_order_of_all(api: Api) -> None:
    """The ids stand beside the block in the answer."""
    document = {"block": {"id": "b"}, "notebookBlockIds": ["a", "b"]}
    block = result(api, blocks.create("n"), document, 201)
    assert block == Block(id="b", notebook_block_ids=["a", "b"])


def test_a_changed_block_tells_its_version(api: Api) -> None:
    """The answer holds id and version alone."""
    document = {"block": {"id": "b", "version": 4}}
    assert result(api, blocks.update("b", content=""), document) == Block(id="b", version=4)


def test_reordering_tells_the_order_of_all_blocks(api: Api) -> None:
    """Also of those that were not moved."""
    order = result(api, notebooks.reorder_blocks("n", ["b"]), {"blockIds": ["a", "b"]})
    assert order == ["a", "b"]


@pytest.mark.parametrize("call", [schedules.get("n"), schedules.create("n", "0 9 * * *")])
def test_a_schedule_is_read(api: Api, call: Call[Schedule]) -> None:
    """A schedule names its notebook, its fields and its next run."""
    schedule = {
        "notebookId": "n",
        "cron": "0 9 * * *",
        "timezone": "UTC",
        "nextRunAt": "2026-11-20T12:00:00.000Z",
    }
    assert result(api, call, {"schedule": schedule}) == Schedule(
        notebook_id="n", cron="0 9 * * *", timezone="UTC", next_run_at=NOON
    )


@pytest.mark.parametrize(
    "document",
    [
        {"file": {"projectId": "p", "path": "a-1.csv", "size": 7}},
        {"projectId": "p", "path": "a-1.csv", "size": 7},
    ],
)
def test_an_uploaded_file_is_where_the_server_says(api: Api, document: object) -> None:
    """A path that was taken has become another."""
    call = files.upload("p", "a.csv", b"1,2,3,4")
    assert result(api, call, document, 201) == File(project_id="p", path="a-1.csv", size_bytes=7)


@pytest.mark.parametrize("document", [{}, {"file": {"path": "a.csv"}}])
def test_a_copied_file_is_in_the_other_project(api: Api, document: object) -> None:
    """Nobody has seen the answer yet: where it tells nothing, what was asked for counts."""
    call = files.copy("p", "a.csv", target_project_id="q")
    assert result(api, call, document) == File(project_id="q", path="a.csv")


@pytest.mark.parametrize("document", [{}, {"project": {"files": None}}])
def test_a_project_without_files_lists_none(api: Api, document: object) -> None:
    """No list is an empty list."""
    assert result(api, files.list_("p"), document) == []


def test_files_are_listed_from_their_project(api: Api) -> None:
    """They have no listing of their own."""
    document = {"project": {"id": "p", "files": [{"path": "a.csv", "size": 0}]}}
    assert result(api, files.list_("p"), document) == [File(path="a.csv", size_bytes=0)]


def test_integrations_are_read_in_snake_case(api: Api) -> None:
    """Of all answers this one writes its fields so."""
    integration = {
        "id": "i",
        "name": "Warehouse",
        "type": "pgsql",
        "metadata": {"host": "db.example"},
        "is_public": True,
        "created_at": "2026-11-20T12:00:00Z",
        "federated_auth_method": None,
    }
    assert result(api, integrations.list_(), {"integrations": [integration]}).items == [
        Integration(
            id="i",
            name="Warehouse",
            type="pgsql",
            metadata={"host": "db.example"},
            is_public=True,
            created_at=NOON,
        )
    ]


FJORD = {
    "id": "fjord",
    "name": "CPU (Plus)",
    "type": "cpu",
    "vCpus": 4,
    "memoryGiB": 16,
    "gpuCount": 0,
}


def test_machines_are_read_with_their_kind(api: Api) -> None:
    """The kind has the same shape in the list of all and in a machine."""
    kind = MachineType(id="fjord", name="CPU (Plus)", type="cpu", cpus=4.0, memory_gib=16.0, gpus=0)
    assert result(api, machines.list_types(), {"machineTypes": [FJORD]}).items == [kind]
    machine = {"status": "running", "error": None, "startingPhase": None, "type": FJORD}
    assert result(api, machines.get("p"), {"machine": machine}) == Machine(
        status="running", type=kind
    )


@pytest.mark.parametrize(
    "pagination",
    [None, {}, {"nextPageToken": None}, {"nextPageToken": "", "hasMore": False}],
)
def test_a_page_without_a_token_is_the_last(api: Api, pagination: object) -> None:
    """A missing, null or empty token ends the listing, whatever else is said."""
    document = {"runs": [{"runId": "r"}], "pagination": pagination}
    assert result(api, notebooks.list_runs("n"), document) == Page(items=[Run(id="r")])


def test_an_empty_listing_may_leave_out_everything(api: Api) -> None:
    """No list is an empty list."""
    assert result(api, projects.list_(), {}) == Page(items=[])


def test_me_names_key_user_and_workspace(api: Api) -> None:
    """The key is named; its secret, should a server send it, is not kept."""
    document = {
        "apiKey": {"id": "k", "name": "laptop", "key": "canary"},
        "user": {"id": "u", "email": "a@b.example"},
        "workspace": {"id": "w", "slug": "team", "name": "Team"},
        "accessLevel": "editor",
    }
    who = result(api, me.get(), document)
    assert who == Me(
        api_key=ApiKey(id="k", name="laptop"),
        user=User(id="u", email="a@b.example"),
        workspace=Workspace(id="w", slug="team", name="Team"),
        access_level="editor",
    )
    assert "canary" not in repr(who)


def test_an_answer_does_not_show_its_body() -> None:
    """Bodies are large, and an error's may echo the token."""
    assert repr(Answer(status=200, headers={}, body=b"abc")) == "Answer(status=200, 3 bytes)"

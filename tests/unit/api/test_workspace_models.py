"""What calls of the workspace return, in whichever of the known shapes a server answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.api import (
    blocks,
    files,
    integrations,
    machines,
    me,
    notebooks,
    projects,
    schedules,
)
from deepnote_kernel.api.models import (
    ApiKey,
    Block,
    File,
    Folder,
    ImportedNotebook,
    ImportedProject,
    Integration,
    Machine,
    MachineType,
    Me,
    Notebook,
    NotebookInput,
    Page,
    Project,
    Run,
    Schedule,
    StaticFiles,
    User,
    Workspace,
)
from deepnote_kernel.api.responses import Answer
from tests.unit.api.conftest import NOON

if TYPE_CHECKING:
    from deepnote_kernel.api import Call
    from tests.unit.api.conftest import Api


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
    assert api.result(call, document) == Notebook(
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
    assert api.result(call, document) == Project(
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
    assert api.result(projects.get("p"), {"project": document}) == Project(
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
    assert api.result(projects.update("p", sharing_enabled=False), document) == Project(id="p")


def test_an_import_tells_what_it_did(api: Api) -> None:
    """The marks of the new version are kept as they were written, to be sent back."""
    document = {
        "project": {"id": "p", "modifiedAt": "2026-11-20T12:00:00.000Z", "contentHash": "ab"},
        "notebooks": [{"id": "n", "name": "N", "action": "overwritten"}],
    }
    assert api.result(projects.import_("p", b""), document) == ImportedProject(
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
    assert api.result(blocks.get("b"), {"block": BLOCK}) == Block(
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
    block = api.result(blocks.create("n"), document, 201)
    assert block == Block(id="b", notebook_block_ids=["a", "b"])


def test_a_changed_block_tells_its_version(api: Api) -> None:
    """The answer holds id and version alone."""
    document = {"block": {"id": "b", "version": 4}}
    assert api.result(blocks.update("b", content=""), document) == Block(id="b", version=4)


def test_reordering_tells_the_order_of_all_blocks(api: Api) -> None:
    """Also of those that were not moved."""
    order = api.result(notebooks.reorder_blocks("n", ["b"]), {"blockIds": ["a", "b"]})
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
    assert api.result(call, {"schedule": schedule}) == Schedule(
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
    assert api.result(call, document, 201) == File(project_id="p", path="a-1.csv", size_bytes=7)


@pytest.mark.parametrize("document", [{}, {"file": {"path": "a.csv"}}])
def test_a_copied_file_is_in_the_other_project(api: Api, document: object) -> None:
    """Nobody has seen the answer yet: where it tells nothing, what was asked for counts."""
    call = files.copy("p", "a.csv", target_project_id="q")
    assert api.result(call, document) == File(project_id="q", path="a.csv")


@pytest.mark.parametrize("document", [{}, {"project": {"files": None}}])
def test_a_project_without_files_lists_none(api: Api, document: object) -> None:
    """No list is an empty list."""
    assert api.result(files.list_("p"), document) == []


def test_files_are_listed_from_their_project(api: Api) -> None:
    """They have no listing of their own."""
    document = {"project": {"id": "p", "files": [{"path": "a.csv", "size": 0}]}}
    assert api.result(files.list_("p"), document) == [File(path="a.csv", size_bytes=0)]


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
    assert api.result(integrations.list_(), {"integrations": [integration]}).items == [
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
    assert api.result(machines.list_types(), {"machineTypes": [FJORD]}).items == [kind]
    machine = {"status": "running", "error": None, "startingPhase": None, "type": FJORD}
    assert api.result(machines.get("p"), {"machine": machine}) == Machine(
        status="running", type=kind
    )


@pytest.mark.parametrize(
    "pagination",
    [None, {}, {"nextPageToken": None}, {"nextPageToken": "", "hasMore": False}],
)
def test_a_page_without_a_token_is_the_last(api: Api, pagination: object) -> None:
    """A missing, null or empty token ends the listing, whatever else is said."""
    document = {"runs": [{"runId": "r"}], "pagination": pagination}
    assert api.result(notebooks.list_runs("n"), document) == Page(items=[Run(id="r")])


def test_an_empty_listing_may_leave_out_everything(api: Api) -> None:
    """No list is an empty list."""
    assert api.result(projects.list_(), {}) == Page(items=[])


def test_me_names_key_user_and_workspace(api: Api) -> None:
    """The key is named; its secret, should a server send it, is not kept."""
    document = {
        "apiKey": {"id": "k", "name": "laptop", "key": "canary"},
        "user": {"id": "u", "email": "a@b.example"},
        "workspace": {"id": "w", "slug": "team", "name": "Team"},
        "accessLevel": "editor",
    }
    who = api.result(me.get(), document)
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

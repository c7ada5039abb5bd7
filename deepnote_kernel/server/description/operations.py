"""What every operation of the server takes and answers: the table behind ``/openapi.json``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from deepnote_kernel.server.description import answers
from deepnote_kernel.server.execution.kernels import AfterTimeout
from deepnote_kernel.server.execution.streamlit_apps import AppStatus
from deepnote_kernel.server.faults import Fault
from deepnote_kernel.server.routes import (
    blocks,
    faults,
    files,
    notebooks,
    projects,
    runs,
    schedules,
    sessions,
    streamlit_apps,
)
from deepnote_kernel.server.services import MAX_PAGE_SIZE

__all__ = ["COMMON_ERRORS", "OPERATIONS", "Operation"]

COMMON_ERRORS = (400, 401, 413, 429, 500)
"""Any request may be too large, from another host, without a token, or meet a fault on demand."""


class Operation(msgspec.Struct, frozen=True):
    """One method of one path."""

    status: int
    """HTTP status of success."""

    answer: dict[str, Any] | type | str | None = None
    """Shape of the JSON object that is answered, by member or whole; or another media type."""

    body: Any = None
    """Shape of the body."""

    media_type: str = "application/json"
    """Media type of the body."""

    query: type[msgspec.Struct] | None = None
    errors: tuple[int, ...] = ()
    """Statuses beside :data:`COMMON_ERRORS`."""

    is_open: bool = False
    """Whether it needs no token."""


_TIME = Meta(extra_json_schema={"format": "date-time"})


class _Query(msgspec.Struct, kw_only=True, rename="camel"):
    """Base of query parameters."""


class _Page(_Query):
    page_size: Annotated[int, Meta(ge=1, le=MAX_PAGE_SIZE)] | msgspec.UnsetType = msgspec.UNSET
    page_token: str | msgspec.UnsetType = msgspec.UNSET


class _ProjectPage(_Page):
    name_contains: str = ""


class _Delivery(_Query):
    snapshot_delivery: Literal["downloadUrl", "inline", "blocks"] = "downloadUrl"


class _Signature(_Query):
    expires: str
    signature: str


class _OfNotebook(_Query):
    notebook_id: str


class _OfProject(_Query):
    project_id: str


class _Integrations(_Query):
    include_metadata: str = ""
    integration_ids: str = ""


class _File(_Query):
    project_id: str
    path: str


class _Import(_Query):
    base_modified_at: Annotated[str, _TIME] | msgspec.UnsetType = msgspec.UNSET
    base_content_hash: str | msgspec.UnsetType = msgspec.UNSET
    delete_missing_notebooks: bool = False
    force: bool = False


_Bytes = Annotated[Any, Meta(extra_json_schema={"contentMediaType": "application/octet-stream"})]


class _Upload(msgspec.Struct, rename="camel"):
    """Form of ``POST /files``."""

    project_id: str
    path: str
    file: _Bytes


_SESSIONS = {
    "POST /v2/sessions": Operation(
        202,
        {"session": answers.Session, "run": answers.RunStarted},
        body=sessions.CreateBody,
        errors=(404, 409),
    ),
    "GET /v2/sessions": Operation(
        200,
        {"sessions": list[answers.Session], "pagination": answers.Pagination},
        query=_Page,
    ),
    "GET /v2/sessions/{session_id}": Operation(200, {"session": answers.Session}, errors=(404,)),
    "DELETE /v2/sessions/{session_id}": Operation(204, errors=(404,)),
    "POST /v2/sessions/{session_id}/execute": Operation(
        200, {"outputs": list[dict[str, Any]]}, body=sessions.ExecuteBody, errors=(404, 408, 409)
    ),
    "POST /v2/sessions/{session_id}/interrupt": Operation(
        200, {"session": answers.Session}, body=sessions.InterruptBody, errors=(404, 409)
    ),
    "GET /v2/sessions/{session_id}/status": Operation(
        200,
        {"session": answers.Session, "kernel": answers.Kernel},
        query=_OfNotebook,
        errors=(404, 409),
    ),
    "POST /v2/sessions/{session_id}/runs": Operation(
        202, answers.RunStarted, body=sessions.RunBody, errors=(404, 409)
    ),
}

_RUNS = {
    "POST /v2/runs": Operation(202, answers.RunStarted, body=runs.RunBody, errors=(409,)),
    "GET /v2/runs/{run_id}": Operation(
        200, {"run": answers.Run}, query=_Delivery, errors=(404, 409)
    ),
    "GET /v2/snapshots/{run_id}": Operation(
        200, "application/yaml", query=_Signature, errors=(404,), is_open=True
    ),
    "POST /v1/projects/{project_id}/notebooks/{notebook_id}/execute": Operation(
        202, {}, errors=(404, 409)
    ),
}

_NOTEBOOKS = {
    "POST /v2/notebooks": Operation(
        201, {"notebook": answers.Notebook}, body=notebooks.CreateBody, errors=(404, 409)
    ),
    "GET /v2/notebooks/{notebook_id}": Operation(
        200, {"notebook": answers.Notebook}, errors=(404,)
    ),
    "PATCH /v2/notebooks/{notebook_id}": Operation(
        200, {"notebook": answers.NotebookSummary}, body=notebooks.RenameBody, errors=(404, 409)
    ),
    "POST /v2/notebooks/{notebook_id}/reorder-blocks": Operation(
        200, {"blockIds": list[str]}, body=notebooks.ReorderBody, errors=(404, 409)
    ),
    "DELETE /v2/notebooks/{notebook_id}": Operation(204, errors=(404, 409)),
    "GET /v2/notebooks/{notebook_id}/runs": Operation(
        200,
        {"runs": list[answers.RunSummary], "pagination": answers.Pagination},
        query=_Page,
        errors=(404, 409),
    ),
}

_SCHEDULES = {
    "POST /v2/notebooks/{notebook_id}/schedule": Operation(
        200, {"schedule": answers.Schedule}, body=schedules.ScheduleBody, errors=(404, 409)
    ),
    "GET /v2/notebooks/{notebook_id}/schedule": Operation(
        200, {"schedule": answers.Schedule}, errors=(404, 409)
    ),
    "DELETE /v2/notebooks/{notebook_id}/schedule": Operation(204, errors=(404, 409)),
}

_BLOCKS = {
    "POST /v2/blocks": Operation(201, answers.NewBlock, body=blocks.CreateBody, errors=(404, 409)),
    "GET /v2/blocks/{block_id}": Operation(200, {"block": answers.Block}, errors=(404, 409)),
    "PATCH /v2/blocks/{block_id}": Operation(
        200, {"block": answers.BlockVersion}, body=blocks.ChangeBody, errors=(404, 409)
    ),
    "DELETE /v2/blocks/{block_id}": Operation(204, errors=(404, 409)),
}

_PROJECTS = {
    "GET /v2/projects": Operation(
        200,
        {"projects": list[answers.ProjectSummary], "pagination": answers.Pagination},
        query=_ProjectPage,
    ),
    "POST /v2/projects": Operation(201, {"project": answers.Project}, body=projects.CreateBody),
    "GET /v2/projects/{project_id}": Operation(200, {"project": answers.Project}, errors=(404,)),
    "PATCH /v2/projects/{project_id}": Operation(
        200, {"project": answers.Project}, body=projects.ChangeBody, errors=(404, 409)
    ),
    "DELETE /v2/projects/{project_id}": Operation(204, errors=(404,)),
    "GET /v2/projects/{project_id}/export": Operation(200, "application/zip", errors=(404, 409)),
    "POST /v2/projects/{project_id}/import": Operation(
        200,
        {"project": answers.ImportedProject, "notebooks": list[answers.ImportedNotebook]},
        body=_Bytes,
        media_type="application/zip",
        query=_Import,
        errors=(404, 409, 422),
    ),
}

_FILES = {
    "POST /v2/files": Operation(
        201,
        {"file": answers.File},
        body=_Upload,
        media_type="multipart/form-data",
        errors=(404, 409),
    ),
    "DELETE /v2/files": Operation(204, query=_File, errors=(404, 409)),
    "GET /v2/files/download": Operation(
        200, "application/octet-stream", query=_File, errors=(404, 409)
    ),
    "POST /v2/files/copy": Operation(
        201, {"file": answers.File}, body=files.CopyBody, errors=(404, 409)
    ),
}

_STREAMLIT_APPS = {
    "POST /v2/streamlit-apps": Operation(
        201,
        {"streamlitApp": answers.StreamlitApp},
        body=streamlit_apps.CreateBody,
        errors=(404, 409),
    ),
    "GET /v2/streamlit-apps": Operation(
        200,
        {"streamlitApps": list[answers.StreamlitApp]},
        query=_OfProject,
        errors=(404, 409),
    ),
    "GET /v2/streamlit-apps/{app_id}/status": Operation(
        200, {"status": AppStatus}, errors=(404, 409)
    ),
}

_WORKSPACE = {
    "GET /v2/me": Operation(
        200,
        {
            "apiKey": answers.ApiKey,
            "user": answers.User,
            "workspace": answers.Workspace,
            "accessLevel": str,
        },
    ),
    "GET /v2/machine-types": Operation(200, {"machineTypes": list[answers.MachineType]}),
    "GET /v2/projects/{project_id}/machine": Operation(
        200, {"machine": answers.Machine}, errors=(404, 409)
    ),
    "GET /v2/integrations": Operation(
        200, {"integrations": list[answers.Integration]}, query=_Integrations
    ),
}

_FAULTS = {
    "POST /faults": Operation(201, {"fault": answers.FaultInForce}, body=Fault),
    "GET /faults": Operation(200, {"faults": list[answers.FaultInForce]}),
    "DELETE /faults": Operation(204),
    "PUT /faults/limits": Operation(
        200, {"executeMs": int, "afterTimeout": AfterTimeout}, body=faults.LimitsBody
    ),
    "PUT /faults/projects/{project_id}": Operation(
        200, {"id": str, "suspended": bool}, body=faults.ProjectBody, errors=(404,)
    ),
    "POST /faults/sessions/{session_id}/{effect}": Operation(204, errors=(404,)),
    "DELETE /faults/{fault_id}": Operation(204, errors=(404,)),
}

OPERATIONS = {
    "GET /openapi.json": Operation(200, "application/json", is_open=True),
    **_SESSIONS,
    **_RUNS,
    **_NOTEBOOKS,
    **_SCHEDULES,
    **_BLOCKS,
    **_PROJECTS,
    **_FILES,
    **_STREAMLIT_APPS,
    **_WORKSPACE,
    **_FAULTS,
}
"""Every operation by method and path, the path as its route spells it."""

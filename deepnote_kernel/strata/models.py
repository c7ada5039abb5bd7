"""What a Strata server answers, as msgspec structs.

Fields that a server's version does not send have their default, and unknown ones are ignored. Of
the many fields of Strata's answers these are the ones that mean something outside its own editor.

Source: https://strata-notebook.readthedocs.io, REST API Reference, read November 2026, and answers
of the servers 0.5.0 to 0.11.0.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias

from msgspec import field

from deepnote_kernel.api.models import base

__all__ = [
    "AgentRun",
    "AiModels",
    "AiStatus",
    "Build",
    "Cancelled",
    "Cell",
    "CellUpdate",
    "ChatEvent",
    "ChatReply",
    "ChatTurn",
    "Config",
    "Dag",
    "Dependency",
    "Display",
    "Edge",
    "Environment",
    "EnvironmentChange",
    "EnvironmentJob",
    "EnvironmentState",
    "ImportPreview",
    "JsonObject",
    "Materialized",
    "Model",
    "Mount",
    "MutationWarning",
    "Notebook",
    "NotebookEntry",
    "OperationLog",
    "Result",
    "Session",
    "Staleness",
    "TablePage",
    "Tokens",
    "Worker",
    "WorkerCatalog",
]

JsonObject: TypeAlias = dict[str, Any]


class Model(base.Model, frozen=True, kw_only=True, rename="lower"):
    """Base of what comes over the wire; Strata writes its names in snake case, as Python does."""


class Staleness(Model, frozen=True, kw_only=True):
    """Whether a cell's result still holds."""

    status: str = ""
    reasons: list[str] = []
    """``self``, ``upstream``, ``env`` or ``forced``."""


class Display(Model, frozen=True, kw_only=True):
    """One thing a cell has shown."""

    content_type: str = ""
    """``json/object``, ``text/markdown``, ``image/png``, ``arrow/ipc``, ``pickle/object``, …"""

    preview: Any = None
    """A JSON value in full; the first 20 rows of a table; a short text of anything else."""

    type: str = ""
    """The Python type of what has no other form."""

    size_bytes: int = field(name="bytes", default=0)
    rows: int | None = None
    columns: list[str] = []
    inline_data_url: str = ""
    """A picture as a ``data:`` URL."""

    markdown_text: str = ""
    width: int | None = None
    """Pixels."""

    height: int | None = None
    """Pixels."""

    error: str = ""
    """Why the value could not be stored."""

    artifact_uri: str = ""
    """Names the stored value for :func:`~deepnote_kernel.strata.calls.data.page`."""


class MutationWarning(Model, frozen=True, kw_only=True):
    """A cell has changed another cell's value in place; later cells do not see the change."""

    var_name: str = ""
    message: str = ""
    suggestion: str = ""


class Result(Model, frozen=True, kw_only=True):
    """What running a cell came to. A cell that raised is a result, too."""

    cell_id: str
    status: str = ""
    """``ready`` or ``error``."""

    stdout: str = ""
    stderr: str = ""
    displays: list[Display] = []
    outputs: dict[str, Any] = {}
    """Variables stored for other cells, each with its content type; ``_`` is the last display."""

    error: str = ""
    traceback: str = ""
    """Python's traceback; servers before 0.8.0 and warm workers send it within ``error``."""

    error_code: str = ""
    """``cancelled`` where the cell was; empty otherwise and before 0.8.0."""

    duration_ms: float = 0.0
    cache_hit: bool = False
    execution_method: str = ""
    """``cold``, ``warm``, ``cached`` and some more."""

    mutation_warnings: list[MutationWarning] = []
    suggest_install: str = ""
    """A package that would provide a missing module."""


class Cell(Model, frozen=True, kw_only=True):
    """A cell and what is known of its last run."""

    id: str
    source: str = ""
    language: str = "python"
    order: float = 0.0
    status: str = ""
    """``idle``, ``running``, ``ready``, ``error`` or ``stale``."""

    staleness: Staleness = Staleness()
    defines: list[str] = []
    """Names that the cell binds, by static analysis."""

    references: list[str] = []
    """Names that it takes from other cells."""

    mutation_defines: list[str] = []
    upstream_ids: list[str] = []
    downstream_ids: list[str] = []
    is_leaf: bool = True
    """Whether no other cell uses what it defines."""

    artifact_uris: dict[str, str] = {}
    """Where each stored variable lies."""

    display_outputs: list[Display] = []
    console_stdout: str = ""
    console_stderr: str = ""
    error: str = ""
    cache_hit: bool = False
    execution_method: str = ""
    worker: str = ""
    timeout_s: float | None = field(name="timeout", default=None)
    annotations: JsonObject = {}


class Edge(Model, frozen=True, kw_only=True):
    """One cell uses a variable of another."""

    from_cell_id: str
    to_cell_id: str
    variable: str = ""


class Dag(Model, frozen=True, kw_only=True):
    """The graph of a notebook's cells, from their order and the names they use."""

    edges: list[Edge] = []
    roots: list[str] = []
    leaves: list[str] = []
    topological_order: list[str] = []
    variable_producer: dict[str, str] = {}
    """Which cell a variable comes from, by its id."""

    error: str = ""
    """Why there is no graph."""


class CellUpdate(Model, frozen=True, kw_only=True):
    """A cell after a change, and the notebook it has changed with it."""

    cell: Cell
    cells: list[Cell] = []
    dag: Dag = Dag()


class Cancelled(Model, frozen=True, kw_only=True):
    """What cancelling did."""

    cell_id: str = ""
    cancelled: bool = False
    """Whether the cell was running."""

    status: str = ""


class Dependency(Model, frozen=True, kw_only=True):
    """A package."""

    name: str
    version: str = ""
    specifier: str = ""


class Environment(Model, frozen=True, kw_only=True):
    """A notebook's own Python environment."""

    python_version: str = ""
    sync_state: str = ""
    """``pending``, ``ready`` or ``failed``."""

    sync_error: str = ""
    sync_notice: str = ""
    declared_package_count: int = 0
    resolved_package_count: int = 0
    lockfile_hash: str = ""


class EnvironmentJob(Model, frozen=True, kw_only=True):
    """Work on an environment. While one runs, no cell does."""

    id: str
    action: str = ""
    """``add``, ``remove``, ``sync`` or ``import``."""

    status: str = ""
    """``running``, ``completed`` or ``failed``."""

    phase: str = ""
    package: str = ""
    command: str = ""
    stdout: str = ""
    stderr: str = ""
    error: str = ""
    duration_ms: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.status == "running"


class EnvironmentState(Model, frozen=True, kw_only=True):
    """An environment with its packages and the work on it."""

    environment: Environment = Environment()
    job: EnvironmentJob | None = field(name="environment_job", default=None)
    """The job that runs, or the last one."""

    job_history: list[EnvironmentJob] = field(name="environment_job_history", default=[])
    dependencies: list[Dependency] = []
    """What the notebook asks for."""

    resolved_dependencies: list[Dependency] = []
    """What is installed for it."""


class OperationLog(Model, frozen=True, kw_only=True):
    """What the package manager said."""

    command: str = ""
    stdout: str = ""
    stderr: str = ""
    duration_ms: float = 0.0


class EnvironmentChange(EnvironmentState, frozen=True, kw_only=True):
    """An environment after a change that has ended."""

    success: bool = False
    lockfile_changed: bool = False
    imported_count: int = 0
    warnings: list[str] = []
    stale_cell_ids: list[str] = []
    operation_log: OperationLog = OperationLog()


class ImportPreview(Model, frozen=True, kw_only=True):
    """What an import would change."""

    normalized_requirements: list[str] = []
    additions: list[Dependency] = []
    removals: list[Dependency] = []
    unchanged: list[Dependency] = []
    warnings: list[str] = []


class Mount(Model, frozen=True, kw_only=True):
    """A folder or bucket that cells see as a ``pathlib.Path`` of its name."""

    name: str
    uri: str
    mode: Literal["ro", "rw"] = "ro"
    pin: str | None = None
    options: JsonObject = {}
    credential: str | None = None


class Worker(Model, frozen=True, kw_only=True):
    """A place where a notebook's cells can run."""

    name: str
    backend: str = "local"
    """``local`` or ``executor``."""

    config: JsonObject = {}
    """An executor's ``url``, and more."""

    health: str = ""
    last_error: str = ""


class WorkerCatalog(Model, frozen=True, kw_only=True):
    """The workers a notebook may choose from."""

    worker: str = ""
    """The chosen one, where the answer names it."""

    workers: list[Worker] = []
    configured_workers: list[Worker] = []
    definitions_editable: bool = False


class Session(Model, frozen=True, kw_only=True):
    """A notebook that a server has open."""

    session_id: str
    name: str = ""
    path: str = ""
    notebook_id: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


class NotebookEntry(Model, frozen=True, kw_only=True):
    """A notebook in a server's folder, open or not."""

    path: str
    name: str = ""
    notebook_id: str = ""
    updated_at: datetime | None = None


class Notebook(Model, frozen=True, kw_only=True):
    """An open notebook, whole."""

    session_id: str
    """Names it in every call; the id in its file does not."""

    id: str = ""
    """The id in its file."""

    name: str = ""
    path: str = ""
    cells: list[Cell] = []
    dag: Dag | None = None
    environment: Environment = Environment()
    job: EnvironmentJob | None = field(name="environment_job", default=None)
    worker: str = ""
    workers: list[Worker] = []
    mounts: list[Mount] = []
    timeout_s: float | None = field(name="timeout", default=None)
    env: dict[str, str] = {}


class Config(Model, frozen=True, kw_only=True):
    """How a server runs notebooks."""

    deployment_mode: str = ""
    """``personal`` or ``service``."""

    default_parent_path: str = ""
    """Folder that new notebooks go to."""

    available_python_versions: list[str] = []
    default_python_version: str = ""
    python_selection_fixed: bool = False


class TablePage(Model, frozen=True, kw_only=True):
    """Rows of a stored table."""

    pageable: bool = False
    """Whether the value is a table at all."""

    columns: list[Any] = []
    rows: list[list[Any]] = []
    total: int = 0
    offset: int = 0
    limit: int = 0


class AiStatus(Model, frozen=True, kw_only=True):
    """Whether a notebook's assistant can be asked."""

    available: bool = False
    model: str = ""
    provider: str = ""


class AiModels(Model, frozen=True, kw_only=True):
    """The language models of a notebook's provider."""

    models: list[str] = []
    current: str = ""
    provider: str = ""


class ChatTurn(Model, frozen=True, kw_only=True):
    """One earlier message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


class Tokens(Model, frozen=True, kw_only=True):
    """What an answer has cost."""

    input: int = 0
    output: int = 0


class ChatReply(Model, frozen=True, kw_only=True):
    """The assistant's whole answer."""

    content: str = ""
    model: str = ""
    tokens: Tokens = Tokens()


class ChatEvent(Model, frozen=True, kw_only=True):
    """A piece of the assistant's answer."""

    kind: str
    """``delta`` with text, ``done`` with model and tokens, or ``error`` with a message."""

    text: str = ""
    model: str = ""
    tokens: Tokens = Tokens()
    message: str = ""


class AgentRun(Model, frozen=True, kw_only=True):
    """The assistant at work; the notebook's socket tells what it does."""

    job_id: str
    status: str = ""


class Materialized(Model, frozen=True, kw_only=True):
    """A transform's result, ready or under way."""

    hit: bool = False
    """Whether it was there before."""

    artifact_uri: str = ""
    state: str = ""
    build_id: str = ""
    stream_id: str = ""
    stream_url: str = ""
    """Path that its Arrow bytes can be read from; empty where a build must end first."""


class Build(Model, frozen=True, kw_only=True):
    """The making of an artifact."""

    build_id: str = ""
    state: str = ""
    """``pending``, ``building``, ``ready`` or ``failed``."""

    artifact_id: str = ""
    version: int = 0
    error_message: str = ""

"""What a Strata server answers, as msgspec structs.

Fields that a server's version does not send have their default, and unknown ones are ignored. Of
the many fields of Strata's answers these are the ones that mean something outside its own editor.

Source: https://strata-notebook.readthedocs.io, REST API Reference, read November 2026, and answers
of the servers 0.5.0 to 0.11.0.
"""

from __future__ import annotations

from deepnote_kernel.strata.models.ai import (
    AgentRun,
    AiModels,
    AiStatus,
    ChatEvent,
    ChatReply,
    ChatTurn,
    Tokens,
)
from deepnote_kernel.strata.models.base import (
    JsonObject,
    Model,
)
from deepnote_kernel.strata.models.cells import (
    Cancelled,
    Cell,
    CellUpdate,
    Dag,
    Display,
    Edge,
    MutationWarning,
    Result,
    Staleness,
    TablePage,
)
from deepnote_kernel.strata.models.core import (
    Build,
    Materialized,
)
from deepnote_kernel.strata.models.environment import (
    Dependency,
    Environment,
    EnvironmentChange,
    EnvironmentJob,
    EnvironmentState,
    ImportPreview,
    OperationLog,
)
from deepnote_kernel.strata.models.notebooks import (
    Config,
    Mount,
    Notebook,
    NotebookEntry,
    Session,
    Worker,
    WorkerCatalog,
)

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

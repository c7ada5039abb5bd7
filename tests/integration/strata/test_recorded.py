"""Every call, against what real servers of two versions have answered. Needs no server."""

from __future__ import annotations

import importlib
import io
import pkgutil
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.errors import BadRequestError, UnsupportedError
from deepnote_kernel.strata import Client, calls
from deepnote_kernel.strata.arrow import read_table
from deepnote_kernel.strata.models import Mount
from tests.integration.strata import assistant
from tests.integration.strata.recording import VERSIONS, replay
from tests.integration.strata.servers import serve
from tests.integration.strata.tour import tour

if TYPE_CHECKING:
    from collections.abc import Callable

LACKS = {
    "0.11.0": {
        "ai.status",
        "ai.models",
        "ai.choose_model",
        "ai.complete",
        "ai.stream",
        "ai.run_agent",
        "ai.reset_agent",
    },
    "0.7.0": {"cells.cancel", "notebooks.close", "data.blob"},
}

# A server of version 0.7.0 reads no YAML unless PyYAML happens to be installed with it.
REFUSES = {"0.11.0": set(), "0.7.0": {"environment.preview_yaml", "environment.import_yaml"}}

NOTHING = {
    "notebooks.rename",
    "notebooks.set_timeout",
    "notebooks.set_env",
    "notebooks.close",
    "notebooks.delete",
    "notebooks.delete_by_path",
    "ai.reset_agent",
}

FACTS: dict[str, Callable[[Any], object]] = {
    "notebooks.config": lambda r: (r.deployment_mode, r.default_parent_path),
    "notebooks.create": lambda r: (r.name, r.path, r.job.action),
    "notebooks.open_": lambda r: (r.name, r.environment.sync_state, r.dag.edges),
    "notebooks.discover": lambda r: [entry.name for entry in r],
    "notebooks.dag": lambda r: ([edge.variable for edge in r.edges], len(r.topological_order)),
    "notebooks.export": lambda r: "notebook.toml" in str(zipfile.ZipFile(io.BytesIO(r)).namelist()),
    "sessions.list_": lambda r: [session.name for session in r],
    "sessions.get": lambda r: (r.name, r.timeout_s, r.env),
    "cells.list_": lambda r: [(c.order, c.status, c.console_stdout, c.is_leaf) for c in r],
    "cells.add": lambda r: (r.source, r.status, r.language),
    "cells.update": lambda r: (r.cell.defines, len(r.cells), r.dag.roots == [r.cell.id]),
    "cells.delete": len,
    "cells.reorder": lambda r: [c.order for c in r],
    "cells.execute": lambda r: (r.status, r.stdout, r.displays[0].rows, r.outputs["table"]["rows"]),
    "cells.cancel": lambda r: (r.cancelled, r.status),
    "data.blob": lambda r: read_table(r).num_rows,
    "data.page": lambda r: (r.pageable, r.rows, r.total),
    "data.export": lambda r: r[:4],
    "environment.get": lambda r: [d.name for d in r.dependencies],
    "environment.list_dependencies": lambda r: [d.name for d in r.dependencies],
    "environment.add_dependency": lambda r: (
        r.success,
        r.lockfile_changed,
        r.operation_log.command,
    ),
    "environment.remove_dependency": lambda r: (r.success, [d.name for d in r.dependencies]),
    "environment.sync": lambda r: (r.lockfile_changed, r.environment.sync_state),
    "environment.start_job": lambda r: (r.job.action, r.job.is_running),
    "environment.current_job": lambda r: (r.job.status, r.job.phase, len(r.job_history) > 1),
    "environment.export_requirements": str.split,
    "environment.preview_requirements": lambda r: [d.name for d in r.additions],
    "environment.import_requirements": lambda r: (r.success, r.imported_count),
    "environment.preview_yaml": lambda r: [d.name for d in r.additions + r.unchanged],
    "environment.import_yaml": lambda r: (r.success, r.imported_count),
    "workers.list_": lambda r: [(w.name, w.health) for w in r.workers],
    "workers.set_catalog": lambda r: [(w.name, w.config["url"]) for w in r.configured_workers],
    "workers.choose": lambda r: r.worker,
    "mounts.set_": list,
    "ai.status": lambda r: (r.available, r.model),
    "ai.models": lambda r: r.models,
    "ai.choose_model": lambda r: r.model,
    "ai.complete": lambda r: (r.content[:9], r.tokens.input, r.tokens.output),
    "ai.stream": lambda r: [event.kind for event in r],
    "ai.run_agent": lambda r: (r.status, bool(r.job_id)),
    "core.materialize": lambda r: (r.hit, r.state, r.stream_url == f"/v1/streams/{r.stream_id}"),
    "core.stream": lambda r: read_table(r).num_rows,
    "core.build": lambda r: (r.state, r.version),
    "core.artifact": lambda r: read_table(r).column_names,
}

BASE = ["pyarrow>=18.0.0", "orjson>=3.10.0", "cloudpickle>=3.0.0"]
NAMES = ["pyarrow", "orjson", "cloudpickle"]

EXPECTED: dict[str, object] = {
    "notebooks.config": ("personal", "/srv/strata/notebooks"),
    "notebooks.create": ("Tour", "/srv/strata/notebooks/tour", "sync"),
    "notebooks.open_": ("Tour", "ready", []),
    "notebooks.discover": ["Tour"],
    "notebooks.dag": (["table"], 2),
    "notebooks.export": True,
    "sessions.list_": ["Tour of Strata"],
    "sessions.get": ("Tour of Strata", 60.0, {"A": "b"}),
    "cells.list_": [(0.0, "ready", "hi\n", False), (1.0, "idle", "", True)],
    "cells.add": ("", "idle", "python"),
    "cells.update": (["pa", "table"], 1, True),
    "cells.delete": 1,
    "cells.reorder": [0.0, 1.0],
    "cells.execute": ("ready", "hi\n", 3, 3),
    "cells.cancel": (False, "ready"),
    "data.blob": 3,
    "data.page": (True, [[1], [2], [3]], 3),
    "data.export": b"PAR1",
    "environment.get": NAMES,
    "environment.list_dependencies": [*NAMES, "six"],
    "environment.add_dependency": (True, True, "uv add six"),
    "environment.remove_dependency": (True, NAMES),
    "environment.sync": (False, "ready"),
    "environment.start_job": ("sync", True),
    "environment.current_job": ("completed", "completed", True),
    "environment.export_requirements": BASE,
    "environment.preview_requirements": ["six"],
    "environment.import_requirements": (True, 3),
    "environment.preview_yaml": ["cloudpickle", "orjson", "pyarrow"],
    "environment.import_yaml": (True, 3),
    "workers.list_": [("local", "healthy")],
    "workers.set_catalog": [("far", "http://127.0.0.1:9")],
    "workers.choose": "local",
    "mounts.set_": [Mount(name="srv", uri="file:///srv")],
    "ai.status": (True, assistant.MODEL),
    "ai.models": ["another", assistant.MODEL],
    "ai.choose_model": assistant.MODEL,
    "ai.complete": ("You said:", 7, 3),
    "ai.stream": ["delta", "delta", "delta", "done"],
    "ai.run_agent": ("started", True),
    "core.materialize": (False, "building", True),
    "core.stream": 1000,
    "core.build": ("ready", 1),
    "core.artifact": ["value"],
}


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """Give a version whose answers were recorded."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def results(version: str) -> dict[str, Any]:
    """Give the result of every call, by its name."""
    with serve(replay(version)) as url, Client(url) as client:
        return dict(tour(client))


def test_every_call_is_on_the_tour(results: dict[str, Any]) -> None:
    """No call of the client is left out."""
    modules = [name for _, name, _ in pkgutil.iter_modules(calls.__path__) if name[0] != "_"]
    functions = {
        f"{module}.{name}"
        for module in modules
        for name in importlib.import_module(f"{calls.__name__}.{module}").__all__
        if name[0].islower()
    }
    assert functions == results.keys() == FACTS.keys() | NOTHING == EXPECTED.keys() | NOTHING


@pytest.mark.parametrize("name", FACTS)
def test_an_answer_is_read(version: str, results: dict[str, Any], name: str) -> None:
    """What matters of a recorded answer is in the call's result, or the version lacks the call."""
    result = results[name]
    if name in LACKS[version]:
        assert isinstance(result, UnsupportedError)
        assert str(result).startswith(f"Strata {version} has no ")
    elif name in REFUSES[version]:
        assert isinstance(result, BadRequestError)
    else:
        assert FACTS[name](result) == EXPECTED[name]


def test_calls_without_a_result_succeed(version: str, results: dict[str, Any]) -> None:
    """They return nothing, and fail only where the version lacks them."""
    assert {name for name in NOTHING if results[name] is not None} == NOTHING & LACKS[version]

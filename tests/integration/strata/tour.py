"""One tour through every call of a Strata server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from deepnote_kernel.errors import DeepnoteError
from deepnote_kernel.strata.calls import (
    ai,
    cells,
    core,
    data,
    environment,
    mounts,
    notebooks,
    sessions,
    workers,
)
from deepnote_kernel.strata.models import Mount, Worker
from tests.integration.strata import assistant
from tests.integration.strata.servers import wait_for_job
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepnote_kernel.api import Call
    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.models import Notebook

T = TypeVar("T")
Steps: TypeAlias = "Iterator[tuple[str, Any]]"

WAREHOUSE = "/srv/strata/warehouse"

_SOURCE = """\
import pyarrow as pa
table = pa.table({"n": [1, 2, 3]})
print("hi")
table
"""
_YAML = "dependencies:\n  - pip:\n    - cloudpickle\n    - orjson\n    - pyarrow\n"


def tour(client: Client, warehouse: str = WAREHOUSE) -> Steps:
    """Send every call; yield its name and its result, or the error that it ended in.

    Args:
        client: A client of a server.
        warehouse: A folder that ``warehouse.py`` has filled.
    """
    config = client.send(notebooks.config())
    yield "notebooks.config", config
    notebook = client.send(notebooks.create("Tour", parent_path=config.default_parent_path))
    yield "notebooks.create", notebook
    wait_for_job(client, notebook.session_id)
    yield from _notebook(client, notebook)
    for stage in (_cells, _environment, _places, _assistant):
        yield from stage(client, notebook.session_id)
    yield from _core(client, f"file://{warehouse}#db.events")
    yield from _end(client, notebook)
    other = client.send(notebooks.create("Other", parent_path=config.default_parent_path))
    wait_for_job(client, other.session_id)
    yield "notebooks.delete", _tried(client, notebooks.delete(other.session_id))


def _tried(client: Client, call: Call[T]) -> T | DeepnoteError:
    try:
        return client.send(call)
    except DeepnoteError as error:
        return error


def _notebook(client: Client, notebook: Notebook) -> Steps:
    session_id = notebook.session_id
    yield "notebooks.open_", _tried(client, notebooks.open_(notebook.path))
    yield "notebooks.discover", _tried(client, notebooks.discover())
    yield "notebooks.rename", _tried(client, notebooks.rename(session_id, "Tour of Strata"))
    yield "notebooks.set_timeout", _tried(client, notebooks.set_timeout(session_id, 60))
    yield "notebooks.set_env", _tried(client, notebooks.set_env(session_id, {"A": "b"}))
    yield "sessions.list_", _tried(client, sessions.list_())
    yield "sessions.get", _tried(client, sessions.get(session_id))


def _cells(client: Client, session_id: str) -> Steps:
    cell = client.send(cells.add(session_id))
    yield "cells.add", cell
    yield "cells.update", _tried(client, cells.update(session_id, cell.id, source=_SOURCE))
    user = client.send(cells.add(session_id))
    client.send(cells.update(session_id, user.id, source="table.num_rows"))
    yield "cells.execute", _tried(client, cells.execute(session_id, cell.id))
    yield "cells.cancel", _tried(client, cells.cancel(session_id, cell.id))
    listed = client.send(cells.list_(session_id))
    yield "cells.list_", listed
    yield "notebooks.dag", _tried(client, notebooks.dag(session_id))
    uri = listed[0].artifact_uris["table"]
    yield "data.blob", _tried(client, data.blob(session_id, cell.id, 0))
    yield "data.page", _tried(client, data.page(session_id, cell.id, artifact_uri=uri))
    yield "data.export", _tried(client, data.export(session_id, cell.id, artifact_uri=uri))
    yield "cells.reorder", _tried(client, cells.reorder(session_id, [user.id, cell.id]))
    yield "cells.delete", _tried(client, cells.delete(session_id, user.id))


def _environment(client: Client, session_id: str) -> Steps:
    e = environment
    yield "environment.get", _tried(client, e.get(session_id))
    yield "environment.add_dependency", _tried(client, e.add_dependency(session_id, "six"))
    yield "environment.list_dependencies", _tried(client, e.list_dependencies(session_id))
    yield "environment.remove_dependency", _tried(client, e.remove_dependency(session_id, "six"))
    yield "environment.sync", _tried(client, e.sync(session_id))
    yield "environment.start_job", _tried(client, e.start_job(session_id, "sync"))
    wait_for_job(client, session_id)
    yield "environment.current_job", _tried(client, e.current_job(session_id))
    text = client.send(e.export_requirements(session_id))
    yield "environment.export_requirements", text
    preview = e.preview_requirements(session_id, f"{text}six\n")
    yield "environment.preview_requirements", _tried(client, preview)
    yield "environment.import_requirements", _tried(client, e.import_requirements(session_id, text))
    yield "environment.preview_yaml", _tried(client, e.preview_yaml(session_id, _YAML))
    yield "environment.import_yaml", _tried(client, e.import_yaml(session_id, _YAML))


def _places(client: Client, session_id: str) -> Steps:
    yield "workers.list_", _tried(client, workers.list_(session_id))
    far = Worker(name="far", backend="executor", config={"url": "http://127.0.0.1:9"})
    yield "workers.set_catalog", _tried(client, workers.set_catalog(session_id, [far]))
    yield "workers.choose", _tried(client, workers.choose(session_id, "local"))
    mount = Mount(name="srv", uri="file:///srv")
    yield "mounts.set_", _tried(client, mounts.set_(session_id, [mount]))


def _assistant(client: Client, session_id: str) -> Steps:
    yield "ai.status", _tried(client, ai.status(session_id))
    yield "ai.models", _tried(client, ai.models(session_id))
    yield "ai.choose_model", _tried(client, ai.choose_model(session_id, assistant.MODEL))
    yield "ai.complete", _tried(client, ai.complete(session_id, "hi"))
    yield "ai.stream", _tried(client, ai.stream(session_id, "hi"))
    yield "ai.run_agent", _tried(client, ai.run_agent(session_id, "hi"))
    yield "ai.reset_agent", _tried(client, ai.reset_agent(session_id))


def _core(client: Client, uri: str) -> Steps:
    scan = client.send(core.materialize([uri], params={"columns": ["id"]}))
    yield "core.materialize", scan
    yield "core.stream", _tried(client, core.stream(scan.stream_url))
    made = client.send(core.materialize([uri], params={"columns": ["value"]}, mode="artifact"))
    wait_until(lambda: client.send(core.build(made.build_id)).state == "ready")
    build = client.send(core.build(made.build_id))
    yield "core.build", build
    yield "core.artifact", _tried(client, core.artifact(build.artifact_id, build.version))


def _end(client: Client, notebook: Notebook) -> Steps:
    yield "notebooks.export", _tried(client, notebooks.export(notebook.session_id))
    yield "notebooks.close", _tried(client, notebooks.close(notebook.session_id))
    yield "notebooks.delete_by_path", _tried(client, notebooks.delete_by_path(notebook.path))

"""A notebook's environment on a real server: packages, jobs, imports and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deepnote_kernel.strata.calls import cells, environment
from tests.integration.strata.servers import wait_for_job

if TYPE_CHECKING:
    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.models import Dependency, Notebook

BASE = "cloudpickle>=3.0\norjson>=3.10\npyarrow>=18.0\n"

YAML = """\
dependencies:
  - pip:
    - cloudpickle>=3.0
    - orjson>=3.10
    - pyarrow>=18.0
    - packaging
"""


def names(dependencies: list[Dependency]) -> set[str]:
    """Return the names of packages."""
    return {dependency.name for dependency in dependencies}


@pytest.fixture
def session_id(client: Client, notebook: Notebook) -> str:
    """Give a notebook with the packages that every notebook has, and no others."""
    client.send(environment.import_requirements(notebook.session_id, BASE))
    return notebook.session_id


def test_get_tells_python_packages_and_the_last_job(client: Client, session_id: str) -> None:
    """A new notebook's environment is ready and was made by a job."""
    state = client.send(environment.get(session_id))
    assert (state.environment.sync_state, state.environment.declared_package_count) == ("ready", 3)
    assert state.environment.python_version.startswith("3.")
    assert state.job is not None
    assert (state.job.action, state.job.status, state.job.is_running) == (
        "sync",
        "completed",
        False,
    )


def test_list_dependencies_has_what_is_asked_for_and_what_is_there(
    client: Client, session_id: str
) -> None:
    """Every notebook begins with three packages; installed ones have a version."""
    state = client.send(environment.list_dependencies(session_id))
    assert names(state.dependencies) == {"cloudpickle", "orjson", "pyarrow"}
    assert all(dependency.version for dependency in state.resolved_dependencies)


def test_a_package_is_added_used_and_removed(client: Client, session_id: str) -> None:
    """A cell can import what was added."""
    added = client.send(environment.add_dependency(session_id, "six>=1.16"))
    assert (added.success, added.lockfile_changed) == (True, True)
    assert "six" in names(added.dependencies)
    cell = client.send(cells.add(session_id))
    client.send(cells.update(session_id, cell.id, source="import six\nprint(six.__name__)"))
    assert client.send(cells.execute(session_id, cell.id)).stdout == "six\n"
    removed = client.send(environment.remove_dependency(session_id, "six"))
    assert cell.id in removed.stale_cell_ids
    assert "six" not in names(removed.dependencies)


def test_a_job_is_watched_to_its_end(client: Client, session_id: str) -> None:
    """Starting a job returns at once; the current job then tells how it ends."""
    started = client.send(environment.start_job(session_id, "add", package="six"))
    assert started.job is not None
    assert (started.job.action, started.job.package, started.job.is_running) == ("add", "six", True)
    wait_for_job(client, session_id)
    ended = client.send(environment.current_job(session_id))
    assert ended.job is not None
    assert (ended.job.id, ended.job.status) == (started.job.id, "completed")
    assert "six" in names(ended.dependencies)


@pytest.mark.parametrize(
    ("action", "options"),
    [
        ("sync", {}),
        ("remove", {"package": "six"}),
        ("import", {"requirements": f"{BASE}six\n"}),
        ("import", {"environment_yaml": YAML}),
    ],
    ids=["sync", "remove", "import requirements", "import environment.yaml"],
)
def test_each_action_of_a_job_completes(
    client: Client, session_id: str, action: environment.Action, options: dict[str, str]
) -> None:
    """The other actions are done by jobs, too."""
    client.send(environment.add_dependency(session_id, "six"))
    client.send(environment.start_job(session_id, action, **options))
    wait_for_job(client, session_id)
    job = client.send(environment.current_job(session_id)).job
    assert job is not None
    assert (job.action, job.status) == (action, "completed"), job


def test_sync_waits_for_the_end(client: Client, session_id: str) -> None:
    """Synchronizing what is in order changes nothing."""
    change = client.send(environment.sync(session_id))
    assert (change.environment.sync_state, change.lockfile_changed) == ("ready", False)


def test_requirements_are_exported_as_text(client: Client, session_id: str) -> None:
    """The text is that of a requirements file."""
    text = client.send(environment.export_requirements(session_id))
    assert sorted(text.split()) == BASE.split()


def test_requirements_are_imported(client: Client, session_id: str) -> None:
    """The file's packages take the place of those the notebook had."""
    change = client.send(environment.import_requirements(session_id, f"{BASE}six\n"))
    assert (change.success, change.imported_count) == (True, 4)
    assert "six" in names(change.dependencies)


def test_a_preview_of_requirements_changes_nothing(client: Client, session_id: str) -> None:
    """It tells what an import would add, and leaves the notebook as it was."""
    preview = client.send(environment.preview_requirements(session_id, f"{BASE}six\n"))
    assert (names(preview.additions), names(preview.removals)) == ({"six"}, set())
    assert "six" not in names(client.send(environment.list_dependencies(session_id)).dependencies)


def test_an_environment_yaml_is_imported(client: Client, session_id: str) -> None:
    """The pip packages of a conda file are installed."""
    change = client.send(environment.import_yaml(session_id, YAML))
    assert (change.success, change.imported_count) == (True, 4)
    assert "packaging" in names(change.dependencies)


def test_a_preview_of_an_environment_yaml_warns_of_what_it_ignores(
    client: Client, session_id: str
) -> None:
    """A pin of Python is not for the notebook to take."""
    text = YAML.replace("  - pip:", "  - python=3.12\n  - pip:")
    preview = client.send(environment.preview_yaml(session_id, text))
    assert names(preview.additions) == {"packaging"}
    assert "python" in preview.warnings[0]

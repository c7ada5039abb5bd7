"""Workers and mounts on a real server: where cells run, and what they see of other disks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.strata.calls import cells, mounts, sessions, workers
from deepnote_kernel.strata.models import Mount, Worker

if TYPE_CHECKING:
    from pathlib import Path

    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.models import Notebook


def test_list_has_the_servers_own_machine(client: Client, notebook: Notebook) -> None:
    """Every notebook may run where the server does."""
    catalog = client.send(workers.list_(notebook.session_id))
    assert ("local", "local", "healthy") in [(w.name, w.backend, w.health) for w in catalog.workers]


def test_the_catalog_takes_a_worker_and_probes_it(client: Client, notebook: Notebook) -> None:
    """A defined worker is listed with its health; nothing listens at this one's address."""
    far = Worker(name="far", backend="executor", config={"url": "http://127.0.0.1:9/x"})
    catalog = client.send(workers.set_catalog(notebook.session_id, [far]))
    assert [(w.name, w.config["url"]) for w in catalog.configured_workers] == [
        ("far", "http://127.0.0.1:9/x")
    ]
    assert ("far", "unavailable") in [(w.name, w.health) for w in catalog.workers]


def test_choose_makes_the_cells_run_elsewhere(client: Client, notebook: Notebook) -> None:
    """A cell on a worker that nobody knows fails; back on the server's machine it runs."""
    cell = client.send(cells.add(notebook.session_id))
    client.send(cells.update(notebook.session_id, cell.id, source="print('ran')"))
    assert client.send(workers.choose(notebook.session_id, "nowhere")).worker == "nowhere"
    failed = client.send(cells.execute(notebook.session_id, cell.id))
    client.send(workers.choose(notebook.session_id, None))
    ran = client.send(cells.execute(notebook.session_id, cell.id))
    assert (failed.status, ran.status, ran.stdout) == ("error", "ready", "ran\n")
    assert "nowhere" in failed.error


def test_a_mount_is_a_path_in_the_cells(client: Client, notebook: Notebook, tmp_path: Path) -> None:
    """A mounted folder is there under its name, and the notebook tells which it has."""
    (tmp_path / "greeting").write_text("hello")
    mount = Mount(name="letters", uri=tmp_path.as_uri())
    assert client.send(mounts.set_(notebook.session_id, [mount])) == [mount]
    assert client.send(sessions.get(notebook.session_id)).mounts == [mount]
    cell = client.send(cells.add(notebook.session_id))
    source = "print((letters / 'greeting').read_text())"
    client.send(cells.update(notebook.session_id, cell.id, source=source))
    assert client.send(cells.execute(notebook.session_id, cell.id)).stdout == "hello\n"
    assert client.send(mounts.set_(notebook.session_id, [])) == []

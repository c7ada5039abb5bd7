"""What there is on the servers: projects, notebooks and their last runs."""

from __future__ import annotations

import contextlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from deepnote_kernel.api import me, notebooks, projects
from deepnote_kernel.api.models import Workspace
from deepnote_kernel.commands.names import latest_runs
from deepnote_kernel.config import DEFAULT_BASE_URL, LOCAL
from deepnote_kernel.errors import DeepnoteError
from deepnote_kernel.jupyter_server.models import (
    NotebookView,
    ProjectView,
    RunView,
    WorkspaceView,
    age_s,
)
from deepnote_kernel.session import local
from deepnote_kernel.session.clients import open_blocking_client
from deepnote_kernel.session.pages import notebook_page, project_page

if TYPE_CHECKING:
    from deepnote_kernel.api import Client
    from deepnote_kernel.api.models import Project, Run
    from deepnote_kernel.config import Settings

__all__ = ["Workspaces"]

_RUNS: Final = 10


class Workspaces:
    """What the browser is told of servers, and what it was told already. All methods block."""

    def __init__(self) -> None:
        self._notebooks: dict[tuple[str, str], NotebookView] = {}

    def all(self, settings: Settings) -> list[WorkspaceView]:
        """Return what there is on the server of the settings and on this computer's.

        Args:
            settings: Which server, and the token for it.
        """
        servers = dict.fromkeys([settings.base_url, LOCAL])
        return [self._workspace(settings.replace(base_url=server)) for server in servers]

    def known(self, server: str, notebook_id: str) -> NotebookView:
        """Return a notebook as far as it is known without asking.

        Args:
            server: The server's address, or ``local``.
            notebook_id: The notebook.
        """
        return self._notebooks.get((server, notebook_id)) or NotebookView(id=notebook_id)

    def notebook(self, settings: Settings, notebook_id: str) -> NotebookView:
        """Return a notebook, asked for once; its id alone where the server has no more to say.

        Args:
            settings: Its server, which is on.
            notebook_id: The notebook.
        """
        server = settings.base_url
        if (server, notebook_id) not in self._notebooks:
            with contextlib.suppress(DeepnoteError), open_blocking_client(settings) as client:
                project_id = client.send(notebooks.get(notebook_id)).project_id
                project = client.send(projects.get(project_id))
                self._project(server, _workspace(client, server), project)
        # A session may go by its own copy of the notebook, which no project lists.
        return self._notebooks.setdefault((server, notebook_id), NotebookView(id=notebook_id))

    def _workspace(self, settings: Settings) -> WorkspaceView:
        is_local, server = settings.is_local, settings.base_url
        if is_local and local.find() is None:
            return WorkspaceView(is_local=True, server=server, is_on=False)
        try:
            with open_blocking_client(settings) as client:
                workspace = _workspace(client, server)
                found = [*client.iterate(projects.list_())]
                shown = [self._project(server, workspace, project) for project in found]
                ran = (notebook for project in found for notebook in project.notebooks)
                runs = sorted(latest_runs(client, ran), key=_started_at, reverse=True)
        except DeepnoteError as error:
            return WorkspaceView(is_local=is_local, server=server, problem=str(error))
        return WorkspaceView(
            is_local=is_local,
            server=server,
            projects=shown,
            runs=[self._run(server, run) for run in runs[:_RUNS]],
        )

    def _project(self, server: str, workspace: Workspace, project: Project) -> ProjectView:
        """Return a project, and keep what its notebooks are called."""
        views = [
            NotebookView(
                id=notebook.id,
                name=notebook.name,
                project=project.name,
                url=notebook_page(workspace, project.id, notebook.id),
            )
            for notebook in project.notebooks
        ]
        self._notebooks.update({(server, view.id): view for view in views})
        return ProjectView(
            id=project.id,
            name=project.name,
            url=project_page(workspace, project.id),
            notebooks=views,
        )

    def _run(self, server: str, run: Run) -> RunView:
        started, ended = run.created_at, run.completed_at
        return RunView(
            id=run.id,
            notebook=self.known(server, run.notebook_id),
            state=run.status,
            age_s=age_s(started) if started else None,
            took_s=(ended - started).total_seconds() if started and ended else None,
        )


def _workspace(client: Client, server: str) -> Workspace:
    """Return the workspace, which pages are found by; other servers than Deepnote have none."""
    return client.send(me.get()).workspace if server == DEFAULT_BASE_URL else Workspace()


def _started_at(run: Run) -> datetime:
    return run.created_at or datetime.min.replace(tzinfo=timezone.utc)

"""An empty notebook is found or made, and the user's own notebooks are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deepnote_kernel.errors import ConfigError
from deepnote_kernel.session import scratch

if TYPE_CHECKING:
    from tests.unit.session.conftest import Api

OTHER_KIND = {"id": "p0", "name": scratch.NAME, "projectType": "agent"}
OTHER_NAME = {"id": "p9", "name": f"My {scratch.NAME}", "projectType": "standard"}
OURS = {"id": "p1", "name": scratch.NAME, "projectType": "standard"}


def listing(*projects: dict[str, Any]) -> httpx.Response:
    """Answer a search for projects."""
    pagination = {"nextPageToken": None, "hasMore": False}
    return httpx.Response(200, json={"projects": projects, "pagination": pagination})


def project(project_id: str, **notebooks: str) -> httpx.Response:
    """Answer a question about one project; notebooks are given as ``id=name``."""
    listed = [{"id": key, "name": name} for key, name in notebooks.items()]
    return httpx.Response(200, json={"project": {**OURS, "id": project_id, "notebooks": listed}})


def notebook(notebook_id: str, *contents: str) -> httpx.Response:
    """Answer a question about one notebook."""
    blocks = [{"id": f"b{n}", "type": "code", "content": text} for n, text in enumerate(contents)]
    return httpx.Response(200, json={"notebook": {"id": notebook_id, "blocks": blocks}})


def find(api: Api, project_id: str = "") -> str:
    """Find or make a scratch notebook."""
    return api.run(lambda client: scratch.find_or_create(client, project_id))


def test_project_is_made_where_there_is_none(api: Api) -> None:
    """The first session makes the project and uses the notebook that comes with it."""
    api.on("GET projects", listing(OTHER_KIND, OTHER_NAME))
    api.on("POST projects", project("p1", n1="Notebook 1"))
    api.on("GET n1", notebook("n1"))
    assert find(api) == "n1"
    assert api.bodies("POST projects") == [{"name": scratch.NAME, "projectType": "standard"}]


def test_empty_notebook_is_used_again(api: Api) -> None:
    """A second session makes nothing; blank blocks count as empty."""
    api.on("GET projects", listing(OTHER_KIND, OURS))
    api.on("GET p1", project("p1", n1="Notebook 1", n2="Notebook 2"))
    api.on("GET n1", notebook("n1", "import this"))
    api.on("GET n2", notebook("n2", "", " \n"))
    assert find(api) == "n2"
    assert not [route for route in api.routes if route.startswith("POST")]


def test_used_notebook_is_not_run_again(api: Api) -> None:
    """Where every notebook holds something, another one is made under a free name."""
    api.on("GET projects", listing(OURS))
    api.on("GET p1", project("p1", n1="Notebook 1", n2=scratch.NAME))
    api.on("GET n1", notebook("n1", "1"))
    api.on("GET n2", notebook("n2", "2"))
    api.on("POST notebooks", notebook("n3"))
    assert find(api) == "n3"
    assert api.bodies("POST notebooks") == [{"projectId": "p1", "name": f"{scratch.NAME} 2"}]


def test_notebooks_of_the_users_project_are_left_alone(api: Api) -> None:
    """In a project the user names, only a notebook of ours is used, however empty others are."""
    api.on("GET p5", project("p5", n1="Analysis", n2=scratch.NAME))
    api.on("GET n2", notebook("n2"))
    assert find(api, "p5") == "n2"
    assert api.routes == ["GET p5", "GET n2"]


@pytest.mark.parametrize("name", ["Analysis", "Notebook 1"])
def test_users_project_gets_a_notebook_of_ours(api: Api, name: str) -> None:
    """The first scratch notebook in a user's project carries our name."""
    api.on("GET p5", project("p5", n1=name))
    api.on("POST notebooks", notebook("n2"))
    assert find(api, "p5") == "n2"
    assert api.bodies("POST notebooks") == [{"projectId": "p5", "name": scratch.NAME}]


def test_project_for_one_notebook_is_refused(api: Api) -> None:
    """Nothing is sent that the server would refuse, and the project's type is named."""
    closed = {**OURS, "name": "Agent", "projectType": "agent", "notebooks": []}
    api.on("GET p5", httpx.Response(200, json={"project": closed}))
    with pytest.raises(ConfigError, match=r"'Agent' takes no notebook .* agent\. Name another"):
        find(api, "p5")
    assert api.routes == ["GET p5"]

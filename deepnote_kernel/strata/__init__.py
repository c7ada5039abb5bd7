"""Strata: another system whose notebooks cells can run on.

    from deepnote_kernel.strata import Client
    from deepnote_kernel.strata.calls import cells, notebooks

    with Client() as client:
        config = client.send(notebooks.config())
        notebook = client.send(notebooks.create("Forecast", parent_path=config.default_parent_path))
        cell = client.send(cells.add(notebook.session_id))
        client.send(cells.update(notebook.session_id, cell.id, source="6 * 7"))
        result = client.send(cells.execute(notebook.session_id, cell.id))

The client is built like :mod:`deepnote_kernel.api`: a call is a value, a client sends it. Importing
this package does not import httpx; making a client does.
"""

from __future__ import annotations

from deepnote_kernel.strata.client import DEFAULT_URL, AsyncClient, Client

__all__ = ["DEFAULT_URL", "AsyncClient", "Client"]

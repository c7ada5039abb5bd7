"""Jupyter Server's side of the JupyterLab extension: what the browser may know, and may ask for.

Everything below ``/deepnote/`` answers to whoever may use the Jupyter Server. Tokens stay in the
server's process: none ever goes to the browser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__: list[str] = []


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Name the module that Jupyter Server loads; called by it."""
    return [{"module": "deepnote_kernel.jupyter_server"}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    """Add the handlers; called by Jupyter Server when it starts."""
    from deepnote_kernel.jupyter_server.handlers import handlers  # noqa: PLC0415 - with tornado

    app.web_app.add_handlers(".*$", handlers(app.base_url))  # type: ignore[no-untyped-call]

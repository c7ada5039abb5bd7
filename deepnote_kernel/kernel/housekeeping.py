"""Tell the person's cells from code an editor runs on its own.

Editors send code of their own through the same message as a cell: VS Code asks for the
interpreter's path when a kernel starts, JupyterLab's extensions look at variables. None of that
may start a machine; a cell must.
"""

from __future__ import annotations

import re
from enum import Enum

__all__ = ["Kind", "classify", "without_thread"]


class Kind(Enum):
    """Whose code it is, and so where it runs."""

    CELL = "a cell of the person's: runs on the far side, which is started if need be"
    LOCAL = "an editor's: answered here, whether or not a session runs"
    REMOTE_IF_RUNNING = "an editor's about the person's variables: far side, or here if none runs"
    REFUSED = "asks for something this kernel has not got: answered with an error"


_QUESTION = re.compile(r"\bget_ipython\(\)\.kernel\.do_(?:complete|inspect)\(")
"""VS Code completes and describes names through the kernel in this process, which asks there."""

_REFUSED = re.compile(r"\bipykernel\.__version__")
"""VS Code asks for this before it debugs a cell; an answer would start a debugger."""

_VARIABLES = re.compile(
    r"%who_ls|_VSCODE_get(?:Variable|DataFrame)|_VSCODE_variable", re.IGNORECASE
)
"""VS Code's variables view and data viewer."""

_EDITOR = re.compile(
    r"""
    __vsc_ipynb_file__ | __VSCODE_inject | __jupyter_exec_background__
  | \b_VSCODE_sys\.executable | ^\s*import\ sys\s*[\n;]\s*print\(sys\.executable\)
  | \b_VSCODE_ipywidgets\b | ^\s*%config\ Completer\.
    """,
    re.VERBOSE,
)
"""What VS Code sends when a kernel starts, and around each completion."""

_KNOWN = (
    (_QUESTION, Kind.LOCAL),  # first: it quotes the person's cell, which may hold anything
    (_REFUSED, Kind.REFUSED),
    (_VARIABLES, Kind.REMOTE_IF_RUNNING),
    (_EDITOR, Kind.LOCAL),
)


def classify(
    code: str, *, silent: bool = False, store_history: bool = True, stop_on_error: bool = True
) -> Kind:
    """Say whose code an ``execute_request`` carries.

    The rule, first match wins:

    1. Code with nothing in it is a readiness probe or an empty cell: here.
    2. ``store_history`` (and not ``silent``) is what every front end sends with a person's cell,
       and what nbclient, papermill and ``jupyter console`` send: a cell.
    3. What is known to be VS Code's goes where VS Code needs it: the variables view and the data
       viewer to the far side if one runs, its start-up and completion code here; its question
       whether it may debug is refused.
    4. ``stop_on_error`` off is the default of JupyterLab's and VS Code's client libraries for code
       that extensions and start-up settings run: far side if one runs, here otherwise.
    5. The rest comes from a script through jupyter_client, which a person wrote: a cell.

    Source: vscode-jupyter 2026.6.1, jupyterlab 4.6.6, jupyter_client 8.10.0 (November 2026).
    """
    if not code.strip():
        return Kind.LOCAL
    if store_history and not silent:
        return Kind.CELL
    for pattern, kind in _KNOWN:
        if pattern.search(code):
            return kind
    return Kind.CELL if stop_on_error else Kind.REMOTE_IF_RUNNING


_THREAD = re.compile(r"\bThread\(target=(\w+)[^()\n]*\)\.start\(\)")


def without_thread(code: str) -> str:
    """Return VS Code's background code with its thread replaced by a plain call.

    The far side may only deliver what is printed while the call is open.
    """
    return _THREAD.sub(r"\1()", code)

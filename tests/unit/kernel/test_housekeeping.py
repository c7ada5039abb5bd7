"""Whose code an ``execute_request`` carries."""

from __future__ import annotations

import pytest

from deepnote_kernel.kernel.housekeeping import Kind, classify, without_thread

# What VS Code sends around a completion and for its variables view, shortened.
_BACKGROUND = """
def __jupyter_exec_background__():
    from IPython.display import display
    from threading import Thread
    output = display({{"application/vnd.vscode.bg.execution.7": ""}}, raw=True, display_id=True)
    def do_implementation():
        {}
    def bg_main():
        output.update({{"x": do_implementation()}}, raw=True)
    Thread(target=bg_main, daemon=True).start()
__jupyter_exec_background__()
"""
_COMPLETION = _BACKGROUND.format("return get_ipython().kernel.do_complete('pri', 3)")
_QUOTING = _BACKGROUND.format("return get_ipython().kernel.do_complete('%who_ls', 7)")
_VARIABLES = _BACKGROUND.format(
    "variables = %who_ls\n        return _VSCODE_getVariableDescriptions(variables)"
)

# How VS Code and the client library of JupyterLab send code that is not a cell.
_VS = {"store_history": False, "stop_on_error": False}
_CELL = {"store_history": True}
_SCRIPT = {"store_history": False}
_SILENT = {"silent": True, "store_history": False}


@pytest.mark.parametrize(
    ("sender", "code", "sent", "kind"),
    [
        ("JupyterLab, a cell", "x = 1", _CELL, Kind.CELL),
        ("VS Code, a cell", "x = 1", {**_CELL, "stop_on_error": False}, Kind.CELL),
        ("nbclient, papermill, console", "print(x)", _CELL, Kind.CELL),
        ("a person who types VS Code's words", "%who_ls", _CELL, Kind.CELL),
        ("a script on jupyter_client", "x = 1", _SCRIPT, Kind.CELL),
        ("a silent script", "x = 1", _SILENT, Kind.CELL),
        ("jupyter_console's probe", "", _SILENT, Kind.LOCAL),
        ("an empty cell", " \n", _CELL, Kind.LOCAL),
        ("VS Code, interpreter", "import sys\nprint(sys.executable)", _VS, Kind.LOCAL),
        (
            "VS Code, interpreter",
            "import sys as _VSCODE_sys; print(_VSCODE_sys.executable); del _VSCODE_sys",
            _VS,
            Kind.LOCAL,
        ),
        (
            "VS Code, widgets",
            "import ipywidgets as _VSCODE_ipywidgets; print(_VSCODE_ipywidgets.__version__)",
            _VS,
            Kind.LOCAL,
        ),
        ("VS Code, chat", "def __VSCODE_inject_module():\n    pass", _VS, Kind.LOCAL),
        ("VS Code, path", '__vsc_ipynb_file__ = "/home/me/a.ipynb"', _VS, Kind.LOCAL),
        ("VS Code, Jedi", "%config Completer.use_jedi = False", _VS, Kind.LOCAL),
        ("VS Code, completion", _COMPLETION, _VS, Kind.LOCAL),
        ("VS Code, completion in any cell", _QUOTING, _VS, Kind.LOCAL),
        ("VS Code, variables", _VARIABLES, _VS, Kind.REMOTE_IF_RUNNING),
        ("VS Code, one variable", "_VSCODE_getVariable('x')", _VS, Kind.REMOTE_IF_RUNNING),
        ("VS Code, data", '_VSCODE_getDataFrame("info", df)', _VS, Kind.REMOTE_IF_RUNNING),
        ("VS Code, start-up setting", "import pandas as pd", _VS, Kind.REMOTE_IF_RUNNING),
        ("a JupyterLab extension", "dir()", _VS, Kind.REMOTE_IF_RUNNING),
        ("VS Code, debugger", "import ipykernel\nprint(ipykernel.__version__)", _VS, Kind.REFUSED),
    ],
)
def test_classify(sender: str, code: str, sent: dict[str, bool], kind: Kind) -> None:
    """What is a person's runs remotely, what is an editor's starts nothing."""
    assert classify(code, **sent) is kind, sender


def test_background_code_runs_in_the_foreground() -> None:
    """The variables view is answered within its call, not by a thread after it."""
    code = without_thread(_VARIABLES)
    assert "    bg_main()\n" in code
    assert ".start()" not in code

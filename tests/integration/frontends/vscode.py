"""VS Code's part of the conversation with a kernel: what it sends, and how it reads the answers.

Source: vscode-jupyter 2026.6.1 (November 2026). The code it runs in kernels is told here in our own
words, with the names and the shape by which a kernel can know it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import queue
import time
from dataclasses import dataclass, field
from textwrap import indent
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Notebook, Ran

SILENT: dict[str, Any] = {"store_history": False, "stop_on_error": False}
"""How it sends code of its own."""

EXECUTABLE = "import sys as _VSCODE_sys\nprint(_VSCODE_sys.executable); del _VSCODE_sys"

START = [
    EXECUTABLE,
    """try:
    import ipywidgets as _VSCODE_ipywidgets
    print("e976ee50:IPyWidgets:" + _VSCODE_ipywidgets.__version__)
    del _VSCODE_ipywidgets
except:
    pass""",
    """def __VSCODE_inject_module():
    import sys
    import types
    sys.modules["vscode"] = types.ModuleType("vscode")
__VSCODE_inject_module()
del __VSCODE_inject_module
__vsc_ipynb_file__ = "/home/me/work/pears.ipynb"
%config Completer.use_jedi = False""",
    "import math  # what the person has set in jupyter.runStartupCommands",
]
"""What it runs when a kernel is selected, one after the other."""

PANDAS = "import pandas as _VSCODE_pandas;print(_VSCODE_pandas.__version__);del _VSCODE_pandas"

_DESCRIBE = """import json
def _VSCODE_describe(value):
    return {"type": type(value).__name__, "value": repr(value)}
def _VSCODE_getVariableDescriptions(names):
    return json.dumps([{"name": n, **_VSCODE_describe(globals()[n])} for n in names])
def _VSCODE_getAllChildrenDescriptions(root, chain, start):
    return json.dumps([_VSCODE_describe(item) for item in globals()[root][start:]])"""

_VARIABLES = f"""{_DESCRIBE}

variables= %who_ls
return _VSCODE_getVariableDescriptions(variables)"""

_DATA_FRAME = """def _VSCODE_getDataFrame(what, is_debugging, frame, *args):
    import json as _VSCODE_json
    if what == "info":
        columns = [{"key": name, "type": str(frame[name].dtype)} for name in frame]
        print(_VSCODE_json.dumps({"columns": columns, "rowCount": len(frame)}))
    else:
        print(frame.iloc[slice(*args)].to_json(orient="split"))

_VSCODE_getDataFrame(%s)

try:
    del _VSCODE_getDataFrame
except:
    pass"""


@dataclass
class VSCode:
    """An editor window with one notebook.

    Args:
        notebook: The notebook's kernel.
    """

    notebook: Notebook
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def silently(self, code: str) -> Ran:
        """Run code of VS Code's own."""
        return self.notebook.run(code, **SILENT)

    def parsed(self, code: str) -> Any:
        """Run code of VS Code's own and read its first output as JSON; what follows is ignored."""
        ran = self.silently(code)
        assert ran.status == "ok", ran.reply
        return json.loads(ran.messages[0]["content"]["text"])

    def in_background(self, body: str) -> Any:
        """Run the body of a function in a thread of the kernel, and wait for what it returns.

        The answer updates a display, and may come when the cell is long over.
        """
        mime = f"application/vnd.vscode.bg.execution.{next(self._numbers)}"
        code = f"""def __jupyter_exec_background__():
    from IPython.display import display
    from threading import Thread
    from traceback import format_exc

    output = display({{"{mime}": ""}}, raw=True, display_id=True)

    def do_implementation():
{indent(body, " " * 8)}

    def bg_main():
        try:
            output.update({{"{mime}.result": do_implementation()}}, raw=True)
        except Exception as e:
            output.update({{"{mime}.error": format_exc()}}, raw=True)


    Thread(target=bg_main, daemon=True).start()


__jupyter_exec_background__()
del __jupyter_exec_background__"""
        ran = self.silently(code)
        assert ran.status == "ok", ran.reply
        [display] = ran.contents("display_data")
        return self._result(mime, display["transient"]["display_id"], ran.messages)

    def variables(self) -> dict[str, str]:
        """Return what the variables view shows: values by name."""
        described = json.loads(self.in_background(_VARIABLES))
        return {each["name"]: each["value"] for each in described}

    def children(self, root: str) -> list[str]:
        """Return what the variables view shows below a list."""
        body = f"{_DESCRIBE}\n\nreturn _VSCODE_getAllChildrenDescriptions('{root}', [], 0)"
        return [child["value"] for child in json.loads(self.in_background(body))]

    def data_frame(self, *arguments: str) -> Any:
        """Ask as the data viewer does: ``info`` or ``rows``, then the variable and a range."""
        what, *rest = arguments
        return self.parsed(_DATA_FRAME % ", ".join([f'"{what}"', "False", *rest]))

    def complete(self, code: str) -> list[str]:
        """Return what is offered behind a piece of code, asking again where nothing was at first.

        The far side may take more than the second after which VS Code's users see nothing.
        """
        body = f"return get_ipython().kernel.do_complete({code!r}, {len(code)})"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            matches: list[str] = self.in_background(body)["matches"]
            if matches:
                return matches
        return []

    def describe(self, name: str) -> str:
        """Return what is shown for a name that is offered."""
        body = f"return get_ipython().kernel.do_inspect({name!r}, {len(name)}, 0)"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            answer = self.in_background(body)
            if answer["found"]:
                return str(answer["data"]["text/plain"])
        return ""

    def _result(self, mime: str, display_id: str, messages: list[dict[str, Any]]) -> Any:
        seen = list(messages)
        deadline = time.monotonic() + 20
        while True:
            for message in seen:
                content = message["content"]
                if content.get("transient", {}).get("display_id") != display_id:
                    continue
                assert f"{mime}.error" not in content["data"], content["data"]
                if f"{mime}.result" in content["data"]:
                    return content["data"][f"{mime}.result"]
            assert time.monotonic() < deadline, f"no result among {messages}"
            seen = []
            with contextlib.suppress(queue.Empty):
                seen = [self.notebook.client.get_iopub_msg(timeout=0.05)]

"""Run a notebook through its kernel and print every output as it arrives.

``make demo`` calls it. By hand: ``python examples/demo.py examples/quickstart.ipynb out.ipynb``.
"""

from __future__ import annotations

import argparse
import base64
import re
import struct
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class PrintingClient(NotebookClient):
    """An nbclient that shows what the kernel sends, message by message."""

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Print an output, then store it in the notebook as nbclient does."""
        show(msg["msg_type"], msg["content"])
        return super().process_message(msg, cell, cell_index)


def show(msg_type: str, content: dict[str, Any]) -> None:
    """Write one output to the terminal, as text; anything but an output shows nothing."""
    if msg_type == "stream":
        write(content["text"])
    elif msg_type in {"display_data", "execute_result", "update_display_data"}:
        write(as_text(content["data"]) + "\n")
    elif msg_type == "error":
        write("\n".join(content["traceback"]) + "\n")


def as_text(bundle: dict[str, Any]) -> str:
    """Return the form of a mime bundle that reads best in a terminal."""
    if "image/png" in bundle:
        width, height = struct.unpack(">II", base64.b64decode(bundle["image/png"])[16:24])
        return f"[image/png {width}×{height}]"
    return str(bundle.get("text/markdown") or bundle.get("text/plain") or sorted(bundle))


def write(text: str) -> None:
    """Write at once, in colour only where a person looks on."""
    sys.stdout.write(text if sys.stdout.isatty() else ANSI_COLOUR.sub("", text))
    sys.stdout.flush()


def main() -> int:
    """Run the notebook, save it with its outputs and return the exit status."""
    parser = argparse.ArgumentParser(description="Run a notebook, printing outputs as they arrive.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("output", type=Path, help="where the executed notebook goes")
    arguments = parser.parse_args()

    notebook = nbformat.read(arguments.notebook, as_version=4)
    started: dict[int, float] = {}

    def announce(cell: Any, cell_index: int) -> None:
        started[cell_index] = time.monotonic()
        if cell.cell_type == "markdown":
            write(f"\n{cell.source}\n")
        else:
            write("\n" + "".join(f"  │ {line}\n" for line in cell.source.splitlines()))

    def time_it(cell_index: int, **_: Any) -> None:
        write(f"  └ {time.monotonic() - started[cell_index]:.1f} s\n")

    client = PrintingClient(
        notebook,
        timeout=None,
        # ipykernel warns, at each start, of what stays on this computer's loopback.
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(arguments.notebook.parent)}},
        on_cell_start=announce,
        on_cell_executed=time_it,
    )
    failure = ""
    try:
        client.execute()
    except (CellExecutionError, DeadKernelError) as error:
        failure = f"\n{arguments.notebook} stopped early: {type(error).__name__}.\n"
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, arguments.output)
    sys.stderr.write(failure)
    write(f"\nThe executed notebook is {arguments.output}. `make lab` opens it in JupyterLab.\n")
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())

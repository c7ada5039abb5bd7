"""A program: Streamlit, for as long as the server that started it lives.

Its standard input ends with the server, however that ends.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import signal
import sys
import threading

__all__ = ["main"]


def main() -> None:
    """Be ``streamlit``, with the arguments of this process."""
    del sys.path[:1]  # the folder of this file
    threading.Thread(target=_end_with_server, daemon=True).start()
    if importlib.util.find_spec("streamlit") is None:
        sys.exit("Streamlit is not installed where the server runs. Run: pip install streamlit")
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


def _end_with_server() -> None:
    while os.read(0, 1):
        pass
    if sys.platform != "win32":
        os.killpg(0, signal.SIGKILL)  # with whatever the app has started
    os._exit(1)


if __name__ == "__main__":
    main()

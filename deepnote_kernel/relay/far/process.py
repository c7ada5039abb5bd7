"""The process that the code runs in: what it was at first, its children, and its successor."""

from __future__ import annotations

import contextlib
import os
import sys


class Process:
    """This process, as the relay has found it.

    Args:
        folder: The working folder it was started in.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.environ = dict(os.environ)
        self.pid = os.getpid()

    def is_forked(self) -> bool:
        """Tell whether the one who asks is a child, which goes on with a copy of everything."""
        return os.getpid() != self.pid

    def has_children(self) -> bool:
        """Tell whether a SIGINT for this process' group would reach a child of the code as well."""
        try:
            os.waitid(os.P_PGID, os.getpgrp(), os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def replace(self) -> None:
        """Start afresh, on the same sockets, where and with what this process was started."""
        with contextlib.suppress(OSError):  # the code may have removed the folder
            os.chdir(self.folder)
        os.execve(sys.executable, sys.orig_argv, self.environ)  # noqa: S606 - that is our shell

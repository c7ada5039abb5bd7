"""The process around the kernel."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import zmq
from ipykernel.kernelapp import IPKernelApp
from ipykernel.parentpoller import ParentPollerUnix
from traitlets import default

from deepnote_kernel.kernel.kernel import DeepnoteKernel

__all__ = ["DeepnoteKernelApp"]

_POLL_S = 1.0


class DeepnoteKernelApp(IPKernelApp):
    """Launches a :class:`~deepnote_kernel.kernel.kernel.DeepnoteKernel` for a connection file."""

    name = "deepnote-kernel"
    classes = [DeepnoteKernel, *IPKernelApp.classes]  # noqa: RUF012 - traitlets' way

    def init_iopub(self, context: Any) -> None:
        """Open the iopub socket with a queue without end.

        ZMQ drops what a slow front end has not read beyond a thousand messages. A far side that was
        out of reach for a while has more than that to tell.
        """
        context.setsockopt(zmq.SNDHWM, 0)
        super().init_iopub(context)  # type: ignore[no-untyped-call]

    def init_poller(self) -> None:
        """Watch the process that has started this one, which ends when that has died."""
        super().init_poller()  # type: ignore[no-untyped-call]
        if isinstance(self.poller, ParentPollerUnix):
            self.poller = _ParentWatch(self.poller.parent_pid)  # type: ignore[no-untyped-call]

    @default("kernel_class")
    def _default_kernel_class(self) -> type:
        return DeepnoteKernel


class _ParentWatch(ParentPollerUnix):
    """Ends this process by SIGTERM, which stops its session; ipykernel's own would just exit."""

    def run(self) -> None:
        # Where something stands between the two, only an orphan's parent is known: init.
        has_direct_parent = os.getppid() == self.parent_pid
        while os.getppid() == self.parent_pid if has_direct_parent else os.getppid() != 1:
            time.sleep(_POLL_S)
        os.kill(os.getpid(), signal.SIGTERM)

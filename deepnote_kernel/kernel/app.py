"""The process around the kernel."""

from __future__ import annotations

from typing import Any

import zmq
from ipykernel.kernelapp import IPKernelApp
from traitlets import default

from deepnote_kernel.kernel.kernel import DeepnoteKernel

__all__ = ["DeepnoteKernelApp"]


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

    @default("kernel_class")
    def _default_kernel_class(self) -> type:
        return DeepnoteKernel

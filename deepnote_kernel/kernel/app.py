"""The process around the kernel."""

from __future__ import annotations

from ipykernel.kernelapp import IPKernelApp
from traitlets import default

from deepnote_kernel.kernel.kernel import DeepnoteKernel

__all__ = ["DeepnoteKernelApp"]


class DeepnoteKernelApp(IPKernelApp):
    """Launches a :class:`~deepnote_kernel.kernel.kernel.DeepnoteKernel` for a connection file."""

    name = "deepnote-kernel"
    classes = [DeepnoteKernel, *IPKernelApp.classes]  # noqa: RUF012 - traitlets' way

    @default("kernel_class")
    def _default_kernel_class(self) -> type:
        return DeepnoteKernel

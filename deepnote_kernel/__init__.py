"""Run the cells of a local Jupyter notebook on a Deepnote machine.

This package imports nothing heavy: a kernel's start must not pay for what its first reply does not
need.
"""

from deepnote_kernel._version import __version__

__all__ = ["__version__"]

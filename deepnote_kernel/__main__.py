"""Run the kernel: ``python -m deepnote_kernel -f CONNECTION_FILE``, as a kernelspec has it."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the kernel until its front end shuts it down."""
    # Python puts the notebook's folder first, where a zmq.py or json.py would be taken for the
    # library of that name. At the end, %%local cells still find the person's modules there.
    del sys.path[:1]
    sys.path.append("")
    from deepnote_kernel.kernel.app import DeepnoteKernelApp  # noqa: PLC0415 - after the path is set

    DeepnoteKernelApp.launch_instance()


if __name__ == "__main__":
    main()

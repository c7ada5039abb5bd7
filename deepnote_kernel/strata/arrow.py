"""Arrow bytes to tables; the only module of the Strata client that needs pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepnote_kernel.errors import ConfigError, ResponseFormatError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_table"]


def read_table(body: bytes) -> pa.Table:
    """Read an Arrow stream, as :func:`~deepnote_kernel.strata.calls.core.stream` returns it.

    Raises:
        ConfigError: pyarrow is not installed.
        ResponseFormatError: The bytes are no Arrow stream.
    """
    try:
        from pyarrow import ArrowInvalid, ipc  # noqa: PLC0415 - optional, and takes 200 ms
    except ImportError:
        raise ConfigError(
            "Strata's artifacts are Arrow tables, and pyarrow is not installed.",
            "Install it: pip install 'deepnote-kernel[strata]'.",
        ) from None
    try:
        return ipc.open_stream(body).read_all()
    except ArrowInvalid as error:
        raise ResponseFormatError(
            f"What Strata sent is no Arrow stream: {error}.", "Check STRATA_URL."
        ) from None

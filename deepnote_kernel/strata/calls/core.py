"""Core: transforms of Iceberg tables, stored as artifacts and read as Arrow.

A result that is there, or a scan that streams, names its ``stream_url``; anything else is a build
that must end first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from deepnote_kernel.api.call import Call, present, segment
from deepnote_kernel.errors import ConfigError
from deepnote_kernel.strata.calls import _parts
from deepnote_kernel.strata.models import Build, Materialized

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SCAN", "MaterializeMode", "artifact", "build", "materialize", "stream"]

MaterializeMode: TypeAlias = Literal["stream", "artifact"]

SCAN = "scan@v1"
"""The transform that reads one table."""

_CHECK_TABLE = "Check the warehouse's path, on the server's machine, and the table's name."


def materialize(
    inputs: Sequence[str],
    *,
    executor: str = SCAN,
    params: Mapping[str, Any] | None = None,
    name: str | None = None,
    mode: MaterializeMode = "stream",
) -> Call[Materialized]:
    """Have a transform's result made, unless it is there.

    Args:
        inputs: Tables, such as ``file:///warehouse#db.events``, or artifacts.
        executor: The transform: :data:`SCAN`, ``duckdb_sql@v1``.
        params: What it takes: the ``columns`` of a scan, the ``sql`` of a query.
        name: A name for the result.
        mode: Whether to read while it is made, or to wait for an artifact.
    """
    return Call(
        method="POST",
        path="/v1/materialize",
        body=present(
            inputs=list(inputs),
            transform={"executor": executor, "params": dict(params or {})},
            name=name,
            mode=mode,
        ),
        read=_parts.model(Materialized),
        timeout_s=_parts.SLOW_S,
        remedies=dict.fromkeys((404, 500), _CHECK_TABLE),
    )


def stream(url: str) -> Call[bytes]:
    """Read a result as an Arrow stream.

    Args:
        url: The ``stream_url`` of what was materialized, or the id of a stream.

    Raises:
        ConfigError: The address is another server's.
    """
    if not url.startswith("/"):
        url = f"/v1/streams/{segment('stream', url)}"
    if url.startswith("//"):
        raise ConfigError(f"{url!r} is another server's.", "Give a path on this one.")
    return Call(
        method="GET",
        path=url,
        read=_parts.raw,
        timeout_s=_parts.SLOW_S,
        replay_safe=True,
        remedies={404: "A stream can be read once, and soon: materialize it again."},
    )


def build(build_id: str) -> Call[Build]:
    """Get how far a build is; where it has ended, it names the artifact."""
    return _parts.get(f"/v1/artifacts/builds/{segment('build', build_id)}", _parts.model(Build))


def artifact(artifact_id: str, version: int) -> Call[bytes]:
    """Read an artifact as an Arrow stream."""
    return stream(f"/v1/artifacts/{segment('artifact', artifact_id)}/v/{version}/data")

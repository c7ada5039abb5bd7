"""``materialize`` and ``stream``: Iceberg tables, and what is made of them, as Arrow tables."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deepnote_kernel.errors import RunFailedError
from deepnote_kernel.session.waiting import delays
from deepnote_kernel.strata.arrow import read_table
from deepnote_kernel.strata.calls import core

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from deepnote_kernel.strata.commands.context import StrataContext
    from deepnote_kernel.strata.models import Build, Materialized

__all__ = ["materialize", "stream"]

_ENDED: Final = {"ready", "failed"}
_SQL: Final = "duckdb_sql@v1"
_ARTIFACT: Final = "strata://artifact/"


def materialize(  # noqa: PLR0913 - one choice each
    context: StrataContext,
    *,
    uris: Sequence[str],
    columns: str | None,
    sql: str | None,
    name: str | None,
    to: str | None,
) -> pa.Table:
    """Return a table's rows, or what a query over tables gives, as an Arrow table."""
    if sql:
        inputs = [_artifact(context, uri) for uri in uris]
        call = core.materialize(inputs, executor=_SQL, params={"sql": sql}, name=name)
    else:
        chosen = [column.strip() for column in columns.split(",")] if columns else []
        call = core.materialize(uris, params={"columns": chosen} if chosen else {}, name=name)
    return _table(context, _bytes(context, context.server.send(call)), to)


def stream(context: StrataContext, *, stream_id: str, to: str | None) -> pa.Table:
    """Return what a stream holds as an Arrow table."""
    return _table(context, context.server.send(core.stream(stream_id)), to)


def _artifact(context: StrataContext, uri: str) -> str:
    """Return a table as an artifact, which is what queries take."""
    if uri.startswith(_ARTIFACT):
        return uri
    found = context.server.send(core.materialize([uri], mode="artifact"))
    if found.hit:
        return found.artifact_uri
    build = _built(context, found.build_id)
    return f"{_ARTIFACT}{build.artifact_id}@v={build.version}"


def _bytes(context: StrataContext, found: Materialized) -> bytes:
    """Return the rows, once they are made."""
    if found.stream_url:
        return context.server.send(core.stream(found.stream_url))
    build = _built(context, found.build_id)
    return context.server.send(core.artifact(build.artifact_id, build.version))


def _built(context: StrataContext, build_id: str) -> Build:
    """Wait for a build to end well."""
    with context.surface.task("table") as task:
        waits = delays(0.05, 1.0)
        while (build := context.server.send(core.build(build_id))).state not in _ENDED:
            task(build.state)
            time.sleep(next(waits))
    if build.state == "failed":
        raise RunFailedError(f"The table could not be made: {build.error_message}")
    return build


def _table(context: StrataContext, body: bytes, to: str | None) -> pa.Table:
    table = read_table(body)
    if to:
        from pyarrow import parquet  # noqa: PLC0415 - takes 100 ms

        parquet.write_table(table, Path(to))
        context.surface.say(f"Wrote {to} ({table.num_rows} rows).")
    return table

"""Make an Iceberg warehouse with one table; run with the interpreter of a Strata server.

python warehouse.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog  # type: ignore[import-not-found]  # is elsewhere


def main() -> None:
    """Run from the command line."""
    folder = Path(sys.argv[1])
    # Strata looks for a catalog of this name in a file of this name.
    catalog = SqlCatalog("strata", uri=f"sqlite:///{folder / 'catalog.db'}", warehouse=str(folder))
    catalog.create_namespace("db")
    events = pa.table({"id": list(range(1000)), "value": [n / 2 for n in range(1000)]})
    catalog.create_table("db.events", events.schema).append(events)


if __name__ == "__main__":
    main()

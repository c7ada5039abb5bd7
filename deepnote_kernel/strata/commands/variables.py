"""``pull``, ``push`` and ``data``: variables between this Python and the notebook.

Tables travel as Parquet or Arrow, other values in Python's own notation. What that does not hold
without loss is refused.
"""

from __future__ import annotations

import ast
import base64
import io
import uuid
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from deepnote_kernel.commands.views import Listing
from deepnote_kernel.errors import ConfigError, UnknownNameError, UnsupportedError
from deepnote_kernel.session.protocol import Cell, Message
from deepnote_kernel.strata.calls import cells, data

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from deepnote_kernel.strata.commands.context import StrataContext
    from deepnote_kernel.strata.models import Cell as StrataCell

__all__ = ["Moved", "pull", "push", "show_data"]

_MAX_SOURCE: Final = 950_000
"""Characters; Strata takes no longer cell than a million."""

_PULL_KEY: Final = "pull"
"""What the cell that prints variables is remembered by: there is but one."""

# Printed: whether the value is the same when it is read back, and how it is written.
_ASK: Final = """\
(lambda ast, text: print(ast.literal_eval(text) == {name}, text))(__import__('ast'), repr({name}))
"""

_TABLE_CELL: Final = """\
import base64, io
from pyarrow import ipc
{name} = ipc.open_stream(io.BytesIO(base64.b64decode(
    "{text}"
))).read_all(){convert}
"""


class Moved(NamedTuple):
    """A variable that has been moved."""

    name: str
    form: str
    size_bytes: int


def pull(context: StrataContext, *, names: Sequence[str], to: str | None) -> Listing[Moved]:
    """Fetch variables of the notebook into this Python."""
    namespace = _namespace(context)
    moved = []
    for name in names:
        value, item = _fetched(context, name)
        namespace[_target(names, to) or name] = value
        moved.append(item)
    return _listing(moved)


def push(context: StrataContext, *, names: Sequence[str], to: str | None) -> Listing[Moved]:
    """Send variables of this Python to the notebook, each in a cell of its own."""
    namespace = _namespace(context)
    moved = []
    for name in names:
        if name not in namespace:
            raise UnknownNameError(f"There is no variable {name!r} here.", "Define it first.")
        target = _target(names, to) or name
        source, form = _cell_source(target, namespace[name])
        if len(source) > _MAX_SOURCE:
            raise UnsupportedError(
                f"{name} takes {len(source):,} characters, more than a Strata cell holds.",
                "Write it to a file, and mount its folder: `%strata mounts add`.",
            )
        with context.starting() as task:
            cell = Cell(id=uuid.uuid4().hex, code=source, metadata={"cellId": f"push {target}"})
            context.surface.play(context.remote.events(cell, task), task)
        moved.append(Moved(target, form, len(source)))
    return _listing(moved)


def show_data(  # noqa: PLR0913 - one choice each
    context: StrataContext,
    *,
    name: str,
    offset: int,
    rows: int,
    sort: str | None,
    descending: bool,
    search: str | None,
) -> Listing[list[Any]]:
    """Show rows of a table of the notebook."""
    owner, uri = _stored(context, name)
    page = context.server.send(
        data.page(
            context.session_id,
            owner.id,
            artifact_uri=uri,
            offset=offset,
            limit=min(rows, data.MAX_ROWS),
            sort_by=sort,
            sort_dir="desc" if descending else "asc",
            search=search,
        )
    )
    if not page.pageable:
        raise UnsupportedError(f"{name} is no table.", f"`%strata pull {name}` fetches it.")
    context.surface.say(f"Rows {offset} to {offset + len(page.rows) - 1} of {page.total}.")
    headings = [str(column) for column in page.columns]
    return Listing(page.rows, headings, lambda row: [str(value) for value in row], empty="No rows.")


def _fetched(context: StrataContext, name: str) -> tuple[Any, Moved]:
    owner, uri = _stored(context, name)
    page = data.page(context.session_id, owner.id, artifact_uri=uri, limit=1)
    if context.server.send(page).pageable:
        body = context.server.send(data.export(context.session_id, owner.id, artifact_uri=uri))
        return _read_parquet(body), Moved(name, "Parquet", len(body))
    text = _asked(context, name)
    return ast.literal_eval(text), Moved(name, "Python", len(text))


def _stored(context: StrataContext, name: str) -> tuple[StrataCell, str]:
    """Return the last cell that stores a variable, and where."""
    found = [
        (cell, cell.artifact_uris[name])
        for cell in context.server.send(cells.list_(context.session_id))
        if name in cell.artifact_uris
    ]
    if not found:
        raise UnknownNameError(
            f"The notebook has no variable {name!r}.", "Run the cell that makes it first."
        )
    return found[-1]


def _asked(context: StrataContext, name: str) -> str:
    """Return a variable in Python's own notation, as a cell of the notebook prints it."""
    if context.remote.session is None:
        context.remote.attach(context.notebook.path)
    asking = Cell(id=uuid.uuid4().hex, code=_ASK.format(name=name), metadata={"cellId": _PULL_KEY})
    said = ""
    for event in context.remote.events(asking):
        if isinstance(event, Message) and event.msg_type == "stream":
            said += event.content["text"]
    is_same, _, text = said.strip().partition(" ")
    if is_same != "True":
        raise UnsupportedError(
            f"{name} is neither a table nor plain data.",
            "Make a table, or lists and dictionaries, of it in the notebook.",
        )
    return text


def _read_parquet(body: bytes) -> Any:
    """Return a data frame where pandas is here, and an Arrow table otherwise."""
    try:
        from pyarrow import parquet  # noqa: PLC0415 - optional, and takes 200 ms
    except ImportError:
        raise ConfigError(
            "Tables come as Parquet, and pyarrow is not installed.",
            "Install it: pip install 'deepnote-kernel[strata]'.",
        ) from None
    table = parquet.read_table(io.BytesIO(body))
    try:
        return table.to_pandas()
    except ImportError:
        return table


def _cell_source(name: str, value: Any) -> tuple[str, str]:
    """Return the text of a cell that makes a variable of this value, and what it holds it as."""
    table = _arrow(value)
    if table is not None:
        from pyarrow import BufferOutputStream, ipc  # noqa: PLC0415 - as above

        sink = BufferOutputStream()
        with ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        text = base64.b64encode(sink.getvalue()).decode()
        convert = "" if value is table else ".to_pandas()"
        return _TABLE_CELL.format(name=name, text=text, convert=convert), "Arrow"
    notation = repr(value)
    try:
        is_same = ast.literal_eval(notation) == value
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        is_same = False
    if not is_same:
        raise UnsupportedError(
            f"A {type(value).__name__} cannot be sent to Strata.",
            "Tables, numbers, texts, and lists and dictionaries of them can.",
        )
    return f"{name} = {notation}\n", "Python"


def _arrow(value: Any) -> Any:
    """Return a value as an Arrow table; ``None`` for what is no table."""
    kind = type(value).__module__.partition(".")[0], type(value).__name__
    if kind not in {("pandas", "DataFrame"), ("pyarrow", "Table")}:
        return None
    try:
        import pyarrow as pa  # noqa: PLC0415 - as above
    except ImportError:
        raise ConfigError(
            "Tables go as Arrow, and pyarrow is not installed.",
            "Install it: pip install 'deepnote-kernel[strata]'.",
        ) from None
    return value if kind[0] == "pyarrow" else pa.Table.from_pandas(value)


def _namespace(context: StrataContext) -> MutableMapping[str, object]:
    if context.namespace is None:
        raise UnsupportedError("There are no variables here.", "Use %strata in a notebook.")
    return context.namespace


def _target(names: Sequence[str], to: str | None) -> str | None:
    if to and len(names) > 1:
        raise ConfigError(f"--to names one thing, not {len(names)}.", "Move them one by one.")
    return to


def _listing(moved: list[Moved]) -> Listing[Moved]:
    return Listing(
        moved,
        ["Name", "As", "Size"],
        lambda item: (item.name, item.form, f"{item.size_bytes:,} bytes"),
    )

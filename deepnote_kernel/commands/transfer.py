"""``push`` and ``pull``: variables and files between this Python and the remote one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deepnote_kernel.commands.views import Listing
from deepnote_kernel.errors import ConfigError
from deepnote_kernel.transfer.near import Moved, Transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping, Sequence

    from deepnote_kernel.commands.context import Context

__all__ = ["pull", "push"]


def push(
    context: Context,
    *,
    names: Sequence[str],
    file: bool = False,
    to: str | None = None,
    pickle: bool = False,
) -> Listing[Moved]:
    """Send variables of this Python, or files of this computer, to the remote one."""

    def send(transfer: Transfer, name: str) -> Moved:
        if file:
            return transfer.push_file(to or Path(name).name, _read(name))
        return transfer.push(to or name, _value(context, name), allow_pickle=pickle)

    if not file:
        for name in names:
            _value(context, name)
    return _moved(context, names, to, send)


def pull(
    context: Context,
    *,
    names: Sequence[str],
    file: bool = False,
    to: str | None = None,
    pickle: bool = False,
) -> Listing[Moved]:
    """Fetch remote variables into this Python, or remote files to this computer."""

    def fetch(transfer: Transfer, name: str) -> Moved:
        if file:
            moved = transfer.pull_file(name)
            _write(Path(to or Path(name).name), moved.value)
        else:
            moved = transfer.pull(name, allow_pickle=pickle)
            _namespace(context)[to or name] = moved.value
        return moved._replace(name=to or name, value=None)

    return _moved(context, names, to, fetch)


def _moved(
    context: Context,
    names: Sequence[str],
    to: str | None,
    move: Callable[[Transfer, str], Moved],
) -> Listing[Moved]:
    if to and len(names) > 1:
        raise ConfigError(f"--to names one thing, not {len(names)}.", "Move them one by one.")
    with context.starting() as task:
        transfer = Transfer(context.remote, task)
        moved = list(_each(transfer, names, move))
    return Listing(
        moved,
        ["Name", "Format", "Size"],
        lambda item: (item.name, item.kind, f"{item.size_bytes:,} bytes"),
    )


def _each(
    transfer: Transfer, names: Sequence[str], move: Callable[[Transfer, str], Moved]
) -> Iterator[Moved]:
    for name in names:
        yield move(transfer, name)


def _namespace(context: Context) -> MutableMapping[str, object]:
    if context.namespace is None:
        raise ConfigError("There are no variables here.", "Say --file to move a file.")
    return context.namespace


def _value(context: Context, name: str) -> object:
    namespace = _namespace(context)
    if name not in namespace:
        raise ConfigError(
            f"There is no variable {name!r} on this computer.",
            "In a Deepnote kernel, %%local cells make them.",
        )
    return namespace[name]


def _read(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from None


def _write(path: Path, data: bytes) -> None:
    try:
        path.expanduser().write_bytes(data)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", "Choose another place with --to."
        ) from None

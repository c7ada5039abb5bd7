"""``jupyter deepnote strata``: what ``%strata`` can do, in a shell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from deepnote_kernel.commands.grammar import Grammar
from deepnote_kernel.strata.table import SECTIONS, SHELL_COMMON, TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GRAMMAR", "main"]

GRAMMAR = Grammar(
    "jupyter deepnote strata",
    TABLE,
    package="deepnote_kernel.strata.commands",
    surface="shell",
    description="Use a Strata server: its notebooks, their cells and packages, and its tables.",
    epilog="Exit statuses are those of jupyter deepnote. STRATA_URL is the server's address.",
    common=SHELL_COMMON,
    sections=SECTIONS,
)


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit status.

    Raises:
        DeepnoteError: It failed; ``jupyter deepnote`` words that.
    """
    command = GRAMMAR.parse(argv)
    from deepnote_kernel.cli import carry_out  # noqa: PLC0415 - it names this module
    from deepnote_kernel.cli.shell import ShellSurface  # noqa: PLC0415 - --help need not wait
    from deepnote_kernel.session.remote import Remote  # noqa: PLC0415 - as above
    from deepnote_kernel.strata.commands.context import StrataContext  # noqa: PLC0415 - as above
    from deepnote_kernel.strata.place import connect  # noqa: PLC0415 - as above
    from deepnote_kernel.strata.settings import StrataSettings  # noqa: PLC0415 - as above

    as_json: bool = command.common["as_json"]
    settings = StrataSettings.from_env(os.environ, base_url=command.common.get("base_url"))
    remote = Remote(settings, connect=connect)
    context = StrataContext(
        remote,
        ShellSurface(remote, as_json=as_json),
        environ=os.environ,
        notebook=command.common.get("about", ""),
    )
    return carry_out(command, context, as_json=as_json)

"""Show something in a terminal that changes in place."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["watch_in_terminal"]


def watch_in_terminal(look: Callable[[], object | None], *, every_s: float) -> None:
    """Show what there is until nothing is left to see, or the person presses Ctrl-C.

    Outside a terminal it is shown once.

    Args:
        look: Returns what to show, or ``None`` for what is over.
        every_s: Seconds between two looks.
    """
    shown = look()
    if not sys.stdout.isatty():
        sys.stdout.write(f"{shown!r}\n")
        return
    from rich.live import Live  # noqa: PLC0415 - rich takes 50 ms
    from rich.text import Text  # noqa: PLC0415 - as above

    with contextlib.suppress(KeyboardInterrupt), Live(auto_refresh=False) as live:
        while shown is not None:
            live.update(Text(repr(shown)), refresh=True)
            time.sleep(every_s)
            shown = look()

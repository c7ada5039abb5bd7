"""Complete and describe names from a notebook's text alone, while its values are out of reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepnote_kernel.outputs import no_matches, not_found

if TYPE_CHECKING:
    from deepnote_kernel.outputs import JSON

__all__ = ["complete", "describe"]


def complete(above: str, code: str, cursor_pos: int) -> JSON:
    """Return the content of a ``complete_reply``.

    Args:
        above: The text of the cells that the cell sees.
        code: The cell's text.
        cursor_pos: Where the cursor stands in it, in characters.
    """
    script, place = _script(above, code, cursor_pos)
    try:
        found = [(m.name_with_symbols, len(m.complete or "")) for m in script.complete(*place)]
    except Exception:  # noqa: BLE001 - jedi fails on odd code in many ways, and then knows nothing
        return no_matches(cursor_pos)
    typed = len(found[0][0]) - found[0][1] if found else 0
    return no_matches(cursor_pos) | {
        "matches": [name for name, _ in found],
        "cursor_start": cursor_pos - typed,
    }


def describe(above: str, code: str, cursor_pos: int) -> JSON:
    """Return the content of an ``inspect_reply``; arguments as :func:`complete`'s."""
    script, place = _script(above, code, cursor_pos)
    try:
        found = [match for match in script.help(*place) if match.type != "keyword"]
        text = "\n".join(match.docstring() for match in found).strip()
    except Exception:  # noqa: BLE001 - as above
        return not_found()
    if not text:
        return not_found()
    return not_found() | {"found": True, "data": {"text/plain": text}}


def _script(above: str, code: str, cursor_pos: int) -> tuple[Any, tuple[int, int]]:
    import jedi  # type: ignore[import-untyped]  # noqa: PLC0415 - 200 ms, and maybe never needed

    head = f"{above}\n" if above else ""
    before = (head + code[:cursor_pos]).split("\n")
    return jedi.Script(head + code), (len(before), len(before[-1]))

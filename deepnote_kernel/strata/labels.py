"""What to call a cell where there is no room for its text."""

from __future__ import annotations

__all__ = ["label", "shortened"]


def label(source: str, max_chars: int) -> str:
    """Return the first line of a cell that says something, shortened."""
    lines = (line.strip() for line in source.splitlines())
    said = (line for line in lines if line and not line.startswith("#"))
    return shortened(next(said, "an empty cell"), max_chars)


def shortened(text: str, max_chars: int) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"

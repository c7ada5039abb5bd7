"""How a remark of ours looks among the outputs of a cell."""

from __future__ import annotations

from html import escape

__all__ = ["quiet"]

# JupyterLab indents printed text, but not HTML, by its code padding; elsewhere that means nothing.
_STYLE = "opacity: 0.65; font-style: italic; padding-left: var(--jp-code-padding)"


def quiet(text: str) -> dict[str, str]:
    """Return the mime bundle of a quiet line, one that is not taken for output of the cell."""
    return {"text/plain": text, "text/html": f'<span style="{_STYLE}">{escape(text)}</span>'}

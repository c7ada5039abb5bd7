"""``jupyter deepnote completion``: print the script that makes a shell complete our commands."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_PROGRAM = "jupyter-deepnote"

# Shells complete by a line's first word, which is "jupyter" as a rule. Whatever completes that
# already is left alone.
_WRAPPERS = {
    "bash": """
_jupyter_deepnote_of_jupyter() {
  [[ ${COMP_WORDS[1]} == deepnote ]] || return
  COMP_WORDS=(jupyter-deepnote "${COMP_WORDS[@]:2}")
  COMP_CWORD=$((COMP_CWORD - 1))
  _shtab_jupyter_deepnote
}
complete -p jupyter >/dev/null 2>&1 ||
  complete -o bashdefault -F _jupyter_deepnote_of_jupyter jupyter
""",
    "zsh": """
_jupyter_deepnote_of_jupyter() {
  [[ ${words[2]} == deepnote ]] || return
  words=(jupyter-deepnote "${(@)words[3,-1]}")
  (( CURRENT -= 1 ))
  _shtab_jupyter_deepnote
}
(( ${+_comps[jupyter]} )) || compdef _jupyter_deepnote_of_jupyter jupyter
""",
}


def main(argv: Sequence[str]) -> int:
    """Print the script for a shell."""
    import shtab  # noqa: PLC0415 - --help need not wait

    from deepnote_kernel.cli import GRAMMAR  # noqa: PLC0415 - it names this module

    shell = _parser().parse_args(argv).shell
    parser = GRAMMAR.parser()
    parser.prog = _PROGRAM
    sys.stdout.write(shtab.complete(parser, shell=shell) + _WRAPPERS[shell])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter deepnote completion",
        description="Print what makes a shell complete these commands.",
        epilog='For bash: eval "$(jupyter deepnote completion bash)", in ~/.bashrc. For zsh: the '
        "same with zsh, in ~/.zshrc behind compinit.",
        allow_abbrev=False,
    )
    parser.add_argument("shell", choices=list(_WRAPPERS))
    return parser

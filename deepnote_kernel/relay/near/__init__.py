"""The near half of the relay: requests out, frames in, each exactly once, over calls that may fail.

:mod:`link` decides when to call and what to say, :mod:`budget` how often; :mod:`answers` reads what
a call brings home; :mod:`packing` sends the far half to where it runs.
"""

from deepnote_kernel.relay.near.answers import MARK, Answer, Frame, RelayLostError
from deepnote_kernel.relay.near.budget import Budget
from deepnote_kernel.relay.near.link import WAIT_S, Carrier, Link
from deepnote_kernel.relay.near.packing import installer

__all__ = [
    "MARK",
    "WAIT_S",
    "Answer",
    "Budget",
    "Carrier",
    "Frame",
    "Link",
    "RelayLostError",
    "installer",
]

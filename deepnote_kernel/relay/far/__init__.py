"""The far half of the relay: lives inside the remote kernel and knows nothing of the near one.

The API gives one call that runs code and returns its outputs at the end. This package turns that
into a live kernel. It is sent once per session as source text; from then on every call carries one
line, ``__deepnote_relay__({...})``, which is answered here and never reaches IPython, so it leaves
no trace in the user's namespace, history or counters.

A call brings numbered *requests* (run this cell, take this comm message, interrupt, ...), each
carried out once however often it is sent, and takes home numbered *frames* (outputs, comm messages,
replies), each kept until a later call acknowledges it. So a call may fail, be repeated or get lost
without harm. A call waits a while for frames to come, which makes it a long poll.

A cell does not run inside the call that brought it. It is an asyncio task of the kernel's own loop
whose every step runs in a greenlet. A watcher thread looks at the loop's selector; when the loop
has something to do (a call has come in, an output wants to go out) it sends the main thread a
private signal, whose handler switches from the cell's greenlet back to the loop. The loop does its
work, and the task's next step goes on with the cell where it stopped. The code runs on the main
thread, as ever, and never notices.

Outputs are caught where ipykernel hands them to its IOPub thread: all of them pass there, those of
threads, forked children and C code included, and each names its cell in its parent header.
"""

from __future__ import annotations

import IPython

from .relay import Relay

__all__ = ["install"]


def install() -> None:
    """Install the relay in the kernel this code runs in; called once, by what brings this text."""
    Relay(IPython.get_ipython()).install()

"""Move variables and files between the person's own Python and the remote one.

A value is encoded in a format that holds its type (:mod:`~deepnote_kernel.transfer.codec`, whose
source also runs on the far side) and travels in parts inside ordinary cells, so that it needs no
storage, no open port and no second connection (:mod:`~deepnote_kernel.transfer.near`).
"""

"""The relay: how a synchronous call becomes a live kernel.

:mod:`~deepnote_kernel.relay.far` is the far half, sent once per session and run inside the remote
kernel; :mod:`~deepnote_kernel.relay.near` is the near half, which talks to it in short calls.
"""

"""A server on this computer that speaks Deepnote's Public API over real Jupyter kernels.

Nothing is imported here: ``python -m deepnote_kernel.server`` starts it (:mod:`.__main__`), and
:func:`deepnote_kernel.server.app.create_app` builds it from its parts.
"""
